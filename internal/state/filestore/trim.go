package filestore

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// Trim implements state.Trimmer: it removes the segments that hold nothing but entries older than before. The document
// file and the seed are brought to where the log stands first, because the log can no longer make them anew.
func (s *Store) Trim(ctx context.Context, epoch string, before uint64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("trim the log: %w", err)
	}
	kept := s.Kept()
	switch kept.Meta.Epoch {
	case epoch:
	case "":
		return fmt.Errorf("trim the log: %w", state.ErrEmpty)
	default:
		return fmt.Errorf("trim the log of epoch %s: %w", epoch, state.ErrConflict)
	}
	since, err := s.journal.trim(kept, before)
	if err != nil {
		return fmt.Errorf("trim the log: %w", err)
	}
	return s.Store.Trim(ctx, epoch, since+1)
}

// trim removes segments, and gives the revision after which the log begins then. A crash in between leaves what was
// there, or segments that the next start removes.
func (j *journal) trim(k memstore.Kept, before uint64) (since uint64, err error) {
	j.checkpoint.Lock()
	defer j.checkpoint.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return 0, fmt.Errorf("the files are in doubt until the next start: %w: %w", state.ErrUnavailable, j.broken)
	}
	if k.Meta.Epoch != j.epoch {
		return 0, state.ErrConflict
	}
	n := 0
	for n+1 < len(j.segments) && j.segments[n+1].base.Rev < before {
		n++
	}
	if n == 0 {
		return j.since, nil
	}
	since = j.segments[n].base.Rev
	if err := j.beginAt(k, since); err != nil {
		return 0, fmt.Errorf("%w: %w", state.ErrUnavailable, err)
	}
	gone := j.segments[:n]
	j.segments, j.since, j.written = j.segments[n:], since, k.Meta
	for _, s := range gone {
		err = errors.Join(err, j.step("remove"), os.Remove(s.path))
	}
	return since, errors.Join(err, syncDir(j.log))
}

// beginAt makes the files say that the log begins after a revision. The caller holds both locks.
func (j *journal) beginAt(k memstore.Kept, since uint64) error {
	was, err := newDocument(k.Meta, k.Fields, j.since, j.privateRev)
	if err != nil {
		return err
	}
	is, err := newDocument(k.Meta, k.Fields, since, j.privateRev)
	if err != nil {
		return err
	}
	for _, w := range []struct {
		path string
		d    *document
	}{{j.document, was}, {j.seed(j.gen), is}, {j.document, is}} {
		if err := j.step("begin later"); err != nil {
			return err
		}
		if err := j.writeDocument(w.path, w.d); err != nil {
			return err
		}
	}
	return nil
}

// dropTrimmed removes the segments that a trim left when it was interrupted.
func (l *loader) dropTrimmed() error {
	for len(l.segments) > 1 {
		base, err := l.segments[1].readBase()
		if err != nil || base.Rev > l.doc.Since {
			return err
		}
		if err := os.Remove(l.segments[0].path); err != nil {
			return fmt.Errorf("remove what was trimmed: %w", err)
		}
		l.segments = l.segments[1:]
	}
	return nil
}
