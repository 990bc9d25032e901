package state_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// series is a rule that the model can expand by itself: every so often from an instant on, mostly without end.
type series struct {
	first        time.Time
	every, lasts time.Duration
	count        int // 0: for ever
}

const wallTime = "2006-01-02T15:04:05"

func (r series) recurs() *state.Recurrence {
	rule := fmt.Sprintf("RRULE:FREQ=MINUTELY;INTERVAL=%d", int(r.every.Minutes()))
	if r.count > 0 {
		rule += fmt.Sprintf(";COUNT=%d", r.count)
	}
	return &state.Recurrence{Rule: rule, First: r.first.Format(wallTime), For: r.lasts.String()}
}

func seriesOf(l lot, is *state.Recurrence) series {
	var r series
	minutes := 0
	rule, count, counted := strings.Cut(is.Rule, ";COUNT=")
	_, err := fmt.Sscanf(rule, "RRULE:FREQ=MINUTELY;INTERVAL=%d", &minutes)
	require.NoError(l.t, err)
	if counted {
		_, err = fmt.Sscanf(count, "%d", &r.count)
		require.NoError(l.t, err)
	}
	r.every = time.Duration(minutes) * time.Minute
	r.first, err = time.Parse(wallTime, is.First)
	require.NoError(l.t, err)
	r.lasts, err = time.ParseDuration(is.For)
	require.NoError(l.t, err)
	return r
}

// before are all occurrences that start before an instant, and whether there are no others.
func (r series) before(through time.Time) (all []state.Occurrence, finished bool) {
	for i := 0; r.count == 0 || i < r.count; i++ {
		at := r.first.Add(time.Duration(i) * r.every)
		if !at.Before(through) {
			return all, false
		}
		all = append(all, state.Occurrence{Start: at, End: at.Add(r.lasts)})
	}
	return all, true
}

// soon is a moment on the grid, or one between.
func (l lot) soon(now time.Time) time.Time {
	if l.chance(4) {
		return now.Add(draw(l, 0, time.Second, 3*time.Minute))
	}
	return l.moment(now)
}

// addWindow is a new window, or one that is there already, perhaps with other words.
func (l lot) addWindow(doc *state.Document, now time.Time, c state.Command) state.Command {
	w := &state.Window{Effect: draw(l, "", state.EffectMaintenance, state.EffectDisabled, state.EffectReadOnly, state.EffectReadOnly, state.EffectGone)}
	c.Window = w
	onSwitch := c.Target.Key.Path == ""
	if onSwitch && l.chance(2) || l.chance(40) {
		w.IncludeProtected = true
	}
	for range l.IntN(3) {
		w.Except = append(w.Except, l.subject().Key)
	}
	if have := l.windows(doc); len(have) > 0 && l.chance(5) {
		return l.again(draw(l, have...), now, c)
	}
	switch {
	case l.chance(3):
		l.recur(w, now)
	default:
		if !l.chance(4) {
			w.Start = l.soon(now)
		}
		if !l.chance(12) {
			w.End = l.soon(now)
		}
	}
	return c
}

// recur makes a window recur. Its occurrences are known for a while.
func (l lot) recur(w *state.Window, now time.Time) {
	r := series{
		first: l.moment(now), every: draw(l, 20*time.Minute, 30*time.Minute, 50*time.Minute),
		lasts: draw(l, 10*time.Minute, 20*time.Minute, 40*time.Minute), count: draw(l, 0, 0, 1, 2, 3),
	}
	w.Recurs = r.recurs()
	w.Through = now.Add(draw(l, 30*time.Minute, time.Hour, 2*time.Hour))
	w.Occurrences, w.Finished = r.before(w.Through)
}

// again asks for a window that is there.
func (l lot) again(have state.Window, now time.Time, c state.Command) state.Command {
	w := c.Window
	c.Target, c.AnyMethod, c.Shown = have.Target, true, ""
	w.Start, w.End, w.Effect, w.IncludeProtected = have.Start, have.End, have.Effect, have.IncludeProtected
	if !l.chance(4) {
		w.Except = nil
		for range l.IntN(len(have.Except) + 1) {
			w.Except = append(w.Except, draw(l, have.Except...))
		}
	}
	if have.Recurs == nil {
		return c
	}
	r := seriesOf(l, have.Recurs)
	if l.chance(3) {
		r.first = r.first.Add(draw(l, r.every, 10*time.Minute))
	}
	w.Recurs, w.Through = r.recurs(), now.Add(90*time.Minute)
	w.Occurrences, w.Finished = r.before(w.Through)
	return c
}

// windows are those of a document, in order.
func (l lot) windows(doc *state.Document) []state.Window {
	all := slices.Collect(doc.Windows())
	slices.SortFunc(all, func(a, b state.Window) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// onWindow is a command on one window by its id.
func (l lot) onWindow(doc *state.Document, now time.Time, verb state.Verb, reason string) state.Command {
	c := state.Command{Verb: verb, WindowID: "none"}
	all := l.windows(doc)
	if !l.chance(8) {
		all = slices.DeleteFunc(all, func(w state.Window) bool { return w.Over(now) })
	}
	if len(all) == 0 || l.chance(40) {
		return c
	}
	w := draw(l, all...)
	c.WindowID = w.ID
	if verb != state.VerbEndWindow && l.chance(2) {
		c.Occurrence = l.occurrence(&w, now)
	}
	if verb != state.VerbChangeWindow {
		return c
	}
	if l.chance(3) {
		c.Start = l.soon(now)
	}
	if !l.chance(3) {
		c.End = l.soon(now)
	}
	if l.chance(3) {
		c.Amend.Reason = &reason
	}
	if l.chance(8) {
		c.Amend.Ticket = draw(l, new("https://tickets.example/1"), new(""), new("a\tb"))
	}
	return c
}

// occurrence is the start of one that is known, of one beyond what is known, or of none.
func (l lot) occurrence(w *state.Window, now time.Time) time.Time {
	if l.chance(10) {
		return l.moment(now)
	}
	if w.Recurs == nil {
		return w.Start
	}
	if len(w.Occurrences) > 0 && !l.chance(3) {
		return draw(l, w.Occurrences...).Start
	}
	r := seriesOf(l, w.Recurs)
	beyond := w.Through.Sub(r.first)/r.every + time.Duration(1+l.IntN(2))
	return r.first.Add(beyond * r.every)
}
