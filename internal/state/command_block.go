package state

import (
	"slices"
	"time"
)

// block carries out disable and maintenance: without a start and an end a standing block, otherwise a timed one.
func (w *deed) block(effect Effect) error {
	if w.cmd.Start.IsZero() && w.cmd.End.IsZero() {
		w.stand(effect)
		return nil
	}
	if err := checkSpan(w.cmd.Start, w.cmd.End, w.by.At); err != nil {
		return err
	}
	action := ActionMaintenanceOn
	switch {
	case w.cmd.Start.After(w.by.At):
		action = ActionSchedule
	case effect == EffectDisabled:
		action = ActionDisable
	}
	return w.addTimed(effect, action)
}

// checkSpan refuses a span of time that is inverted or over.
func checkSpan(start, end, now time.Time) error {
	switch {
	case end.IsZero():
		return nil
	case !start.IsZero() && !end.After(start):
		return Invalid("end", "the end %s is not after the start %s", end.Format(time.RFC3339), start.Format(time.RFC3339))
	case !end.After(now):
		return Invalid("end", "the end %s is not in the future: it is %s", end.Format(time.RFC3339), now.Format(time.RFC3339))
	default:
		return nil
	}
}

// stand sets the standing part. One that is there is replaced with its exceptions: what was opened inside shuts again.
// The exceptions that the block was set with stay, and none is added: what is known now may have been shut by it.
func (w *deed) stand(effect Effect) {
	old := w.route.Standing
	is := &Block{Effect: effect, Reason: w.cmd.Reason, By: w.by.Actor, At: w.by.At}
	if old == nil {
		is.Except = w.knownInside()
	} else {
		is.Except = less(old.Except, old.Opened)
	}
	w.out.OpenInside = w.openInside(is.Except)
	if old != nil && old.Effect == effect && old.Reason == is.Reason && len(old.Opened) == 0 {
		return
	}
	if effect == EffectDisabled && old != nil {
		before := *old
		before.Before = nil
		is.Before = &before
	}
	w.out.Reclosed = w.reclosed(is.Except)
	w.route.Standing = is
	w.action = ActionMaintenanceOn
	if effect == EffectDisabled {
		w.action = ActionDisable
	}
}

// reclosed are the keys that every running block of the key left alone, and that except does not.
func (w *deed) reclosed(except []Key) []string {
	var open []Key
	first := true
	for p := range w.doc.restraintsOn(&w.route, w.by.At) {
		if p.status == EnvGated {
			continue
		}
		if first {
			open, first = slices.Clone(p.except), false
			continue
		}
		open = slices.DeleteFunc(open, func(k Key) bool { return !liftedBy(p.except, k, k) })
	}
	return w.doc.shownAll(slices.DeleteFunc(open, func(k Key) bool { return liftedBy(except, k, k) }))
}

// addTimed adds a timed part, or finds the one that says the same.
func (w *deed) addTimed(effect Effect, action Action) error {
	is := Window{
		Target: Target{Key: w.key}, Start: w.cmd.Start, End: w.cmd.End, Effect: effect, Reason: w.cmd.Reason,
		Origin: OriginWindow, Assumed: w.cmd.Assumed, Made: w.by.At, By: w.by.Actor, At: w.by.At,
	}
	if is.Start.IsZero() {
		is.Start, is.Origin = w.by.At, OriginUntil
	}
	if same, ok := w.sameWindow(&is); ok {
		return w.restate(same, "", action)
	}
	return w.begin(is, action)
}

// begin adds a window that is not there yet.
func (w *deed) begin(is Window, action Action) error {
	is.ID = w.newID()
	is.Except = append(w.knownInside(), is.Except...)
	w.out.WindowID, w.out.OpenInside = is.ID, w.openInside(is.Except)
	if _, ok := is.Running(w.by.At); ok {
		w.out.Reclosed = w.reclosed(is.Except)
	}
	w.action, w.until = action, is.End
	return w.put.SetWindow(is)
}

// restate answers for a window that is there already: only its reason and its ticket can change.
func (w *deed) restate(same Window, ticket string, action Action) error {
	w.out.WindowID, w.out.OpenInside = same.ID, w.openInside(same.exceptNow(w.by.At))
	if !same.retitle(w.cmd.Reason, ticket, w.by) {
		return nil
	}
	w.action, w.until = action, same.End
	return w.put.SetWindow(same)
}

// less is keys less those in gone.
func less(keys, gone []Key) []Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return slices.Contains(gone, k) })
}
