package state

import (
	"fmt"
	"hash/maphash"
	"maps"
	"strings"
)

// Snapshot is a document compiled for deciding. It is immutable and safe for any number of readers.
type Snapshot struct {
	doc      *Document
	index    index
	global   *shutter            // nil when it never shuts anything
	services map[string]*shutter // those that may shut something
	strict   strictness
	idle     Decision // on a request that nothing governs
}

// Compile builds the snapshot of a document as fast as it can.
func Compile(d *Document) (*Snapshot, error) { return compile(d, nil) }

// CompileBeside is [Compile] for a process that answers requests meanwhile: it makes pauses for them, and takes four
// times as long.
func CompileBeside(d *Document) (*Snapshot, error) { return compile(d, &pace{}) }

func compile(d *Document, p *pace) (*Snapshot, error) {
	s := &Snapshot{doc: d, index: newIndex(), strict: strictness{seed: maphash.MakeSeed()}, idle: idleAt(d)}
	c := compilation{edit: new(edit), Snapshot: s, pace: p}
	for k := range d.routes.all() {
		c.refreshKey(k)
	}
	for t := range d.on.all() {
		if t.Key.Path != "" {
			c.refreshKey(t.Key)
		}
	}
	c.refreshSwitch(Target{Global: true})
	for name := range d.switchNames() {
		c.refreshSwitch(Target{Service: name})
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
	p, err := f.patch()
	if err != nil {
		return nil, err
	}
	doc, err := s.doc.With(p, Meta{Epoch: f.Epoch, Gen: s.doc.Gen, Rev: f.Rev, Head: f.Head})
	if err != nil {
		return nil, err
	}
	return s.patched(doc, p), nil
}

// patched is the snapshot of doc, which is the snapshot's document after a patch.
func (s *Snapshot) patched(doc *Document, p Patch) *Snapshot {
	next := *s
	next.doc, next.idle = doc, idleAt(doc)
	c := compilation{edit: new(edit), Snapshot: &next, pace: &pace{}}
	for t := range affected(s.doc, doc, p) {
		if t.Key.Path != "" {
			c.refreshKey(t.Key)
		} else {
			c.refreshSwitch(t)
		}
	}
	return &next
}

// affected are the targets that a patch between two documents is about.
func affected(was, is *Document, p Patch) map[Target]struct{} {
	all := make(map[Target]struct{}, len(p))
	for field := range p {
		switch {
		case field == fieldGlobal:
			all[Target{Global: true}] = struct{}{}
		case strings.HasPrefix(field, fieldService):
			all[Target{Service: field[len(fieldService):]}] = struct{}{}
		case strings.HasPrefix(field, fieldRoute):
			// With has read the field before, so it is a key.
			k, _, _ := ParseKey(field[len(fieldRoute):])
			all[Target{Key: k}] = struct{}{}
		case strings.HasPrefix(field, fieldWindow):
			for _, d := range [...]*Document{was, is} {
				if w, ok := d.Window(field[len(fieldWindow):]); ok {
					all[w.Target] = struct{}{}
				}
			}
		}
	}
	return all
}

// compilation is a snapshot in the making.
type compilation struct {
	*edit
	*Snapshot
	ownServices bool // the map is no other snapshot's
	pace        *pace
}

// refreshKey compiles what the document says about a key now.
func (c *compilation) refreshKey(k Key) {
	c.pace.step()
	is := c.doc.ruleOf(k)
	if is == nil && c.index.empty() {
		return
	}
	folded := foldPath(k.Path)
	was := c.index.get(folded, k)
	if was == nil && is == nil {
		return
	}
	c.index.set(c.edit, folded, k, is)
	c.strict.exchange(c.edit, k.Service, was.refusals(), is.refusals())
}

// refreshSwitch compiles what the document says about a switch now.
func (c *compilation) refreshSwitch(t Target) {
	if t.Global {
		was, is := c.global, c.doc.shutterOf(t, c.doc.Global())
		c.global = is
		c.strict.exchange(c.edit, "", was.refusals(), is.refusals())
		return
	}
	was, is := c.services[t.Service], c.doc.shutterOf(t, c.doc.Service(t.Service))
	if was == nil && is == nil {
		return
	}
	if !c.ownServices {
		c.ownServices = true
		c.services = maps.Clone(c.services)
	}
	switch {
	case is == nil:
		delete(c.services, t.Service)
	case c.services == nil:
		c.services = map[string]*shutter{t.Service: is}
	default:
		c.services[t.Service] = is
	}
	c.strict.exchange(c.edit, t.Service, was.refusals(), is.refusals())
}

func idleAt(d *Document) Decision {
	return Decision{Status: Active, Revision: d.Rev, Epoch: d.Epoch}
}

// Document is what the snapshot was compiled from.
func (s *Snapshot) Document() *Document { return s.doc }
