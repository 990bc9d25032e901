package statetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func trimShortens(t *testing.T, open Open) {
	s := one(t, open)
	require.ErrorIs(t, s.Trim(t.Context(), state.NewEpoch(), 1), state.ErrEmpty)
	base := Seeded(t, s)
	require.NoError(t, s.Trim(t.Context(), base.Epoch, 1), "there is nothing to trim")
	var all []state.Frame
	for i := range 30 {
		all = append(all, Commit(t, s, Block(t, fmt.Sprintf("GET:/%d", i), "x")).Frame)
	}
	want, err := s.Load(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, s.Trim(t.Context(), state.NewEpoch(), 20), state.ErrConflict)
	require.NoError(t, s.Trim(t.Context(), base.Epoch, 20))
	frames, err := s.Frames(t.Context(), base.Epoch, 19, 100)
	require.NoError(t, err)
	require.Equal(t, all[19:], frames)
	start := begins(t, s)
	require.LessOrEqual(t, start, uint64(19), "no more is gone than was asked for")

	require.NoError(t, s.Trim(t.Context(), base.Epoch, 10), "older than what is there")
	require.Equal(t, start, begins(t, s))
	require.NoError(t, s.Trim(t.Context(), base.Epoch, 1000), "the newest stays")
	frames, err = s.Frames(t.Context(), base.Epoch, 29, 100)
	require.NoError(t, err)
	require.Equal(t, all[29:], frames)

	got, err := s.Load(t.Context())
	require.NoError(t, err)
	Same(t, want, got)
	r := Commit(t, s, Block(t, "GET:/after", "x"))
	require.Equal(t, all[29].Head, r.Frame.Prev)
}

// begins is where the log of a source begins, seen in two ways.
func begins(t *testing.T, s state.Source) uint64 {
	t.Helper()
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	start, err := state.LogStart(t.Context(), s, p.Meta)
	require.NoError(t, err)
	frames, err := s.Frames(t.Context(), p.Epoch, start, 1)
	require.NoError(t, err)
	require.Equal(t, start+1, frames[0].Rev)
	if start > 0 {
		_, err := s.Frames(t.Context(), p.Epoch, start-1, 1)
		require.ErrorIs(t, err, state.ErrGap)
	}
	return start
}
