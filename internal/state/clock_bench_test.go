package state_test

import (
	"testing"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// What it costs a check to know the store's time, beside what it costs to know the machine's.
func BenchmarkClockNow(b *testing.B) {
	c := state.NewClock(state.ClockOptions{Local: func() time.Time { return time.Now().Add(90 * time.Second) }})
	sent := c.Local()
	c.Observe(sent, c.Local(), time.Now())
	own := state.NewClock(state.ClockOptions{})
	own.Observe(own.Local(), own.Local(), time.Now().Add(90*time.Second))
	b.ReportAllocs()
	var plain, corrected time.Duration
	for b.Loop() {
		start := time.Now()
		for range 1000 {
			_ = time.Now()
		}
		middle := time.Now()
		for range 1000 {
			_ = own.Now()
		}
		plain += middle.Sub(start)
		corrected += time.Since(middle)
	}
	b.ReportMetric(float64(plain.Nanoseconds())/float64(1000*b.N), "time.Now-ns")
	b.ReportMetric(float64(corrected.Nanoseconds())/float64(1000*b.N), "Clock.Now-ns")
	b.ReportMetric(float64(corrected)/float64(plain), "ratio")
}
