package state

import (
	"sync"
	"sync/atomic"
	"time"
)

// ClockLimit is how far the store's clock may be from the local one and still be followed. Beyond it nobody can tell
// which of the two is right, and a store must not be able to move all windows by hours: the local clock stands.
const ClockLimit = 5 * time.Minute

const (
	// After the limit was crossed, the store's clock has to come this much closer before it is followed again.
	limitBack = 10 * time.Second
	// A correction moves by no less than this: what is below is noise, and a clock that is right is left alone.
	worthMoving = time.Millisecond
)

// ClockOptions are what a clock may be told; the zero value is good.
type ClockOptions struct {
	// Local reads the machine's clock; time.Now when nil. Tests give one that is wrong.
	Local func() time.Time
	// OnChange is told when the correction first reaches a second, when it is below half a second again, and when the
	// alarm comes or ends. It must not block, nor call Observe.
	OnChange func(ClockStatus)
}

// Clock tells the store's time on a machine whose own clock may be wrong, so that a window opens and closes at the same
// moment everywhere. Whoever asks the store something gives it what the store's clock said (Observe); in between it goes
// on by the machine's monotonic clock. It is safe for concurrent use.
//
// What it promises of Now: it is within half a usual round trip of the store's time, and within a millisecond of what
// the samples say; it goes on at the rate of the local clock, and does not wander with the noise of samples; it is no more
// than ClockLimit away from the local clock. A local wall clock that is set does not move it at all. It is not
// monotonic: where the estimate moves by a millisecond or more, or one of the clocks jumped, it steps, either way.
// Before the first sample it is the local clock, and while the store is away the last correction stays.
type Clock struct {
	local    func() time.Time
	onChange func(ClockStatus)
	// origin is where the axis of this clock begins: an instant is a place on it by the monotonic time since then.
	origin time.Time
	course atomic.Pointer[course]

	mu      sync.Mutex
	samples samples
	level   clockLevel
	said    time.Duration // the skew that the alarm names
}

// course is how the present time is told. It is never changed, only replaced.
type course struct {
	// base is the store's time at the origin.
	base time.Time
	// alarm says that the local clock stands, and why; empty while the store's is followed.
	alarm string
}

// NewClock makes a clock that is the local one until it is given samples.
func NewClock(opt ClockOptions) *Clock {
	if opt.Local == nil {
		opt.Local = time.Now
	}
	return &Clock{local: opt.Local, onChange: opt.OnChange, origin: opt.Local()}
}

// Local reads the machine's clock, uncorrected: what Observe wants.
func (c *Clock) Local() time.Time { return c.local() }

// Now is the present time by the store's clock, as far as that is known and may be followed. It takes no lock and does
// not allocate.
func (c *Clock) Now() time.Time {
	local := c.local()
	is := c.course.Load()
	if is == nil || is.alarm != "" {
		return local
	}
	now := is.base.Add(local.Sub(c.origin))
	// The wall clock of a machine that slept goes on where its monotonic clock did not: until the store is heard of
	// again, the limit holds here as well.
	off := time.Duration(now.UnixNano() - local.UnixNano())
	if off > ClockLimit+limitBack || off < -ClockLimit-limitBack {
		return local
	}
	return now
}

// Observe takes one question to the store: when it was sent and when the answer was received, both as Local reads them,
// and the store's time in the answer. It reports whether another sample soon would settle what this one leaves open: at
// the beginning, and after a jump.
func (c *Clock) Observe(sent, received, remote time.Time) (again bool) {
	if remote.IsZero() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	zero := c.origin.Round(0)
	s := sample{
		at: received.Sub(c.origin), trip: max(0, received.Sub(sent)),
		wall: received.Round(0).Sub(zero) - received.Sub(c.origin),
	}
	s.offset = remote.Sub(zero) - (s.at - s.trip/2)
	if wall := received.Round(0).Sub(sent.Round(0)); apart(wall, s.trip, tolerance) {
		return true // the wall clock jumped, or the machine slept, while the question was on its way
	}
	again = c.samples.take(s)
	c.steer(s.wall)
	return again
}

// steer follows the samples, where that makes a difference, and looks how far away the local clock is by now. The caller
// holds mu; wall is where the local wall clock is on the axis.
func (c *Clock) steer(wall time.Duration) {
	if len(c.samples.window) == 0 {
		return
	}
	zero := c.origin.Round(0)
	was, now := wall, c.samples.offset
	is := c.course.Load()
	if is != nil {
		was = is.base.Sub(zero)
	}
	if !apart(now, was, worthMoving) {
		now = was
	}
	skew := now - wall
	level := levelOf(skew, c.level)
	next := course{base: zero.Add(now)}
	if level == clockStands {
		if c.level != clockStands || apart(skew, c.said, alarmAgain) {
			c.said = skew
		}
		next.alarm = clockAlarm(c.said)
	}
	if is == nil || *is != next {
		c.course.Store(&next)
	}
	if level != c.level {
		c.level = level
		if c.onChange != nil {
			c.onChange(ClockStatus{Skew: skew, Alarm: next.alarm})
		}
	}
}

// apart reports whether two durations differ by d or more.
func apart(a, b, d time.Duration) bool { return (a - b).Abs() >= d }
