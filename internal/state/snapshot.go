package state

import "fmt"

// Snapshot is a document compiled for deciding. It is immutable and safe for any number of readers.
type Snapshot struct {
	doc      *Document
	index    index
	global   *shutter
	services map[string]*shutter
	strict   strictness
}

// Compile builds the snapshot of a document.
func Compile(d *Document) (*Snapshot, error) {
	s := &Snapshot{doc: d, index: index{literal: map[string]leaf{}}, services: map[string]*shutter{}}
	keys := map[Key]struct{}{}
	names := map[string]struct{}{}
	for r := range d.Routes() {
		keys[r.Key] = struct{}{}
	}
	for name := range d.Switches() {
		names[name] = struct{}{}
	}
	for w := range d.Windows() {
		switch {
		case w.Target.Key.Path != "":
			keys[w.Target.Key] = struct{}{}
		case w.Target.Service != "":
			names[w.Target.Service] = struct{}{}
		}
	}
	for k := range keys {
		if r := d.ruleOf(k); r != nil {
			s.index.add(r)
			s.strict.rules = append(s.strict.rules, r)
		}
	}
	if s.global = d.shutterOf(Target{Global: true}, d.Global()); s.global != nil {
		s.strict.shutters = append(s.strict.shutters, s.global)
	}
	for name := range names {
		if own := d.shutterOf(Target{Service: name}, d.Service(name)); own != nil {
			s.services[name] = own
			s.strict.shutters = append(s.strict.shutters, own)
		}
	}
	return s, nil
}

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
