package admin

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/state"
)

// How far ahead the occurrences of a recurring window are made known, and how many at most. An instance is to know
// those of the next 14 days at any time; the rest is for times in which no admin lives. [schedule.Series.Validate]
// sees to it that so many are enough for 14 days.
const (
	expandAhead    = 35 * 24 * time.Hour
	maxOccurrences = 2000
	// Of one window, how many occurrences may run at one instant: more are one long window.
	maxAtOnce = 200
	// Longer than an occurrence that ends at a wall time of day, on the next day, in any zone.
	maxLength = 72 * time.Hour
	wallForm  = "2006-01-02T15:04:05"
)

// Never is later than any occurrence.
func Never() time.Time { return time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC) }

// RecurrenceOf is what a document says of a series, beside its zone.
func RecurrenceOf(s schedule.Series) *state.Recurrence {
	r := &state.Recurrence{Rule: s.Rule.String(), First: withSeconds(s.First.String()), To: withSeconds(s.To.String())}
	if s.For > 0 {
		r.For = s.For.String()
	}
	return r
}

// withSeconds is a wall time, or a time of day, that names its seconds: one text for one time.
func withSeconds(text string) string {
	if strings.Count(text, ":") == 1 {
		return text + ":00"
	}
	return text
}

// SeriesOf reads when a window recurs. The error is a *state.InvalidError.
func SeriesOf(w *state.Window) (schedule.Series, error) {
	s := schedule.Series{Zone: w.Zone}
	var err error
	if s.Rule, err = schedule.Parse(w.Recurs.Rule); err != nil {
		return s, err //nolint:wrapcheck // it says what is wrong with the rule
	}
	if s.First, err = schedule.ParseWall(w.Recurs.First); err != nil {
		return s, err //nolint:wrapcheck // it says what is wrong with the time
	}
	if w.Recurs.To != "" {
		if s.To, err = schedule.ParseClock(w.Recurs.To); err != nil {
			return s, err //nolint:wrapcheck // it says what is wrong with the time
		}
	}
	if w.Recurs.For != "" {
		if s.For, err = time.ParseDuration(w.Recurs.For); err != nil {
			return s, state.Invalid("for", "%q is not a duration", w.Recurs.For)
		}
	}
	return s, nil
}

// expand makes the occurrences known of all recurring windows that are to be added at now.
func (s *Service) expand(commands []state.Command, now time.Time) ([]state.Command, error) {
	all := slices.Clone(commands)
	for i := range all {
		w := all[i].Window
		if all[i].Verb != state.VerbAddWindow || w == nil || w.Recurs == nil {
			continue
		}
		is := *w
		if err := expandNew(&is, now); err != nil {
			return nil, err
		}
		all[i].Window = &is
	}
	return all, nil
}

// expandNew makes the occurrences of a new recurring window known: those that run and those ahead, and at least one
// where there is one. What the window says of some of them already, as [deviations] has it, holds.
func expandNew(w *state.Window, now time.Time) error {
	series, err := SeriesOf(w)
	if err != nil {
		return err
	}
	if err := series.Validate(); err != nil {
		return err //nolint:wrapcheck // it says what is wrong with which part
	}
	spans, err := running(series, now)
	if err != nil {
		return err
	}
	ahead := now.Add(expandAhead)
	for _, o := range w.Occurrences {
		if !o.Start.Before(ahead) {
			ahead = o.Start.Add(1)
		}
	}
	x, err := series.Expand(now, ahead, maxOccurrences)
	if err != nil {
		return err //nolint:wrapcheck // it says what is wrong with which part
	}
	kept := func(s schedule.Span) bool { return !slices.ContainsFunc(w.Skipped, s.Start.Equal) }
	if !x.Finished && !slices.ContainsFunc(x.Spans, kept) {
		more, err := series.Expand(x.Through, Never(), len(w.Skipped)+1)
		if err != nil {
			return err //nolint:wrapcheck // it says what is wrong with which part
		}
		more.Spans = append(x.Spans, more.Spans...)
		x = more
	}
	spans = append(spans, x.Spans...)
	if err := checkOverlap(series, spans); err != nil {
		return err
	}
	w.Through, w.Finished = x.Through, x.Finished
	deviate(w, spans, now)
	return nil
}

// running are the occurrences that began before now and are not over.
func running(series schedule.Series, now time.Time) ([]schedule.Span, error) {
	x, err := series.Expand(now.Add(-lengthOf(series)), now, maxOccurrences)
	if err == nil && x.Through.Before(now) {
		err = tooMany(series)
	}
	return slices.DeleteFunc(x.Spans, func(s schedule.Span) bool { return !s.End.After(now) }), err
}

// lengthOf is how long an occurrence lasts at most.
func lengthOf(series schedule.Series) time.Duration { return cmp.Or(series.For, maxLength) }

// checkOverlap refuses a series of which too many run at once.
func checkOverlap(series schedule.Series, spans []schedule.Span) error {
	if len(spans) == 0 {
		return nil
	}
	x, err := series.Expand(spans[0].Start, spans[0].End, maxAtOnce+1)
	if err == nil && len(x.Spans) > maxAtOnce {
		err = tooMany(series)
	}
	return err //nolint:wrapcheck // it says what is wrong with which part
}

func tooMany(series schedule.Series) error {
	return state.Invalid("for", "of %q more than %d would run at once: that is one long window", series.Describe(), maxAtOnce)
}
