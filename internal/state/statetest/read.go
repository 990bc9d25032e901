package statetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func emptySaysSo(t *testing.T, open OpenSource) {
	source, _ := open(t)
	_, err := source.Pulse(t.Context())
	require.ErrorIs(t, err, state.ErrEmpty)
	_, err = source.Load(t.Context())
	require.ErrorIs(t, err, state.ErrEmpty)
	_, err = source.Frames(t.Context(), state.NewEpoch(), 0, 10)
	require.ErrorIs(t, err, state.ErrEmpty)
}

func readsFollow(t *testing.T, open OpenSource) {
	source, s := open(t)
	base := Seeded(t, s)
	for i := range 5 {
		p, err := source.Pulse(t.Context())
		require.NoError(t, err)
		require.Equal(t, base, p.Meta)
		require.WithinDuration(t, time.Now(), p.Now, time.Minute)
		want, err := s.Load(t.Context())
		require.NoError(t, err)
		got, err := source.Load(t.Context())
		require.NoError(t, err)
		Same(t, want, got)
		base = After(base, Commit(t, s, Block(t, fmt.Sprintf("/users/{id}/%d", i), "<é>")))
	}
}

func loadIsAtomic(t *testing.T, open OpenSource) {
	source, s := open(t)
	base := Seeded(t, s)
	changes := make([]state.Change, 60)
	for i := range changes {
		changes[i] = Block(t, "GET:/left", fmt.Sprint(i+1))
		require.NoError(t, changes[i].Patch.SetRoute(Blocked(t, "GET:/right", fmt.Sprint(i+1))))
	}
	done := commitAll(t, s, changes)
	for running := true; running; {
		select {
		case err := <-done:
			require.NoError(t, err)
			running = false
		default:
		}
		doc, err := source.Load(t.Context())
		require.NoError(t, err)
		if doc.Rev == base.Rev {
			continue
		}
		require.Equal(t, fmt.Sprint(doc.Rev-base.Rev), Reason(t, doc, "GET:/left"))
		require.Equal(t, fmt.Sprint(doc.Rev-base.Rev), Reason(t, doc, "GET:/right"))
		frames, err := source.Frames(t.Context(), doc.Epoch, doc.Rev-1, 1)
		require.NoError(t, err)
		require.Len(t, frames, 1)
		require.Equal(t, doc.Head, frames[0].Head)
	}
}

func framesAreTheLog(t *testing.T, open OpenSource) {
	source, s := open(t)
	base := Seeded(t, s)
	frames, err := source.Frames(t.Context(), base.Epoch, base.Rev, 10)
	require.NoError(t, err)
	require.Empty(t, frames)
	var want []state.Frame
	for i := range 25 {
		want = append(want, Commit(t, s, Block(t, fmt.Sprintf("GET:/%d", i), "<é> & \u2028")).Frame)
	}
	for _, c := range []struct{ after, limit, first, last int }{
		{0, 100, 0, 25},
		{0, 25, 0, 25},
		{0, 10, 0, 10},
		{10, 10, 10, 20},
		{20, 10, 20, 25},
		{24, 1, 24, 25},
		{25, 10, 25, 25},
	} {
		got, err := source.Frames(t.Context(), base.Epoch, base.Rev+uint64(c.after), c.limit)
		require.NoError(t, err)
		require.Len(t, got, c.last-c.first)
		for i := range got {
			require.Equal(t, want[c.first+i], got[i])
		}
	}
	require.NoError(t, chained(base, want))
	// Beyond the head there is nothing, whichever way it is said.
	got, err := source.Frames(t.Context(), base.Epoch, base.Rev+1000, 10)
	require.Empty(t, got)
	require.True(t, err == nil || errors.Is(err, state.ErrGap), "%v", err)
}

func framesGap(t *testing.T, open OpenSource) {
	source, s := open(t)
	seen := Seeded(t, s)
	Commit(t, s, Block(t, "GET:/before", "x"))
	_, err := source.Frames(t.Context(), state.NewEpoch(), 0, 10)
	require.ErrorIs(t, err, state.ErrGap)

	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	next := state.Meta{Epoch: state.NewEpoch(), Gen: seen.Gen + 1, Rev: p.Rev + 1000, Head: p.Head}
	require.NoError(t, s.Seed(t.Context(), p.Meta, Document(t, next, "GET:/before"), nil))
	_, err = source.Frames(t.Context(), seen.Epoch, 0, 10)
	require.ErrorIs(t, err, state.ErrGap)
	_, err = source.Frames(t.Context(), next.Epoch, p.Rev, 10)
	require.ErrorIs(t, err, state.ErrGap)
	frames, err := source.Frames(t.Context(), next.Epoch, next.Rev, 10)
	require.NoError(t, err)
	require.Empty(t, frames)
	after := Commit(t, s, Block(t, "GET:/after", "x"))
	frames, err = source.Frames(t.Context(), next.Epoch, next.Rev, 10)
	require.NoError(t, err)
	require.Equal(t, []state.Frame{after.Frame}, frames)
	require.NoError(t, chained(next, frames))
	_, err = source.Frames(t.Context(), next.Epoch, next.Rev-1, 10)
	require.ErrorIs(t, err, state.ErrGap)
}

func cancelledRead(t *testing.T, open OpenSource) {
	source, s := open(t)
	base := Seeded(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := source.Pulse(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = source.Load(ctx)
	require.ErrorIs(t, err, context.Canceled)
	_, err = source.Frames(ctx, base.Epoch, 0, 10)
	require.ErrorIs(t, err, context.Canceled)
	err = source.Watch(ctx, state.Watcher{Subscribed: func() {}, Frame: func(state.Frame) {}})
	require.ErrorIs(t, err, context.Canceled)
}
