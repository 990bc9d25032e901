package schedule

import (
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Clock is a time of day, to the second, as a clock on the wall shows it. Clocks are comparable with ==; the zero Clock
// means "none" and is not midnight.
type Clock struct {
	second int // of the day
	given  bool
}

const day = 24 * time.Hour

// clockOf is a time of day; values out of range carry over, and what is more than a day is cut off.
func clockOf(hour, minute, second int) Clock {
	const seconds = int(day / time.Second)
	is := (hour*3600 + minute*60 + second) % seconds
	return Clock{second: (is + seconds) % seconds, given: true}
}

// ParseClock reads 04:00 or 04:00:30; 24:00 is another way to write midnight. The error is a state.InvalidError.
func ParseClock(text string) (Clock, error) {
	if text == "24:00" {
		return clockOf(0, 0, 0), nil
	}
	for _, form := range []string{"15:04", time.TimeOnly} {
		if t, err := time.Parse(form, text); err == nil && t.Nanosecond() == 0 {
			return clockOf(t.Clock()), nil
		}
	}
	return Clock{}, state.Invalid("to", "%q is not a time of day: write it as 04:00", text)
}

// String gives the text that ParseClock reads, without seconds if they are zero; empty for the zero Clock.
func (c Clock) String() string {
	if !c.given {
		return ""
	}
	at := WallOf(1, 1, 1, 0, 0, c.second).at
	if at.Second() == 0 {
		return at.Format("15:04")
	}
	return at.Format(time.TimeOnly)
}

// IsZero reports whether there is no time of day.
func (c Clock) IsZero() bool { return !c.given }

// next is the first wall time after w at which the clock reads c: on the same day, or else on the next.
func (c Clock) next(w Wall) Wall {
	year, month, date := w.Date()
	is := WallOf(year, month, date, 0, 0, c.second)
	if is.Compare(w) <= 0 {
		is = is.add(day)
	}
	return is
}
