package state

import (
	"fmt"
	"maps"
	"time"
)

// Execute applies commands, each to the document as the ones before left it, and gives one Change for all of them: it
// is all or nothing. When nothing at all changed, the Change has neither a patch nor records and there is nothing to
// commit. The errors are *InvalidError, *AmbiguousError, ErrProtected, ErrInForce, ErrUnknownKey and ErrNotFound.
func Execute(d *Document, by Author, cmds ...Command) (Change, []Outcome, error) {
	by.At = canonicalTime(by.At)
	x := execution{doc: d, by: by, patch: Patch{}}
	outcomes := make([]Outcome, 0, len(cmds))
	kind := KindRegister
	for i := range cmds {
		out, err := x.carryOut(cmds[i])
		if err != nil {
			return Change{}, nil, x.blame(err, i, cmds)
		}
		if out.Changed && cmds[i].Verb != VerbRegister {
			kind = KindChange
		}
		outcomes = append(outcomes, out)
	}
	if len(x.records) == 0 {
		return Change{}, outcomes, nil
	}
	was, err := d.Was(x.patch)
	if err != nil {
		return Change{}, nil, err
	}
	return Change{Entry: Entry{
		Kind: kind, At: by.At, Actor: by.Actor, Platform: by.Platform, Records: x.records, Patch: x.patch, Was: was,
	}}, outcomes, nil
}

// execution carries out commands one after the other.
type execution struct {
	doc     *Document // as the commands so far left it
	by      Author
	patch   Patch // what they changed of the first one
	records []Record
	made    int // windows
}

// blame says which of several commands was refused.
func (x *execution) blame(err error, i int, cmds []Command) error {
	if len(cmds) == 1 {
		return err
	}
	return fmt.Errorf("change %d of %d (%s %s): %w", i+1, len(cmds), cmds[i].Verb, cmds[i].Target, err)
}

func (x *execution) carryOut(cmd Command) (Outcome, error) {
	cmd.Start, cmd.End, cmd.Sunset = canonicalTime(cmd.Start), canonicalTime(cmd.End), canonicalTime(cmd.Sunset)
	cmd.Occurrence = canonicalTime(cmd.Occurrence)
	switch cmd.Verb {
	case VerbChangeWindow, VerbEndWindow, VerbCancelWindow:
		return x.commandWindow(&cmd)
	}
	switch t := cmd.Target; {
	case t.Global, t.Service != "":
		return x.turn(&cmd)
	case t.Key.Path == "":
		return Outcome{}, Invalid("path", "a command names a route key or a switch")
	case cmd.Verb == VerbRegister, cmd.Verb == VerbAdopt, cmd.Verb == VerbImport:
		return x.declare(&cmd)
	default:
		return x.commandRoute(&cmd)
	}
}

// commit makes a patch part of the change and of the document that the next command sees.
func (x *execution) commit(p Patch, r Record) error {
	if err := p.BeginAnnouncing(x.doc, x.by.At); err != nil {
		return err
	}
	next, err := x.doc.With(p, x.doc.Meta)
	if err != nil {
		return err
	}
	x.doc = next
	maps.Copy(x.patch, p)
	x.records = append(x.records, r)
	return nil
}

// newID names a window that no revision before this one can have named.
func (x *execution) newID() string {
	x.made++
	if x.by.NewID != nil {
		return x.by.NewID()
	}
	return fmt.Sprintf("%d-%d", x.doc.Rev+1, x.made)
}

// sweepAfter is how long a window that is over is kept, for people to look at.
const sweepAfter = time.Hour

// sweep takes the windows of a target out of the document that are over for good, and whose end was announced. They are
// in force no more, so nothing but the size of the document depends on it.
func (x *execution) sweep(t Target, p Patch) {
	for w := range x.doc.WindowsOn(t) {
		if _, put := p[fieldWindow+w.ID]; !put && x.doc.spent(&w, x.by.At) {
			p.DropWindow(w.ID)
		}
	}
}

// canonicalTime is t as it comes back from JSON: in UTC and without a reading of the monotonic clock.
func canonicalTime(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Round(0)
}
