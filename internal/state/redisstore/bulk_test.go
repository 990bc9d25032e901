package redisstore_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// routes are many known routes, each in maintenance with a reason.
func routes(t testing.TB, n int) []state.Route {
	t.Helper()
	out := make([]state.Route, n)
	for i := range out {
		out[i] = statetest.Blocked(t, fmt.Sprintf("orders:GET:/v1/customers/%d/orders/{id}/lines", i), "database migration, back soon")
	}
	return out
}

// large is a document with many routes.
func large(t testing.TB, meta state.Meta, n int) *state.Document {
	t.Helper()
	p := state.Patch{}
	for _, r := range routes(t, n) {
		require.NoError(t, p.SetRoute(r))
	}
	doc, err := state.NewDocument(meta).With(p, meta)
	require.NoError(t, err)
	return doc
}

// A large document is seeded, loaded, and imported in one commit; Lua's stack holds 8,000 values only.
func TestALargeDocument(t *testing.T) {
	many := 100_000
	if testing.Short() {
		many = 20_000
	}
	server := parts.Redis(t)
	s := admin(t, server.URL(), "bulk")
	meta := state.Genesis(1).Meta
	doc := large(t, meta, many)

	start := time.Now()
	require.NoError(t, s.Seed(t.Context(), state.Meta{}, doc, nil))
	t.Logf("seed: %v", time.Since(start))
	start = time.Now()
	got, err := s.Load(t.Context())
	require.NoError(t, err)
	t.Logf("load: %v", time.Since(start))
	statetest.Same(t, doc, got)

	drop := statetest.Block(t, "GET:/one", "all others go")
	for _, r := range routes(t, many) {
		drop.Patch.DropRoute(r.Key)
	}
	start = time.Now()
	r, err := s.Commit(t.Context(), meta, drop)
	require.NoError(t, err)
	t.Logf("commit that drops them all, %d MB: %v", len(r.Frame.Payload)>>20, time.Since(start))
	got, err = s.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, got.RouteCount())

	start = time.Now()
	one, err := s.Commit(t.Context(), statetest.After(meta, r), statetest.Block(t, "GET:/two", "x"))
	require.NoError(t, err)
	t.Logf("commit of one route: %v", time.Since(start))
	require.Equal(t, meta.Rev+2, one.Frame.Rev)
}

func BenchmarkCommit(b *testing.B) {
	server := parts.Redis(b)
	s := admin(b, server.URL(), "bench")
	base := statetest.Seeded(b, s)
	change := statetest.Block(b, "GET:/payments", "DB migration")
	b.ReportAllocs()
	for b.Loop() {
		r, err := s.Commit(b.Context(), base, change)
		require.NoError(b, err)
		base = statetest.After(base, r)
	}
}

func BenchmarkPulse(b *testing.B) {
	server := parts.Redis(b)
	s := admin(b, server.URL(), "bench")
	statetest.Seeded(b, s)
	b.ReportAllocs()
	for b.Loop() {
		_, err := s.Pulse(b.Context())
		require.NoError(b, err)
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			server := parts.Redis(b)
			s := admin(b, server.URL(), "bench")
			require.NoError(b, s.Seed(b.Context(), state.Meta{}, large(b, state.Genesis(1).Meta, n), nil))
			for b.Loop() {
				doc, err := s.Load(b.Context())
				require.NoError(b, err)
				require.Equal(b, n, doc.RouteCount())
			}
		})
	}
}
