package state_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// windowedKeys are those of the 10,000 routes of the benchmark that have windows: four each, a thousand in all.
const (
	windowedKeys = 250
)

// benchCalendar puts windows on keys; of each, spans are the occurrences, by their distance from now.
func benchCalendar(tb testing.TB, doc *state.Document, spans [][]time.Duration) *state.Snapshot {
	p := state.Patch{}
	for i := range windowedKeys {
		for j, from := range spans {
			w := state.Window{
				ID: fmt.Sprint("w", i, "-", j), Target: state.Target{Key: benchRoute(i * 8)}, Start: epoch0.Add(from[0]), Effect: state.EffectMaintenance,
				Reason: "nightly", Origin: state.OriginWindow,
			}
			w.End = w.Start.Add(time.Hour)
			if len(from) > 1 {
				w.Recurs, w.End, w.Finished = &state.Recurrence{Rule: "RRULE:FREQ=DAILY"}, time.Time{}, true
				for _, after := range from {
					w.Occurrences = append(w.Occurrences, state.Occurrence{Start: epoch0.Add(after), End: epoch0.Add(after + time.Hour)})
				}
			}
			require.NoError(tb, p.SetWindow(w))
		}
	}
	doc, err := doc.With(p, state.Meta{Epoch: "bench", Rev: 2})
	require.NoError(tb, err)
	require.Equal(tb, windowedKeys*len(spans), doc.WindowCount())
	s, err := state.Compile(doc)
	require.NoError(tb, err)
	return s
}

// BenchmarkDecideWindows asks about keys that have no windows, and about the same keys when each has four, of a thousand
// in all: none of which runs, or one.
func BenchmarkDecideWindows(b *testing.B) {
	p := state.Patch{}
	for i := range 10_000 {
		k := benchRoute(i)
		r := state.Route{Key: k, Shown: k.String(), Deprecation: &state.Deprecation{Since: epoch0}}
		require.NoError(b, p.SetRoute(r))
	}
	doc, err := state.NewDocument(state.Meta{}).With(p, state.Meta{Epoch: "bench", Rev: 1})
	require.NoError(b, err)
	requests := make([]state.Request, 0, windowedKeys)
	for i := range windowedKeys {
		requests = append(requests, state.Request{Method: "GET", Target: benchRoute(i * 8).Path, Env: "prod"})
	}
	daily := func(at time.Duration) (all []time.Duration) {
		for day := range 35 {
			all = append(all, at+time.Duration(day-1)*24*time.Hour)
		}
		return all
	}
	hour := time.Hour
	for _, c := range []struct {
		name    string
		spans   [][]time.Duration
		refused int
	}{
		{"none", nil, 0},
		{"four", [][]time.Duration{{-3 * hour}, {2 * hour}, {4 * hour}, {6 * hour}}, 0},
		{"four-daily", [][]time.Duration{daily(2 * hour), daily(4 * hour), daily(6 * hour), daily(8 * hour)}, 0},
		{"four-one-runs", [][]time.Duration{{-hour / 2}, {2 * hour}, {4 * hour}, {6 * hour}}, windowedKeys},
	} {
		s := benchCalendar(b, doc, c.spans)
		b.Run("windows="+c.name, func(b *testing.B) {
			require.Equal(b, c.refused, decideAll(s, requests))
			require.Zero(b, testing.AllocsPerRun(2, func() { decideAll(s, requests) }))
			for i := 0; b.Loop(); i++ {
				s.Decide(&requests[i%windowedKeys], epoch0)
			}
		})
	}
}
