package state

import (
	"fmt"
	"time"
)

// Snapshot is a document compiled for deciding. It is immutable and safe for any number of readers.
type Snapshot struct {
	doc *Document
}

// Compile builds the snapshot of a document.
func Compile(d *Document) (*Snapshot, error) { return &Snapshot{doc: d}, nil }

// Apply is the snapshot after one more frame. It is incremental: its cost depends on what the frame changes, not on the
// size of the document. The frame must extend the snapshot (same epoch, next revision, its Prev is our head, its hash
// fits): otherwise ErrGap; a patch that cannot be read is ErrDamaged. The receiver stays as it is.
func (s *Snapshot) Apply(f Frame) (*Snapshot, error) {
	if f.Epoch != s.doc.Epoch || f.Rev != s.doc.Rev+1 || f.Prev != s.doc.Head {
		return nil, fmt.Errorf("frame %d after revision %d: %w", f.Rev, s.doc.Rev, ErrGap)
	}
	if err := f.Verify(); err != nil {
		return nil, err
	}
	e, err := f.Entry()
	if err != nil {
		return nil, err
	}
	doc, err := s.doc.With(e.Patch, Meta{Epoch: f.Epoch, Gen: s.doc.Gen, Rev: f.Rev, Head: f.Head})
	if err != nil {
		return nil, err
	}
	return Compile(doc)
}

// Document is what the snapshot was compiled from.
func (s *Snapshot) Document() *Document { return s.doc }

// Decide gives the verdict on a request at an instant.
func (s *Snapshot) Decide(_ *Request, _ time.Time) Decision { return Decision{Status: Active} }
