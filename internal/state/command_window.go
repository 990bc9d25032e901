package state

import (
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
// step: a rule counts from when it was given. One that is over blocks no more, and is none that another could be.
func (x *execution) sameWindow(is *Window) (Window, bool) {
	for w := range x.doc.WindowsOn(is.Target) {
		if w.Effect != is.Effect || w.Origin != is.Origin || !w.End.Equal(is.End) || (w.Recurs == nil) != (is.Recurs == nil) ||
			w.Over(x.by.At) {
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
		if err := same.leavesAlone(&is); err != nil {
			return err
		}
		return w.restate(same, is.Ticket, action)
	}
	return w.begin(is, action)
}

// leavesAlone refuses to take a window that is there for one that leaves other requests alone.
func (w *Window) leavesAlone(is *Window) error {
	for _, k := range is.Except {
		if !slices.Contains(w.Except, k) {
			return Invalid("except", "window %s is the same but for its exceptions (%s is none of them): cancel it first, or enable %s while it runs",
				w.ID, k, k)
		}
	}
	if w.IncludeProtected != is.IncludeProtected {
		return Invalid("include_force_active", "window %s is the same, but for whether protected routes are included: cancel it first", w.ID)
	}
	return nil
}

// retitle gives the window another reason and, where one is said, another ticket; false where it has them.
func (w *Window) retitle(reason, ticket string, by Author) bool {
	if ticket == "" {
		ticket = w.Ticket
	}
	if w.Reason == reason && w.Ticket == ticket {
		return false
	}
	w.Reason, w.Ticket, w.By, w.At = reason, ticket, by.Actor, by.At
	return true
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
		if err := same.leavesAlone(&is); err != nil {
			return err
		}
		if !same.retitle(is.Reason, is.Ticket, t.by) {
			action = ""
		}
		is = same
	} else {
		is.ID = t.newID()
	}
	t.out.WindowID = is.ID
	t.out.OpenInside = t.openInside(t.doc.shownAll(is.exceptNow(t.by.At)), is.IncludeProtected)
	if action == "" {
		return nil
	}
	t.action, t.until = action, is.End
	return t.put.SetWindow(is)
}
