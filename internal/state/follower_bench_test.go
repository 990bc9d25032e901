package state_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// One route of a large document changes: how long from the frame being there to the pointer being swapped.
func BenchmarkFollowerApply(b *testing.B) {
	const routes = 100_000
	patch := state.Patch{}
	for i := range routes {
		key := fmt.Sprintf("GET:/service-%d/things/{id}/part-%d", i%100, i)
		require.NoError(b, patch.SetRoute(statetest.Blocked(b, key, "x")))
	}
	meta := state.Meta{Epoch: "E", Gen: 1}
	doc, err := state.NewDocument(meta).With(patch, meta)
	require.NoError(b, err)
	store := memstore.New()
	require.NoError(b, store.Seed(b.Context(), state.Meta{}, doc, nil))
	applied := make(chan time.Time, 1)
	var cache state.Cache
	follower := state.NewFollower(store, &cache, state.FollowerOptions{
		OnApply: func(*state.Snapshot, []state.Frame) { applied <- time.Now() },
	})
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go follower.Run(ctx)
	<-applied
	require.Equal(b, routes, cache.Load().Document().RouteCount())

	changes := make([]state.Change, 64)
	for i := range changes {
		changes[i] = statetest.Block(b, fmt.Sprintf("GET:/service-%d/things/{id}/part-%d", i, i), "y")
		changes[i].Was, err = doc.Was(changes[i].Patch)
		require.NoError(b, err)
	}
	var took []time.Duration
	n := 0
	for b.Loop() {
		r, err := store.Commit(b.Context(), meta, changes[n%len(changes)])
		require.NoError(b, err)
		meta = statetest.After(meta, r)
		start := time.Now()
		took = append(took, (<-applied).Sub(start))
		n++
	}
	require.Equal(b, meta, cache.Load().Document().Meta)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
}
