package state

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// opening is what a block that begins does to a target, and closing what its end does.
func (t Target) opening(e Effect) Action {
	switch {
	case t.Global:
		return ActionGlobalOn
	case t.Service != "":
		return ActionServiceOn
	case e.Status() == Disabled:
		return ActionDisable
	default:
		return ActionMaintenanceOn
	}
}

func (t Target) closing(e Effect) Action {
	switch {
	case t.Global:
		return ActionGlobalOff
	case t.Service != "":
		return ActionServiceOff
	case e.Status() == Disabled:
		return ActionEnable
	default:
		return ActionMaintenanceOff
	}
}

// planned is the window that an add_window asks for.
func (x *execution) planned(cmd *Command, t Target) (Window, error) {
	if cmd.Window == nil {
		return Window{}, Invalid("window", "add_window needs a window")
	}
	is := *cmd.Window
	is.ID, is.Target, is.Origin, is.Reason = "", t, OriginWindow, cmd.Reason
	is.Start, is.End, is.Through = canonicalTime(is.Start), canonicalTime(is.End), canonicalTime(is.Through)
	is.Made, is.By, is.At = x.by.At, x.by.Actor, x.by.At
	if is.Effect == "" {
		is.Effect = EffectMaintenance
	}
	switch {
	case !is.Effect.valid():
		return Window{}, Invalid("effect", "%q is no effect: one of maintenance, disabled, read_only, gone", is.Effect)
	case !is.Effect.shuts(t.Key.Method):
		return Window{}, Invalid("effect", "a %s request changes nothing: read_only would refuse none", t.Key.Method)
	case is.IncludeProtected && t.Key.Path != "":
		return Window{}, Invalid("include_force_active", "only a window of a service or of everything holds for protected routes")
	case hasControl(is.Ticket):
		return Window{}, Invalid("ticket", "%q cannot be a link: it holds control characters", is.Ticket)
	}
	if is.Recurs != nil {
		return is, is.plan(x.by.At)
	}
	if is.Start.IsZero() {
		is.Start = x.by.At
	}
	return is, checkSpan(is.Start, is.End, x.by.At)
}

// plan leaves out the occurrences of a new recurring window that are over.
func (w *Window) plan(now time.Time) error {
	w.changeOccurrences(func(o *Occurrence) bool {
		o.Start, o.End = canonicalTime(o.Start), canonicalTime(o.End)
		return o.End.After(now) && o.End.After(o.Start)
	})
	if len(w.Occurrences) == 0 {
		return Invalid("recurrence", "%s has no occurrence that is still to come", w.Recurs.Rule)
	}
	if !slices.IsSortedFunc(w.Occurrences, func(a, b Occurrence) int { return a.Start.Compare(b.Start) }) {
		return Invalid("recurrence", "the occurrences are not in rising order")
	}
	w.Start, w.End = w.Occurrences[0].Start, time.Time{}
	return nil
}

// sameWindow finds the window of the target that has the same start, end, recurrence and effect. Of an until nobody
// sent a start: it is the same while it runs. Windows that recur are the same where their rules are and they are in
// step: a rule counts from when it was given.
func (x *execution) sameWindow(is *Window) (Window, bool) {
	for w := range x.doc.WindowsOn(is.Target) {
		if w.Effect != is.Effect || w.Origin != is.Origin || !w.End.Equal(is.End) || (w.Recurs == nil) != (is.Recurs == nil) {
			continue
		}
		if w.Recurs != nil {
			if w.sameSeries(is, x.by.At) {
				return w, true
			}
			continue
		}
		if w.Start.Equal(is.Start) || w.Origin == OriginUntil && !w.Start.After(is.Start) {
			return w, true
		}
	}
	return Window{}, false
}

func (w *Window) sameSeries(is *Window, now time.Time) bool {
	a, b := *w.Recurs, *is.Recurs
	if a == b && w.Zone == is.Zone {
		return true
	}
	counted := strings.Contains(a.Rule, "COUNT=")
	a.First, b.First = "", ""
	if a != b || w.Zone != is.Zone || counted {
		return false
	}
	next, ok := w.upcoming(now)
	other, too := is.upcoming(now)
	return ok && too && next.Start.Equal(other.Start)
}

// addWindow adds a window to the key.
func (w *deed) addWindow() error {
	is, err := w.planned(w.cmd, Target{Key: w.key})
	if err != nil {
		return err
	}
	action := ActionSchedule
	if _, ok := is.Running(w.by.At); ok {
		action = is.Target.opening(is.Effect)
	}
	if is.Effect == EffectReadOnly {
		w.note = "read-only: requests by GET, HEAD and OPTIONS pass"
	}
	if same, ok := w.sameWindow(&is); ok {
		if err := sameExceptions(&same, is.Except); err != nil {
			return err
		}
		return w.restate(same, action)
	}
	return w.begin(is, action)
}

// sameExceptions refuses to take a window for one that is there and does not leave alone what it should.
func sameExceptions(have *Window, want []Key) error {
	for _, k := range want {
		if !slices.Contains(have.Except, k) {
			return Invalid("except", "window %s is the same but for its exceptions (%s is none of them): cancel it first, or enable %s while it runs",
				have.ID, k, k)
		}
	}
	return nil
}

// addWindow adds a window to the switch. It has exemptions of its own: those of an enable do not lift it.
func (t *turning) addWindow() error {
	is, err := t.planned(t.cmd, t.target)
	if err != nil {
		return err
	}
	action := ActionSchedule
	if _, ok := is.Running(t.by.At); ok {
		action, _ = t.onOff()
	}
	if same, ok := t.sameWindow(&is); ok {
		t.out.WindowID = same.ID
		if err := sameExceptions(&same, is.Except); err != nil || same.Reason == is.Reason {
			return err
		}
		same.Reason, same.By, same.At = is.Reason, is.By, is.At
		is = same
	} else {
		is.ID = t.newID()
		t.out.WindowID = is.ID
	}
	for _, k := range is.Except {
		t.out.OpenInside = append(t.out.OpenInside, t.doc.shown(k))
	}
	t.action, t.until = action, is.End
	return t.put.SetWindow(is)
}

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
	d.out.Still, d.out.Next = d.doc.stillOver(over, d.key, x.by.At), d.doc.nextOver(over, d.key, x.by.At)
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
		return w.moveTo(&w.is.Start, &w.is.End)
	}
	if !w.cmd.Start.IsZero() {
		return false, Invalid("start", "an occurrence of a window that recurs keeps its start: cancel it and add a window")
	}
	at := w.cmd.Occurrence
	if at.IsZero() {
		o, ok := w.is.Running(w.now)
		if !ok {
			o, ok = w.is.upcoming(w.now)
		}
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
