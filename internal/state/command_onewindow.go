package state

import (
	"fmt"
	"slices"
	"time"
)

// windowDeed is a command on one window, found by its id.
type windowDeed struct {
	cmd *Command
	is  Window
	now time.Time
	put Patch
	// what was done, and the end that it set
	action Action
	until  time.Time
}

// commandWindow carries out a command on one window.
func (x *execution) commandWindow(cmd *Command) (Outcome, error) {
	is, ok := x.doc.Window(cmd.WindowID)
	if !ok || is.Over(x.by.At) {
		return Outcome{}, fmt.Errorf("window %q: %w", cmd.WindowID, ErrNotFound)
	}
	if is.Target.Key.Path != "" {
		if err := x.refuseProtected(is.Target.Key, x.doc.shown(is.Target.Key)); err != nil {
			return Outcome{}, err
		}
	}
	w := &windowDeed{cmd: cmd, is: is, now: x.by.At, put: Patch{}}
	w.is.By, w.is.At = x.by.Actor, x.by.At
	if err := w.apply(); err != nil {
		return Outcome{}, err
	}
	if is.Target.Key.Path == "" {
		t := &turning{execution: x, cmd: cmd, target: is.Target, is: x.doc.switchAt(is.Target), put: w.put, action: w.action, until: w.until}
		t.out = Outcome{Target: is.Target, Shown: is.Target.String(), Known: true, WindowID: is.ID}
		_, on := x.doc.switchOn(t.target, x.by.At)
		if w.action == "" {
			return t.out, nil
		}
		err := t.finish(on)
		return t.out, err
	}
	d := x.deedOn(cmd, is.Target.Key, "")
	d.put, d.action, d.until = w.put, w.action, w.until
	d.out.Known, d.out.WindowID = true, is.ID
	if err := d.finish(x.doc.status(d.key, x.by.At)); err != nil {
		return Outcome{}, err
	}
	over := d.doc.unprotectedOver(d.key)
	d.out.Next = d.doc.nextOver(over, d.key, x.by.At)
	if cmd.Verb != VerbChangeWindow { // who moves an end meant to open nothing
		d.out.Still = d.doc.stillOver(over, d.key, x.by.At)
	}
	return d.out, nil
}

func (w *windowDeed) apply() error {
	switch {
	case w.cmd.Verb == VerbChangeWindow:
		return w.change()
	case w.cmd.Verb == VerbEndWindow:
		return w.end()
	case !w.cmd.Occurrence.IsZero():
		return w.cancelOccurrence()
	default:
		return w.cancel()
	}
}

// end ends what runs of the window. An until ends with it, and so does a window that does not recur.
func (w *windowDeed) end() error {
	if _, ok := w.is.Running(w.now); !ok {
		return Invalid("window", "window %s does not run now: cancel it", w.is.ID)
	}
	w.action = w.is.Target.closing(w.is.Effect)
	return w.put.endOccurrence(w.is, w.now)
}

// cancel takes the window away, pending or running; an until has no start to cancel.
func (w *windowDeed) cancel() error {
	if w.is.Origin != OriginWindow {
		return Invalid("window", "%s has no start to cancel: end it, or enable %s", w.is.ID, w.is.Target)
	}
	w.action = ActionScheduleCancel
	w.put.DropWindow(w.is.ID)
	return nil
}

// cancelOccurrence takes one occurrence away. One that is not expanded yet is remembered for when it would be.
func (w *windowDeed) cancelOccurrence() error {
	at := w.cmd.Occurrence
	if w.is.Recurs == nil {
		if !w.is.Start.Equal(at) {
			return w.noOccurrence(at)
		}
		return w.cancel()
	}
	w.action = ActionScheduleCancel
	i := slices.IndexFunc(w.is.Occurrences, func(o Occurrence) bool { return o.Start.Equal(at) && o.End.After(w.now) })
	switch {
	case i >= 0:
		return w.put.leaveOccurrences(w.is, func(o *Occurrence) bool { return !o.Start.Equal(at) })
	case w.is.Finished || at.Before(w.is.Through):
		return w.noOccurrence(at)
	case slices.ContainsFunc(w.is.Skipped, at.Equal):
		w.action = ""
		return nil
	}
	w.is.Skipped = append(slices.Clone(w.is.Skipped), at)
	return w.put.SetWindow(w.is)
}

