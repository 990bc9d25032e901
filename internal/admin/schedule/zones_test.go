package schedule

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Each day of ten years has its window, wherever one is; with -short, in one zone of ten.
func TestEachDayOnceInEveryZone(t *testing.T) {
	database := readDatabase(t)
	after, before := instant(t, "2026-01-01T00:00:00Z"), instant(t, "2036-01-01T00:00:00Z")
	daily, err := read("FREQ=DAILY")
	require.NoError(t, err)
	names := database.names()
	require.Greater(t, len(names), 300)
	for i, name := range names {
		if testing.Short() && i%10 != 0 {
			continue
		}
		zone := database.zone(t, name)
		for _, at := range []string{"00:00", "00:30", "01:30", "02:15", "02:30", "23:59"} {
			s := Series{First: wallOf(t, "2025-12-25T"+at), For: 90 * time.Minute}
			x := s.expand(daily, zone, after, before, math.MaxInt)
			checkDays(t, name+" "+at, x.Spans, zone, s.For)
			require.InDelta(t, 3652, len(x.Spans), 1)
		}
	}
}

// checkDays holds each window against the clock in the zone, and the days against a calendar.
func checkDays(t *testing.T, name string, spans []Span, zone *time.Location, lasts time.Duration) {
	t.Helper()
	for i, span := range spans {
		if i > 0 && (!span.Start.After(spans[i-1].Start) || span.At != spans[i-1].At.add(day)) {
			require.FailNow(t, "not the next day", "%s: %s after %s", name, span.At, spans[i-1].At)
		}
		if span.End.Sub(span.Start) != lasts {
			require.FailNow(t, "not as long as it should be", "%s: %s", name, span.At)
		}
		reads, before := WallAt(span.Start, zone), WallAt(span.Start.Add(-time.Second), zone)
		earlier := WallAt(span.Start.Add(-30*time.Minute), zone)
		switch {
		case reads != span.At && (before.Compare(span.At) >= 0 || reads.Compare(span.At) < 0):
			require.FailNow(t, "neither its time nor the first after a gap", "%s: %s begins at %s", name, span.At, reads)
		case reads == span.At && earlier.Compare(span.At) >= 0:
			require.FailNow(t, "the second pass", "%s: %s", name, span.At)
		}
	}
}
