package statetest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// reported is the last report of an instance, and whether there is one.
func reported(t *testing.T, s state.Fleet, id string) (state.Report, bool) {
	t.Helper()
	all, err := s.Reports(t.Context())
	require.NoError(t, err)
	i := slices.IndexFunc(all, func(r state.Report) bool { return r.ID == id })
	if i < 0 {
		return state.Report{}, false
	}
	return all[i], true
}

func reportsAreStamped(t *testing.T, open Open) {
	handles := open(t, 2)
	// The fleet reports whether or not there is a document.
	sent := state.Report{
		ID: "host-1:9001", Boot: "b1", Version: "1.0", Service: "orders", Env: "staging", Epoch: "e", Gen: 7, Rev: 42,
		Link: "connected", Alarm: "none", Checks: 1 << 60, Refused: 2, Unreadable: 3,
		Hits: map[string]uint64{"GET:/a": 1}, Unseen: map[string]uint64{"GET:/x/{}": 2},
	}
	wrong := sent
	wrong.Seen, wrong.Age = time.Unix(0, 0), time.Hour
	require.NoError(t, handles[0].Report(t.Context(), wrong))
	require.NoError(t, handles[1].Report(t.Context(), state.Report{ID: "host-2:9001", Bye: true}))

	got, ok := reported(t, handles[1], sent.ID)
	require.True(t, ok)
	require.WithinDuration(t, time.Now(), got.Seen, time.Minute)
	require.GreaterOrEqual(t, got.Age, time.Duration(0))
	require.Less(t, got.Age, patience)
	require.Equal(t, state.Live, got.Presence())
	seen := got.Seen
	got.Seen, got.Age = time.Time{}, 0
	require.Equal(t, sent, got)
	other, ok := reported(t, handles[0], "host-2:9001")
	require.True(t, ok)
	require.Equal(t, state.Gone, other.Presence())

	// Silence grows by the store's clock, and a new report ends it.
	limit := time.Now().Add(patience)
	for got.Age < 20*time.Millisecond {
		require.True(t, time.Now().Before(limit), "the age does not grow")
		got, ok = reported(t, handles[0], sent.ID)
		require.True(t, ok)
		require.Equal(t, seen, got.Seen)
	}
	sent.Rev = 43
	require.NoError(t, handles[0].Report(t.Context(), sent))
	got, ok = reported(t, handles[1], sent.ID)
	require.True(t, ok)
	require.Equal(t, uint64(43), got.Rev)
	require.True(t, got.Seen.After(seen))
}

func instanceForgotten(t *testing.T, open Open) {
	handles := open(t, 2)
	Seeded(t, handles[0])
	require.ErrorIs(t, handles[0].Forget(t.Context(), "nobody"), state.ErrNotFound)
	require.NoError(t, handles[0].Report(t.Context(), state.Report{ID: "a"}))
	require.NoError(t, handles[0].Report(t.Context(), state.Report{ID: "b"}))
	require.NoError(t, handles[1].Forget(t.Context(), "a"))
	_, ok := reported(t, handles[0], "a")
	require.False(t, ok)
	_, ok = reported(t, handles[0], "b")
	require.True(t, ok)
	require.ErrorIs(t, handles[0].Forget(t.Context(), "a"), state.ErrNotFound)
	// One that reports again is there again.
	require.NoError(t, handles[0].Report(t.Context(), state.Report{ID: "a"}))
	_, ok = reported(t, handles[1], "a")
	require.True(t, ok)
}