func (w *windowDeed) noOccurrence(at time.Time) error {
	return fmt.Errorf("window %s has no occurrence that starts at %s: %w", w.is.ID, at.Format(time.RFC3339), ErrNotFound)
}

// change gives the window, or one of its occurrences, another span, and the window another reason or ticket.
func (w *windowDeed) change() error {
	was := w.is
	if r := w.cmd.Amend.Reason; r != nil {
		w.is.Reason = *r
		w.cmd.Reason = *r
	}
	if t := w.cmd.Amend.Ticket; t != nil {
		if hasControl(*t) {
			return Invalid("ticket", "%q cannot be a link: it holds control characters", *t)
		}
		w.is.Ticket = *t
	}
	moved, err := w.move()
	if err != nil {
		return err
	}
	if !moved && was.Reason == w.is.Reason && was.Ticket == w.is.Ticket {
		return nil
	}
	w.action = ActionScheduleChange
	return w.put.SetWindow(w.is)
}

// move gives an occurrence the start and the end that are asked for.
func (w *windowDeed) move() (bool, error) {
	if w.cmd.Start.IsZero() && w.cmd.End.IsZero() && w.cmd.Amend.By == 0 {
		return false, nil
	}
	if w.is.Recurs == nil {
		if at := w.cmd.Occurrence; !at.IsZero() && !at.Equal(w.is.Start) {
			return false, w.noOccurrence(at)
		}
		return w.moveTo(&w.is.Start, &w.is.End)
	}
	if !w.cmd.Start.IsZero() {
		return false, Invalid("start", "an occurrence of a window that recurs keeps its start: cancel it and add a window")
	}
	at := w.cmd.Occurrence
	if at.IsZero() {
		o, ok := w.is.current(w.now)
		if !ok {
			return false, w.noOccurrence(w.now)
		}
		at = o.Start
	}
	moved, found := false, false
	var err error
	w.is.changeOccurrences(func(o *Occurrence) bool {
		if o.Start.Equal(at) && o.End.After(w.now) {
			found = true
			moved, err = w.moveTo(&o.Start, &o.End)
		}
		return true
	})
	switch {
	case !found && !w.is.Finished && !at.Before(w.is.Through):
		return false, Invalid("occurrence", "the occurrences of window %s are known up to %s and not as far as %s: cancel that one, and add a window in its place",
			w.is.ID, w.is.Through.Format(time.RFC3339), at.Format(time.RFC3339))
	case !found:
		return false, w.noOccurrence(at)
	}
	return moved, err
}

func (w *windowDeed) moveTo(start, end *time.Time) (bool, error) {
	from, to := *start, *end
	if s := w.cmd.Start; !s.IsZero() {
		switch {
		case s.Equal(from):
		case !from.After(w.now):
			return false, Invalid("start", "window %s began at %s: only its end can be changed", w.is.ID, from.Format(time.RFC3339))
		case !s.After(w.now):
			return false, Invalid("start", "the start %s is not in the future: it is %s", s.Format(time.RFC3339), w.now.Format(time.RFC3339))
		}
		from = s
	}
	switch by, e := w.cmd.Amend.By, w.cmd.End; {
	case by != 0 && to.IsZero():
		return false, Invalid("by", "window %s has no end that could be moved: give it one", w.is.ID)
	case by != 0 && !e.IsZero():
		return false, Invalid("by", "an end is set, or moved by some time: say one of them")
	case by != 0:
		to = to.Add(by)
	case !e.IsZero():
		to = e
	}
	if err := checkSpan(from, to, w.now); err != nil {
		return false, err
	}
	moved := !from.Equal(*start) || !to.Equal(*end)
	*start, *end, w.until = from, to, to
	return moved, nil
}
