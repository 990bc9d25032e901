package authz

import (
	"sync/atomic"
	"time"
)

// sampleEvery is how many checks there are for one whose duration is measured.
const sampleEvery = 64

// durationBounds are the upper bounds of the buckets in which durations are counted.
var durationBounds = [...]time.Duration{
	500 * time.Nanosecond, time.Microsecond, 2 * time.Microsecond, 5 * time.Microsecond, 10 * time.Microsecond,
	20 * time.Microsecond, 50 * time.Microsecond, 100 * time.Microsecond, 500 * time.Microsecond, 5 * time.Millisecond,
}

// durations counts how long checks take, from the bytes of the request to those of the answer.
type durations struct {
	checks  atomic.Uint64
	buckets [len(durationBounds) + 1]atomic.Uint64
	sum     atomic.Int64 // nanoseconds
}

// begin is when a check begins, if it is its turn to be measured; otherwise the zero time, and the clock is not read.
func (d *durations) begin() time.Time {
	if d.checks.Add(1)%sampleEvery != 0 {
		return time.Time{}
	}
	return time.Now()
}

// end counts a check that began at start.
func (d *durations) end(start time.Time) {
	if start.IsZero() {
		return
	}
	took := time.Since(start)
	d.sum.Add(int64(took))
	for i, bound := range durationBounds {
		if took <= bound {
			d.buckets[i].Add(1)
			return
		}
	}
	d.buckets[len(durationBounds)].Add(1)
}

// histogram is what was counted: how many, their sum in seconds, and how many did not exceed each bound in seconds.
func (d *durations) histogram() (count uint64, sum float64, cumulative map[float64]uint64) {
	cumulative = make(map[float64]uint64, len(durationBounds))
	for i, bound := range durationBounds {
		count += d.buckets[i].Load()
		cumulative[bound.Seconds()] = count
	}
	return count + d.buckets[len(durationBounds)].Load(), time.Duration(d.sum.Load()).Seconds(), cumulative
}
