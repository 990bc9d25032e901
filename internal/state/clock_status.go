package state

import (
	"fmt"
	"time"
)

// ClockStatus is how the local clock compares with the store's.
type ClockStatus struct {
	// Skew is the store's clock minus the local one, whether it is corrected or not; zero while it is not known.
	Skew time.Duration
	// Alarm says, in a sentence, that they are too far apart for the store's to be followed, and what to do; else empty.
	Alarm string
}

// Status tells how the local clock compares with the store's now.
func (c *Clock) Status() ClockStatus {
	is := c.course.Load()
	if is == nil {
		return ClockStatus{}
	}
	local := c.local()
	return ClockStatus{Skew: is.base.Add(local.Sub(c.origin)).Sub(local), Alarm: is.alarm}
}

// clockLevel is how much of a skew there is, as it is told to people.
type clockLevel int

const (
	clockAgrees clockLevel = iota
	clockCorrected
	clockStands
)

const (
	// Whoever looks after the machine hears of a correction from here on, and that it is over below half of it.
	clockNotable = time.Second
	// An alarm is worded anew when the skew changed by so much.
	alarmAgain = time.Minute
)

// levelOf tells the level of a skew that was at another level before. Each is left at a lower skew than it is entered,
// so that nothing flaps at a border.
func levelOf(skew time.Duration, before clockLevel) clockLevel {
	switch skew = skew.Abs(); {
	case skew > ClockLimit, before == clockStands && skew > ClockLimit-limitBack:
		return clockStands
	case skew >= clockNotable, before != clockAgrees && skew >= clockNotable/2:
		return clockCorrected
	default:
		return clockAgrees
	}
}

// clockAlarm is the alarm about a skew.
func clockAlarm(skew time.Duration) string {
	way := "ahead of"
	if skew < 0 {
		way = "behind"
	}
	return fmt.Sprintf("the store's clock is %s %s this machine's, and is followed only up to %s: windows open and close by "+
		"this machine's clock here; set the one that is wrong, and have NTP keep both",
		skew.Abs().Round(time.Second), way, ClockLimit)
}
