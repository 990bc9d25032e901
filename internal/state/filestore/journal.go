package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"sync"

	"github.com/waygate/waygate/internal/crash"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// paths are the files of a store.
type paths struct {
	document, log, private, privateNext, desk, lock string
	// dir is the directory of all of them, and temp the one for files that are being written.
	dir, temp string
}

func pathsOf(document string) paths {
	return paths{
		document: document, log: document + ".log", private: document + ".private",
		privateNext: document + ".private.next", desk: document + ".desk", lock: document + ".lock", dir: filepath.Dir(document),
		temp: filepath.Join(document+".log", "tmp"),
	}
}

// seed is the file that holds the document with which a generation began.
func (p *paths) seed(gen uint64) string {
	return filepath.Join(p.log, fmt.Sprintf("%020d.seed.json", gen))
}

// journal keeps the commits of a store in files. It implements memstore.Journal.
type journal struct {
	paths
	// step is called before each thing that a crash can come between; tests make it fail.
	step func(what string) error
	// full is the size from which on a segment is not written to any more: segmentSize but in tests.
	full int64

	mu sync.Mutex
	// epoch, gen and since are those of the history that the log holds, and privateRev the revision that last changed
	// the private part.
	epoch      string
	gen        uint64
	since      uint64
	privateRev uint64
	segments   []*segment
	tail       *os.File // the last segment, open for writing; nil where there is none
	// broken is set once nobody can tell any more what is on disk: nothing is written until the next start.
	broken error

	// checkpoints are written one at a time; written is the place of the last.
	checkpoint sync.Mutex
	written    state.Meta
}

// Durability implements memstore.Journal.
func (j *journal) Durability() state.Durability { return state.DurableFsync }

// Append implements memstore.Journal.
func (j *journal) Append(c memstore.Committed) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return fmt.Errorf("the files are in doubt until the next start: %w: %w", state.ErrUnavailable, j.broken)
	}
	private := j.privateRev
	if c.Private != nil {
		private = c.Frame.Rev
		if err := errors.Join(j.step("prepare"), j.preparePrivate(j.gen, private, c.Private)); err != nil {
			return fmt.Errorf("%w: %w", state.ErrUnavailable, err)
		}
	}
	r, err := newRecord(&c.Frame, c.At, c.ID, private)
	if err != nil {
		return err
	}
	if err := j.append(&r, c.Frame.Prev); err != nil {
		return err
	}
	if c.Private != nil {
		// The commit is made, whatever becomes of this: the start would do it.
		j.privateRev = private
		if err := errors.Join(j.step("promote"), j.promotePrivate()); err != nil {
			j.broken = err
		}
	}
	return nil
}

// append makes a record the last line of the log. The caller holds mu.
func (j *journal) append(r *record, prev state.Head) error {
	s, err := j.room(state.Meta{Epoch: j.epoch, Gen: j.gen, Rev: r.rev - 1, Head: prev})
	if err != nil {
		return fmt.Errorf("%w: %w", state.ErrUnavailable, err)
	}
	if err := j.step("append"); err != nil {
		return fmt.Errorf("%w: %w", state.ErrUnavailable, err)
	}
	line := r.line()
	if _, err := j.tail.WriteAt(line, s.size); err != nil {
		// What came of it is taken back: it would look like a commit.
		j.broken = j.tail.Truncate(s.size)
		return fmt.Errorf("write the log: %w: %w", state.ErrUnavailable, err)
	}
	if err := errors.Join(j.step("sync"), j.tail.Sync()); err != nil {
		// After a sync that failed nobody knows what is on disk, and asking again does not tell.
		j.broken = err
		return fmt.Errorf("sync the log: %w: %w", state.ErrUnknownOutcome, err)
	}
	s.advance(r, int64(len(line)))
	return nil
}

