package schedule

import (
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Wall is a date and a time of day, to the second, as a clock on the wall shows them: an instant only once it is placed
// in a zone. RFC 5545 calls it floating. Walls are comparable with ==; the zero Wall means "none".
type Wall struct {
	at time.Time // the reading, as if it were UTC
}

// The forms that ParseWall reads; the first is what String writes.
const (
	wallForm        = "2006-01-02T15:04"
	wallSecondsForm = "2006-01-02T15:04:05"
)

// WallOf is the reading of a clock; values out of range carry over, as in time.Date.
func WallOf(year int, month time.Month, day, hour, minute, second int) Wall {
	return Wall{at: time.Date(year, month, day, hour, minute, second, 0, time.UTC)}
}

// WallAt is what a clock in zone reads at an instant, to the second.
func WallAt(t time.Time, zone *time.Location) Wall {
	t = t.In(zone)
	year, month, day := t.Date()
	return WallOf(year, month, day, t.Hour(), t.Minute(), t.Second())
}

// ParseWall reads 2026-10-04T02:15, with seconds if they are given, and with a blank for the T. The error is a
// state.InvalidError.
func ParseWall(text string) (Wall, error) {
	for _, form := range []string{wallForm, wallSecondsForm, time.DateTime, "2006-01-02 15:04"} {
		if t, err := time.Parse(form, text); err == nil && t.Nanosecond() == 0 {
			return Wall{at: t}, nil
		}
	}
	return Wall{}, state.Invalid("first", "%q is not a date and a time of day: write it as 2026-10-04T02:15, without a zone", text)
}

// String gives the text that ParseWall reads, without seconds if they are zero; empty for the zero Wall.
func (w Wall) String() string {
	switch {
	case w.IsZero():
		return ""
	case w.at.Second() == 0:
		return w.at.Format(wallForm)
	default:
		return w.at.Format(wallSecondsForm)
	}
}

// IsZero reports whether there is no reading.
func (w Wall) IsZero() bool { return w.at.IsZero() }

// Date is the date of the reading.
func (w Wall) Date() (year int, month time.Month, day int) { return w.at.Date() }

// Clock is the time of day of the reading.
func (w Wall) Clock() (hour, minute, second int) { return w.at.Clock() }

// Compare is -1, 0 or 1 as w reads earlier than, the same as, or later than other.
func (w Wall) Compare(other Wall) int { return w.at.Compare(other.at) }

// add moves the hands of the clock: there are no gaps on a wall.
func (w Wall) add(d time.Duration) Wall { return Wall{at: w.at.Add(d)} }

// sub is how far the hands of the clock go from other to w.
func (w Wall) sub(other Wall) time.Duration { return w.at.Sub(other.at) }
