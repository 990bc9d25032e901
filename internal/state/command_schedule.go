package state

import "time"

// Older clients send "disabled until" as two commands, a disable and a schedule. They belong together when the second
// follows within pairWithin, with the same actor and reason, and begins at most pairAhead later.
const (
	pairWithin = 10 * time.Second
	pairAhead  = 5 * time.Minute
)

// schedule adds a window of maintenance; or makes a disable that came just before a timed one.
func (w *deed) schedule() error {
	switch {
	case w.cmd.Start.IsZero():
		return Invalid("start", "a schedule needs a start")
	case w.cmd.End.IsZero():
		return Invalid("end", "a schedule needs an end")
	}
	if err := checkSpan(w.cmd.Start, w.cmd.End, w.by.At); err != nil {
		return err
	}
	again, paired := w.paired()
	soon := !w.cmd.Start.After(w.by.At.Add(pairAhead))
	switch latest, first := w.cmd.Latest, w.pairs(w.route.Standing); {
	case soon && (first || paired) && !latest.IsZero() && w.cmd.End.After(latest):
		return Invalid("end", "with the disable before it this is one block until %s, and here it may last until %s at the most: give it an end by then",
			w.cmd.End.Format(time.RFC3339), latest.Format(time.RFC3339))
	case soon && first:
		return w.pair()
	case soon && paired && again.Assumed:
		return w.pairAssumed(again)
	case soon && paired:
		return w.restate(again, "", ActionDisable)
	default:
		return w.addTimed(EffectMaintenance, ActionSchedule)
	}
}

// pairs reports whether a standing block is the first half of the pair that this schedule completes.
func (w *deed) pairs(b *Block) bool {
	return b != nil && b.Effect == EffectDisabled && b.By == w.by.Actor && b.Reason == w.cmd.Reason && w.justNow(b.At)
}

func (w *deed) justNow(t time.Time) bool {
	age := w.by.At.Sub(t)
	return age >= 0 && age <= pairWithin
}

// pair turns the standing disable into one that ends: it began when the disable did, and what was there before that is
// there again.
func (w *deed) pair() error {
	b := w.route.Standing
	is := Window{
		Target: Target{Key: w.key}, Start: b.At, End: w.cmd.End, Effect: EffectDisabled, Reason: b.Reason,
		Origin: OriginUntil, Except: b.Except, Made: w.by.At, By: w.by.Actor, At: w.by.At,
	}
	w.route.Standing = b.Before
	w.action, w.until = ActionDisable, is.End
	if same, ok := w.sameWindow(&is); ok {
		same.Reason, same.By, same.At = is.Reason, is.By, is.At
		is = same
	} else {
		is.ID = w.newID()
	}
	w.out.WindowID, w.out.OpenInside = is.ID, w.openInside(is.Except)
	return w.put.SetWindow(is)
}

// pairAssumed gives a disable the end that its second half names: until then it had the one of policy.
func (w *deed) pairAssumed(is Window) error {
	is.End, is.Assumed, is.At = w.cmd.End, false, w.by.At
	w.action, w.until = ActionDisable, is.End
	w.out.WindowID, w.out.OpenInside = is.ID, w.openInside(is.Except)
	return w.put.SetWindow(is)
}

// paired finds the timed disable that this very schedule made before, when it was sent twice; or the one of which it is
// the second half, where policy had to end the first.
func (w *deed) paired() (Window, bool) {
	for is := range w.doc.WindowsOn(Target{Key: w.key}) {
		if is.Origin == OriginUntil && is.Effect == EffectDisabled && (is.Assumed || is.End.Equal(w.cmd.End)) &&
			is.By == w.by.Actor && is.Reason == w.cmd.Reason && w.justNow(is.At) {
			return is, true
		}
	}
	return Window{}, false
}

// settled is the block without the memory of what it replaced, once no schedule can ask for that any more.
func (b *Block) settled(now time.Time) *Block {
	if b == nil || b.Before == nil || now.Sub(b.At) <= pairWithin {
		return b
	}
	is := *b
	is.Before = nil
	return &is
}

// cancel ends the windows of the key, pending and running, and never an until.
func (w *deed) cancel() error {
	for is := range w.doc.WindowsOn(Target{Key: w.key}) {
		if is.Origin == OriginWindow && !is.Over(w.by.At) {
			w.put.DropWindow(is.ID)
			w.action = ActionScheduleCancel
		}
	}
	return nil
}