// room gives the last segment, after it began another one where that is full. The caller holds mu.
func (j *journal) room(at state.Meta) (*segment, error) {
	if n := len(j.segments); n > 0 && j.tail != nil && j.segments[n-1].size < j.full {
		return j.segments[n-1], nil
	}
	s, err := j.createSegment(at)
	if err != nil {
		return nil, err
	}
	tail, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("write the log: %w", err)
	}
	if j.tail != nil {
		if err := j.tail.Close(); err != nil {
			return nil, errors.Join(err, tail.Close())
		}
	}
	j.segments, j.tail = append(j.segments, s), tail
	return s, nil
}

// Replace implements memstore.Journal. The new document file is the commit. Logs of earlier generations stay.
func (j *journal) Replace(k memstore.Kept) error {
	j.checkpoint.Lock()
	defer j.checkpoint.Unlock()
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.broken != nil {
		return fmt.Errorf("the files are in doubt until the next start: %w: %w", state.ErrUnavailable, j.broken)
	}
	if j.epoch != "" && k.Meta.Gen <= j.gen {
		return state.Invalid("gen", "the generation of a document that replaces another must be higher than %d", j.gen)
	}
	d, err := newDocument(k.Meta, k.Fields, k.Meta.Rev, k.Meta.Rev)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"prepare", func() error { return j.preparePrivate(k.Meta.Gen, k.Meta.Rev, k.Private) }},
		{"seed", func() error { return j.writeDocument(j.seed(k.Meta.Gen), d) }},
		{"document", func() error { return j.writeDocument(j.document, d) }},
	}
	for _, s := range steps {
		if err := j.step(s.name); err != nil {
			return fmt.Errorf("%w: %w", state.ErrUnavailable, err)
		}
		if err := s.do(); err != nil {
			return fmt.Errorf("%w: %w", state.ErrUnavailable, err)
		}
	}
	j.epoch, j.gen, j.since, j.privateRev = k.Meta.Epoch, k.Meta.Gen, k.Meta.Rev, k.Meta.Rev
	j.segments, j.written = nil, k.Meta
	if j.tail != nil {
		j.broken = j.tail.Close()
		j.tail = nil
	}
	if err := errors.Join(j.step("promote"), j.promotePrivate()); err != nil {
		j.broken = err
	}
	return nil
}

// Frames implements memstore.Journal.
func (j *journal) Frames(after uint64, limit int) ([]state.Frame, error) {
	j.mu.Lock()
	since := j.since
	segments := make([]segment, len(j.segments))
	for i, s := range j.segments {
		segments[i] = *s
	}
	j.mu.Unlock()
	if after < since {
		return nil, fmt.Errorf("read the log after %d: %w", after, state.ErrGap)
	}
	first := sort.Search(len(segments), func(i int) bool { return segments[i].base.Rev > after }) - 1
	var out []state.Frame
	var err error
	for _, s := range segments[max(0, first):] {
		if len(out) >= limit {
			break
		}
		if out, err = s.read(out, after, limit); err != nil {
			return nil, err
		}
	}
	return slices.Clip(out), nil
}

// save writes the document as a store holds it, unless what is on disk is as new.
func (j *journal) save(k memstore.Kept) error {
	j.checkpoint.Lock()
	defer j.checkpoint.Unlock()
	j.mu.Lock()
	same := k.Meta.Epoch == j.epoch
	since, private := j.since, j.privateRev
	j.mu.Unlock()
	// A document of another epoch was replaced while it was on its way here.
	if !same || k.Meta == j.written {
		return nil
	}
	d, err := newDocument(k.Meta, k.Fields, since, private)
	if err != nil {
		return err
	}
	crash.Point("file checkpoint")
	if err := j.writeDocument(j.document, d); err != nil {
		return err
	}
	j.written = k.Meta
	return nil
}

// close ends the writing of the log.
func (j *journal) close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.tail == nil {
		return nil
	}
	err := j.tail.Close()
	j.tail = nil
	j.broken = errors.Join(state.ErrUnavailable, err)
	return err
}
