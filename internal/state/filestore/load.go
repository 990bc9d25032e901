package filestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// keepFrames is how many frames stay in memory; older ones are read from the log.
const keepFrames = 4096

// idempotent is for how long the id of a change counts.
const idempotent = 24 * time.Hour

// loader reads the files of a store at its start and brings them to where they agree.
type loader struct {
	paths
	// doc is the document file, or the seed the log begins with where that is gone.
	doc     *document
	rebuilt bool
	// edit is what somebody changed in the document file, as a patch.
	edit     state.Patch
	segments []*segment
	torn     int64
	// private is the revision that last changed the private part.
	private uint64
	kept    memstore.Kept
}

// load reads everything. Where there is nothing, kept stays empty.
func (l *loader) load() error {
	if err := l.sweep(); err != nil {
		return err
	}
	if err := l.readDocument(); err != nil || l.doc == nil {
		return err
	}
	if err := l.listLog(); err != nil {
		return err
	}
	if err := l.replay(); err != nil {
		return err
	}
	private, err := l.readPrivate(l.doc.Gen, l.private)
	if err != nil {
		return err
	}
	l.kept.Private = private
	return nil
}

// readDocument reads the document file, or in its absence the newest seed. Doc stays nil where there is neither.
func (l *loader) readDocument() error {
	seeds, err := filepath.Glob(filepath.Join(globQuote(l.log), "*.seed.json"))
	if err != nil {
		return fmt.Errorf("list the log: %w", err)
	}
	slices.Sort(seeds)
	l.doc, err = readDocument(l.document)
	if errors.Is(err, fs.ErrNotExist) {
		l.doc, err = nil, nil
		if len(seeds) > 0 {
			l.rebuilt = true
			l.doc, err = readDocument(seeds[len(seeds)-1])
		}
	}
	if err != nil || l.doc == nil {
		return err
	}
	// A seed of a later generation is one whose document file was never written: it never counted.
	for _, path := range seeds {
		if path > l.seed(l.doc.Gen) {
			if err := l.dropSeed(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropSeed removes a seed of a later generation than the document's, unless there are commits on it.
func (l *loader) dropSeed(path string) error {
	seed, err := readDocument(path)
	if err != nil {
		return err
	}
	later, err := segmentsOf(l.log, seed.Gen)
	if err != nil {
		return err
	}
	if len(later) > 0 {
		return fmt.Errorf("%s is of generation %d and the log has gone on to %d, was it restored from a backup? "+
			"remove it and it is written anew from the log: %w", l.document, l.doc.Gen, seed.Gen, state.ErrDamaged)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove what was not committed: %w", err)
	}
	return nil
}

// listLog finds the segments of the document's generation.
func (l *loader) listLog() error {
	segments, err := segmentsOf(l.log, l.doc.Gen)
	if err != nil {
		return err
	}
	l.segments = segments
	return l.dropTrimmed()
}

// replay reads the whole log, checks it, and applies what the document lacks.
func (l *loader) replay() error {
	edited, err := l.doc.edited()
	if err != nil {
		return err
	}
	from := l.doc
	if edited {
		// What the document was before somebody edited it only the log knows.
		if from, err = readDocument(l.seed(l.doc.Gen)); err != nil {
			return fmt.Errorf("%s was edited, and what it was before cannot be told: %w", l.document, err)
		}
	}
	p := replay{loader: l, from: from, fields: maps.Clone(from.fields()), cutoff: time.Now().Add(-idempotent).UnixMilli()}
	at, err := l.base()
	if err != nil {
		return err
	}
	p.here(at.Rev, at.Head)
	l.private = from.Private
	for i, s := range l.segments {
		p.last = i == len(l.segments)-1
		if l.torn, err = s.scan(p.last, p.take); err != nil {
			return err
		}
		if s.base != at {
			return fmt.Errorf("the log has a gap after revision %d, before %s: restore the segment that is missing: %w",
				at.Rev, s.path, state.ErrDamaged)
		}
		at = s.last
	}
	switch {
	case !p.met:
		return fmt.Errorf("%s is at revision %d and its log ends at %d: the end of the log is lost, restore it from a backup: %w",
			l.document, l.doc.Rev, at.Rev, state.ErrDamaged)
	case !p.same:
		return fmt.Errorf("%s and its log are not of one history (revision %d differs): restore both from one backup, "+
			"or remove the document: it is written anew from the log: %w", l.document, l.doc.Rev, state.ErrDamaged)
	}
	l.kept.Meta, l.kept.Fields = at, p.fields
	if edited {
		return l.compare(p.before)
	}
	return nil
}

// base is the place that the log begins after.
func (l *loader) base() (state.Meta, error) {
	at := state.Meta{Epoch: l.doc.Epoch, Gen: l.doc.Gen, Rev: l.doc.Since, Head: l.doc.Head}
	if len(l.segments) == 0 {
		return at, nil
	}
	base, err := l.segments[0].readBase()
	if err == nil && base.Epoch != at.Epoch {
		err = fmt.Errorf("%s names the epoch %s and its log is of %s: restore both from one backup, "+
			"or remove the document: it is written anew from the log: %w", l.document, at.Epoch, base.Epoch, state.ErrDamaged)
	}
	at.Head = base.Head
	return at, err
}

// replay is one reading of the log.
type replay struct {
	*loader
	from   *document
	fields state.Patch
	cutoff int64
	// last says that this is the last segment.
	last bool
	// met says that the document's revision came by, same that its head is the document's, and before are the fields
	// at that point.
	met, same bool
	before    state.Patch
}

// here notes that the log is at a revision.
func (p *replay) here(rev uint64, head state.Head) {
	if rev != p.doc.Rev {
		return
	}
	p.met, p.same = true, head == p.doc.Head
	if p.from != p.doc {
		p.before = maps.Clone(p.fields)
	}
}

// take takes in one line of the log.
func (p *replay) take(r *record, prev state.Head) error {
	if r.rev > p.from.Rev {
		if err := apply(p.fields, r); err != nil {
			return err
		}
	}
	p.here(r.rev, r.head)
	p.private = r.private
	if p.last {
		if p.kept.Tail = append(p.kept.Tail, r.frame(p.doc.Epoch, prev)); len(p.kept.Tail) >= 2*keepFrames {
			p.kept.Tail = slices.Clone(p.kept.Tail[keepFrames:])
		}
	}
	if r.at < p.cutoff {
		return nil
	}
	id, err := r.name()
	if err != nil || id == "" {
		return err
	}
	made := memstore.Committed{Frame: r.frame(p.doc.Epoch, prev), ID: id, At: time.UnixMilli(r.at)}
	p.kept.Made = append(p.kept.Made, made)
	return nil
}

// apply brings fields to where a line of the log leads.
func apply(fields state.Patch, r *record) error {
	f := state.Frame{Rev: r.rev, Payload: r.entry}
	e, err := f.Entry()
	if err != nil {
		return err
	}
	for field, value := range e.Patch {
		if len(value) == 0 || string(value) == "null" {
			delete(fields, field)
			continue
		}
		fields[field] = value
	}
	return nil
}

// compare finds what somebody changed in the document file since it was written.
func (l *loader) compare(before state.Patch) error {
	now, err := l.doc.normal()
	if err != nil {
		return fmt.Errorf("%s was edited and cannot be used as it is: %w (correct it, or remove it: "+
			"it is written anew from the log): %w", l.document, state.ErrDamaged, err)
	}
	doc, err := state.NewDocument(l.doc.Meta).With(before, l.doc.Meta)
	if err != nil {
		return err
	}
	if before, err = doc.Fields(); err != nil {
		return err
	}
	l.edit = difference(before, now)
	return nil
}

// journal is the journal that goes on from what was read.
func (l *loader) journal(step func(string) error) *journal {
	j := &journal{paths: l.paths, step: step, full: segmentSize}
	if l.doc == nil {
		return j
	}
	j.epoch, j.gen, j.since = l.doc.Epoch, l.doc.Gen, l.doc.Since
	j.privateRev, j.segments = l.private, l.segments
	if !l.rebuilt {
		j.written = l.doc.Meta
	}
	return j
}

// openTail opens the last segment for writing and cuts a torn line off.
func (j *journal) openTail() error {
	if len(j.segments) == 0 {
		return nil
	}
	last := j.segments[len(j.segments)-1]
	tail, err := os.OpenFile(last.path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	if err := errors.Join(tail.Truncate(last.size), tail.Sync()); err != nil {
		return errors.Join(fmt.Errorf("cut the torn line off the log: %w", err), tail.Close())
	}
	j.tail = tail
	return nil
}

// begin commits what was edited by hand and writes the document file if it is behind.
func (s *Store) begin(edit state.Patch) error {
	if len(edit) > 0 {
		kept := s.Kept()
		change := imported(edit)
		change.Was = state.Patch{}
		for field := range edit {
			if change.Was[field] = kept.Fields[field]; len(kept.Fields[field]) == 0 {
				change.Was[field] = json.RawMessage("null")
			}
		}
		if _, err := s.Commit(context.Background(), kept.Meta, change); err != nil {
			return fmt.Errorf("commit what was edited by hand: %w", err)
		}
	}
	return s.save()
}
