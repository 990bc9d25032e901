package schedule

import (
	"iter"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/waygate/waygate/internal/state"
)

// Series is a window that comes again. Series are values, comparable with ==.
type Series struct {
	// Rule says when it comes.
	Rule Rule
	// First is the start of the first window, and gives the rule the time of day, and the day, that it leaves open. If
	// the rule does not name it, it is no window itself, and only what comes later is. For cron it is where to begin.
	First Wall
	// Zone is the IANA name of the zone whose clocks are meant; empty is UTC.
	Zone string
	// For is how long each window lasts, in elapsed time: an hour is an hour also when the clocks change.
	For time.Duration
	// To is, instead of For, the time of day at which each window ends: on the day it starts, or on the next if that is
	// not after the start. Of a time that comes twice it is the last pass, so that the window covers both; one that the
	// clock leaps over ends it at the first instant after the gap. A window whose start is in that gap, too, would be
	// empty: it lasts from there as long as the clock would have taken without one.
	To Clock
}

// Bounds of a series.
const (
	maxFor = 366 * day
	// As many windows as denseMost may be within denseSpan: one each quarter of an hour, and some. More are looked for in
	// the denseYears from the first window on.
	denseMost  = 1500
	denseSpan  = 14 * day
	denseYears = 5
	// A series that starts in the year lastStart still has two centuries before lastYear.
	lastStart = 2199
)

// Validate tells what is wrong with a series: a part that is missing or no such thing, a window that is empty or longer
// than a year (366 days), a start that makes the rule never fire, more than 1500 windows within 14 days, or a rule that
// takes the day of the month from a start on a day that some of its months do not have (RFC 5545 would leave those months
// out in silence). The error is a state.InvalidError whose Field is rule, first, zone, for or to.
//
// Windows may be longer than the time between them, and then overlap.
func (s Series) Validate() error {
	is, _, err := s.read()
	if err != nil {
		return err
	}
	if c, ok := is.(calendar); ok && c.missesMonths(s.First) {
		_, _, date := s.First.Date()
		return state.Invalid("first", "not every month of %s has a day %d: start on an earlier day, or say what is meant: BYMONTHDAY=-1 for the last day, BYMONTHDAY=%[2]d to leave such months out", s.Rule, date)
	}
	walls := is.walls(s.First, s.First)
	switch {
	case !fires(walls):
		return state.Invalid("rule", "%s never comes true from %s on", s.Rule, s.First)
	case dense(walls):
		return state.Invalid("rule", "%s comes more than %d times in %d days: that is one long window", s.Rule, denseMost, denseSpan/day)
	}
	return nil
}

// read gives the parts ready for use, and says what is wrong with any by itself.
func (s Series) read() (recurrence, *time.Location, error) {
	zone, err := Zone(s.Zone)
	if err != nil {
		return nil, nil, err
	}
	year, _, _ := s.First.Date()
	switch {
	case s.Rule.IsZero():
		return nil, nil, state.Invalid("rule", "a series needs a rule")
	case s.First.IsZero():
		return nil, nil, state.Invalid("first", "a series needs the start of its first window")
	case year < firstYear || year > lastStart:
		return nil, nil, state.Invalid("first", "%s is not between the years %d and %d", s.First, firstYear, lastStart)
	case s.For != 0 && !s.To.IsZero():
		return nil, nil, state.Invalid("to", "a window ends after some time or at a time of day: give one of them")
	case s.For == 0 && s.To.IsZero():
		return nil, nil, state.Invalid("for", "a series needs to say how long each window lasts, or the time of day at which it ends")
	case s.For < 0 || s.For > maxFor:
		return nil, nil, state.Invalid("for", "a window cannot last %s: it is more than nothing and at most %d days", s.For, maxFor/day)
	}
	is, err := read(s.Rule.text)
	return is, zone, err
}

// missesMonths reports whether the rule takes the day of the month from first, and some of its months have no such day.
func (c calendar) missesMonths(first Wall) bool {
	if !c.daysFromStart() || c.opt.Freq > rrule.MONTHLY {
		return false
	}
	_, month, date := first.Date()
	months := c.opt.Bymonth
	switch {
	case len(months) > 0:
	case c.opt.Freq == rrule.YEARLY:
		months = []int{int(month)}
	default:
		months = []int{int(time.February)} // the shortest of all
	}
	for _, m := range months {
		if shortest := WallOf(2023, time.Month(m)+1, 0, 0, 0, 0); date > shortest.at.Day() {
			return true
		}
	}
	return false
}

// dense reports whether there are ever more walls within a span than there may be.
func dense(walls iter.Seq[Wall]) bool {
	var recent [denseMost]Wall
	n, until := 0, Wall{}
	for w := range walls {
		if n == 0 {
			until = Wall{at: w.at.AddDate(denseYears, 0, 0)}
		}
		before := &recent[n%denseMost]
		if n >= denseMost && w.sub(*before) < denseSpan {
			return true
		}
		if w.Compare(until) > 0 {
			return false
		}
		*before = w
		n++
	}
	return false
}
