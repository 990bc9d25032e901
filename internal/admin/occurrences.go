package admin

import (
	"slices"
	"time"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/state"
)

// Occurrences are those of a window that have a part in [from, to), in rising order and at most so many: those that are
// known, and beyond them what its rule says without what was cancelled. Of what is over, only what is still known is
// among them. A rule that cannot be read adds none.
func Occurrences(w *state.Window, from, to time.Time, most int) []state.Occurrence {
	var all []state.Occurrence
	for _, o := range w.Spans() {
		if len(all) < most && o.Start.Before(to) && (o.End.IsZero() || o.End.After(from)) {
			all = append(all, o)
		}
	}
	if w.Recurs == nil || w.Finished || len(all) >= most || !w.Through.Before(to) {
		return all
	}
	series, err := SeriesOf(w)
	if err != nil {
		return all
	}
	after, limit := w.Through, most+len(w.Skipped)
	if long := from.Add(-lengthOf(series)); long.After(after) {
		after, limit = long, limit+maxOccurrences // some of them are over at from
	}
	x, err := series.Expand(after, to, limit)
	if err != nil {
		return all
	}
	for _, s := range x.Spans {
		if len(all) < most && s.End.After(from) && !slices.ContainsFunc(w.Skipped, s.Start.Equal) {
			all = append(all, state.Occurrence{Start: s.Start, End: s.End})
		}
	}
	return all
}

// MayStart reports whether an occurrence beyond those that are known can start at an instant; whether one of those does,
// the command says.
func MayStart(w *state.Window, at time.Time) bool {
	if w.Recurs == nil || w.Finished || at.Before(w.Through) {
		return true
	}
	series, err := SeriesOf(w)
	if err != nil {
		return false
	}
	x, err := series.Expand(at, at.Add(1), 1)
	return err == nil && len(x.Spans) > 0
}

// maxCompared bounds how many occurrences are compared with a rule.
const maxCompared = 10 * maxOccurrences

// deviations is a recurring window as its rule and what differs from it: Occurrences are those that were changed, and
// Skipped the starts of those that were cancelled. What is over does not count. Of any other window it is the window.
func deviations(w *state.Window, now time.Time) state.Window {
	is := *w
	if w.Recurs == nil {
		return is
	}
	series, err := SeriesOf(w)
	if err != nil {
		return is
	}
	known := w.Through
	if w.Finished {
		known = Never()
	}
	x, err := series.Expand(now.Add(-lengthOf(series)), known, maxCompared)
	if err != nil {
		return is
	}
	is.Start, is.Through, is.Finished = time.Time{}, time.Time{}, false
	is.Occurrences, is.Skipped = nil, slices.Clone(w.Skipped)
	for _, s := range x.Spans {
		if s.End.After(now) && !slices.ContainsFunc(w.Occurrences, startsAt(s.Start)) {
			is.Skipped = append(is.Skipped, s.Start)
		}
	}
	for _, o := range w.Occurrences {
		same := func(s schedule.Span) bool { return s.Start.Equal(o.Start) && s.End.Equal(o.End) }
		if o.End.After(now) && (len(o.Except) > 0 || !slices.ContainsFunc(x.Spans, same)) {
			is.Occurrences = append(is.Occurrences, o)
		}
	}
	slices.SortFunc(is.Skipped, time.Time.Compare)
	return is
}

// deviate gives a window the occurrences that its rule has at some spans, with what it says of them already, and forgets
// that. Of what is cancelled, only what begins at its Through or later has to be remembered.
func deviate(w *state.Window, spans []schedule.Span, now time.Time) {
	changed, skipped := w.Occurrences, w.Skipped
	w.Occurrences, w.Skipped = nil, nil
	for _, s := range spans {
		o := state.Occurrence{Start: s.Start, End: s.End}
		if i := slices.IndexFunc(changed, startsAt(s.Start)); i >= 0 {
			o = changed[i]
		}
		if !slices.ContainsFunc(skipped, s.Start.Equal) {
			w.Occurrences = append(w.Occurrences, o)
		}
	}
	for _, o := range changed {
		known := w.Finished || o.Start.Before(w.Through)
		if known && o.End.After(now) && !slices.ContainsFunc(w.Occurrences, startsAt(o.Start)) {
			w.Occurrences = append(w.Occurrences, o)
		}
	}
	slices.SortFunc(w.Occurrences, func(a, b state.Occurrence) int { return a.Start.Compare(b.Start) })
	for _, at := range skipped {
		if !w.Finished && !at.Before(w.Through) {
			w.Skipped = append(w.Skipped, at)
		}
	}
}

func startsAt(at time.Time) func(state.Occurrence) bool {
	return func(o state.Occurrence) bool { return o.Start.Equal(at) }
}
