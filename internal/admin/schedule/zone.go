package schedule

import (
	"strings"
	"time"
	_ "time/tzdata" // the images have no tz database of their own

	"github.com/waygate/waygate/internal/state"
)

// Zone finds a zone of the IANA tz database by its name, such as Europe/Berlin; the empty name is UTC. What the machine
// takes for local time is no zone: two machines may disagree. The error is a state.InvalidError.
func Zone(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	if !machineOnly(name) {
		if zone, err := time.LoadLocation(name); err == nil {
			return zone, nil
		}
	}
	return nil, state.Invalid("zone", "%q is not a time zone: write an IANA name such as Europe/Berlin, or UTC", name)
}

// machineOnly tells the names that mean something on some machines only: local time, and the parts of
// /usr/share/zoneinfo that are no zones or count leap seconds.
func machineOnly(name string) bool {
	switch name {
	case "Local", "localtime", "posixrules":
		return true
	}
	return strings.HasPrefix(name, "right/") || strings.HasPrefix(name, "posix/")
}

// shift is more than any zone was, is or may become ahead of UTC or behind it.
const shift = 26 * time.Hour

// Place gives the first instant at which a clock in zone reads w or later: the first pass of a time that comes twice, the
// first instant after the gap for one that the clock leaps over. Later walls are never placed earlier.
func Place(w Wall, zone *time.Location) time.Time {
	for t := w.at.Add(-shift).In(zone); ; {
		is, end := w.at.Add(-offset(t)), periodEnd(t)
		switch {
		case is.Before(t): // leapt over: what was before reads earlier, and t reads later
			return t.UTC()
		case end.IsZero() || is.Before(end):
			return is
		}
		t = end
	}
}

// periodEnd is an instant until which clocks at t go on without a change, or zero if they do forever. It is not always a
// change itself: for what the rules of a zone say beyond its table, ZoneBounds gives the end of the year as well, and that
// a day early in leap years, so that on 31 December it has passed.
func periodEnd(t time.Time) time.Time {
	_, end := t.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return t.Truncate(day).Add(day) // the new year, in UTC
	}
	return end
}

// NextChange is the first instant after t and before an end at which the clocks in t's zone jump, in that zone; zero if they
// do not.
func NextChange(t, before time.Time) time.Time {
	for {
		next := periodEnd(t)
		switch {
		case next.IsZero() || !next.Before(before):
			return time.Time{}
		case offset(next) != offset(t):
			return next
		}
		t = next // only their name changes, or the rules of a year end
	}
}

// placeLast gives the instant after which a clock in zone always reads later than w: the last pass of a time that comes
// twice, the first instant after the gap for one that the clock leaps over.
func placeLast(w Wall, zone *time.Location) time.Time {
	after := w.at.Add(shift)
	for t := after.In(zone); ; t = after.Add(-1) {
		is := w.at.Add(-offset(t))
		start, _ := t.ZoneBounds()
		switch {
		case !is.Before(after): // leapt over: all that was before reads earlier
			return after.UTC()
		case start.IsZero() || !is.Before(start):
			return is
		}
		after = start
	}
}

// offset is how far the clocks at t are ahead of UTC.
func offset(t time.Time) time.Duration {
	_, seconds := t.Zone()
	return time.Duration(seconds) * time.Second
}
