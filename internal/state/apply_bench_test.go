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
