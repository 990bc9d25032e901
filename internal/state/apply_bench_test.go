package state_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// sealFrame makes the bytes of the frame that sets something on one more route: what a follower receives.
func sealFrame(tb testing.TB, base state.Meta, i int) []byte {
	k := benchRoute(i)
	c := state.Change{Entry: state.Entry{Kind: state.KindChange, At: epoch0, Actor: "ann", Patch: state.Patch{}}}
	r := state.Route{Key: k, Shown: k.String(), Origin: state.OriginCommand, By: "ann", At: epoch0}
	if i%2 == 0 {
		r.Standing = &state.Block{Effect: state.EffectDisabled, Reason: "broken"}
	}
	require.NoError(tb, c.Patch.SetRoute(r))
	frame, err := c.Frame(base)
	require.NoError(tb, err)
	text, err := json.Marshal(frame)
	require.NoError(tb, err)
	return text
}

// BenchmarkApply measures a frame received until the snapshot is in the cache: decoding, hashing, document, index.
func BenchmarkApply(b *testing.B) {
	for _, routes := range []int{10_000, 100_000} {
		s, err := state.Compile(benchDocument(b, routes))
		require.NoError(b, err)
		b.Run(fmt.Sprintf("routes=%d", routes), func(b *testing.B) {
			var cache state.Cache
			var took []time.Duration
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				b.StopTimer()
				text := sealFrame(b, s.Document().Meta, i*7919%routes)
				b.StartTimer()
				start := time.Now()
				frame, err := state.ParseFrame(text)
				require.NoError(b, err)
				s, err = s.Apply(frame)
				require.NoError(b, err)
				cache.Store(s)
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100]), "ns/p99")
			b.ReportMetric(float64(took[len(took)-1]), "ns/max")
		})
	}
}

// BenchmarkCompile measures a document from its fields to a snapshot.
func BenchmarkCompile(b *testing.B) {
	const routes = 100_000
	fields, err := benchDocument(b, routes).Fields()
	require.NoError(b, err)
	b.Run("with", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := state.NewDocument(state.Meta{}).With(fields, state.Meta{Epoch: "bench"})
			require.NoError(b, err)
		}
	})
	doc, err := state.NewDocument(state.Meta{}).With(fields, state.Meta{Epoch: "bench"})
	require.NoError(b, err)
	b.Run("compile", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := state.Compile(doc)
			require.NoError(b, err)
		}
	})
}

// BenchmarkWindows measures one blocked route with and without four windows on it, one of them running, among a
// thousand in the document.
func BenchmarkWindows(b *testing.B) {
	maint := state.EffectMaintenance
	without := factsOf(b).disabled("GET:/a/b/c")
	with := factsOf(b).disabled("GET:/a/b/c").window("GET:/a/b/c", maint, -1, 1)
	for i := range 996 {
		with.window(fmt.Sprintf("/other/%d", i), maint, -i, i)
	}
	for i := range 3 {
		with.window("GET:/a/b/c", maint, 10+i, 20+i)
	}
	for _, c := range []struct {
		name string
		s    *state.Snapshot
	}{
		{name: "none", s: without.compile()},
		{name: "four", s: with.compile()},
	} {
		b.Run(c.name, func(b *testing.B) {
			req := requestOf("GET /a/b/c")
			b.ReportAllocs()
			for b.Loop() {
				d := c.s.Decide(&req, epoch0)
				if d.Cause != state.CauseDisabled {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkExceptions measures a block with few exceptions and one with thousands.
func BenchmarkExceptions(b *testing.B) {
	for _, n := range []int{0, 4, 8, 9, 4000} {
		s := factsOf(b).disabled("/many/**", manyKeys(n)...).compile()
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			req := requestOf("GET /many/other")
			b.ReportAllocs()
			for b.Loop() {
				d := s.Decide(&req, epoch0)
				if !d.Refused() {
					b.Fatal(d)
				}
			}
		})
	}
}

// BenchmarkReadings measures requests that are not plain.
func BenchmarkReadings(b *testing.B) {
	s := factsOf(b).disabled("/pay/**", "/pay/status").maintenance("/users/{id}").compile()
	for _, text := range []string{"GET /users/42", "GET /Users/42", "GET /users/42?page=1&sort=name", "GET /users/jos%C3%A9", "GET /a/b%2Fc/d;v=1", "GET /bad%zz", "POST /x/1 override=PUT"} {
		b.Run(text, func(b *testing.B) {
			req := requestOf(text)
			b.ReportAllocs()
			for b.Loop() {
				s.Decide(&req, epoch0)
			}
		})
	}
}

// BenchmarkRelated measures the queries of commands and answers at 100,000 known routes.
func BenchmarkRelated(b *testing.B) {
	const routes = 100_000
	doc := benchDocument(b, routes)
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			fresh, err := doc.With(state.Patch{}, doc.Meta)
			require.NoError(b, err)
			for range fresh.Containing(benchRoute(0)) {
				break // the tree is there now
			}
		}
	})
	for range doc.Containing(benchRoute(0)) {
		break
	}
	b.Run("containing", func(b *testing.B) {
		b.ReportAllocs()
		found := 0
		for i := 0; b.Loop(); i++ {
			for range doc.Containing(benchRoute(i * 7919 % routes)) {
				found++
			}
		}
		require.Positive(b, found)
	})
	b.Run("overlapping", func(b *testing.B) {
		found := 0
		for i := 0; b.Loop(); i++ {
			for range doc.Overlapping(benchRoute(i * 7919 % routes)) {
				found++
			}
		}
		require.Positive(b, found)
	})
}
