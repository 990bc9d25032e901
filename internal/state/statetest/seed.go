package statetest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func seedCompares(t *testing.T, open Open) {
	s := one(t, open)
	base := Seeded(t, s)
	now := After(base, Commit(t, s, Block(t, "GET:/a", "kept")))
	otherHead, otherEpoch := now, now
	otherHead.Head[31] ^= 1
	otherEpoch.Epoch = state.NewEpoch()
	next := Document(t, state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1001}, "GET:/new")
	for _, c := range []struct {
		name string
		seen state.Meta
	}{
		{"as if it were empty", state.Meta{}},
		{"behind", base},
		{"another head", otherHead},
		{"another epoch", otherEpoch},
	} {
		require.ErrorIs(t, s.Seed(t.Context(), c.seen, next, nil), state.ErrConflict, c.name)
	}
	doc, err := s.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, now, doc.Meta)
	require.Equal(t, "kept", Reason(t, doc, "GET:/a"))
	require.NoError(t, s.Seed(t.Context(), now, next, nil))
	doc, err = s.Load(t.Context())
	require.NoError(t, err)
	Same(t, next, doc)
}

func seedOnce(t *testing.T, open Open) {
	const admins = 8
	handles := open(t, admins)
	seen := state.Meta{}
	for round := range 5 {
		docs := make([]*state.Document, admins)
		errs := make([]error, admins)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for a, s := range handles {
			meta := state.Meta{Epoch: state.NewEpoch(), Gen: uint64(round + 1), Rev: seen.Rev + 1000, Head: seen.Head}
			docs[a] = Document(t, meta, "GET:/a")
			wg.Go(func() {
				<-start
				errs[a] = s.Seed(t.Context(), seen, docs[a], nil)
			})
		}
		close(start)
		wg.Wait()
		winner := -1
		for a, err := range errs {
			if err == nil {
				require.Equal(t, -1, winner, "two seeds won")
				winner = a
				continue
			}
			require.ErrorIs(t, err, state.ErrConflict)
		}
		require.NotEqual(t, -1, winner, "no seed won")
		doc, err := handles[0].Load(t.Context())
		require.NoError(t, err)
		Same(t, docs[winner], doc)
		seen = doc.Meta
	}
}

func seedReplaces(t *testing.T, open Open) {
	handles := open(t, 2)
	first := Seeded(t, handles[0])
	change := Block(t, "GET:/old", "x")
	change.Private = map[string][]byte{"old": []byte("1")}
	before := After(first, Commit(t, handles[0], change))
	require.NoError(t, handles[0].Beat(t.Context()))

	meta := state.Meta{Epoch: state.NewEpoch(), Gen: 7, Rev: before.Rev + 1000, Head: before.Head}
	want := Document(t, meta, "GET:/new", "/v1/**", "orders:POST:/pay/{id}")
	require.NoError(t, handles[1].Seed(t.Context(), before, want, map[string][]byte{"new": []byte("2")}))

	p, err := handles[0].Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, meta, p.Meta)
	doc, err := handles[0].Load(t.Context())
	require.NoError(t, err)
	Same(t, want, doc)
	private, err := handles[0].Private(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{"new": []byte("2")}, private)

	_, err = handles[0].Commit(t.Context(), before, Block(t, "GET:/a", "on the old history"))
	require.ErrorIs(t, err, state.ErrConflict)
	r, err := handles[0].Commit(t.Context(), meta, Block(t, "GET:/a", "x"))
	require.NoError(t, err)
	require.NoError(t, chained(meta, []state.Frame{r.Frame}))
}

func beatShows(t *testing.T, open Open) {
	handles := open(t, 2)
	meta := Seeded(t, handles[0])
	p, err := handles[0].Pulse(t.Context())
	require.NoError(t, err)
	require.Zero(t, p.Beat)
	require.NoError(t, handles[0].Beat(t.Context()))
	p, err = handles[1].Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, meta, p.Meta)
	require.WithinDuration(t, p.Now, p.Beat, patience)
	require.False(t, p.Beat.After(p.Now))
	first := p.Beat
	limit := time.Now().Add(patience)
	for !p.Beat.After(first) {
		require.True(t, time.Now().Before(limit), "a later beat does not show")
		require.NoError(t, handles[1].Beat(t.Context()))
		p, err = handles[0].Pulse(t.Context())
		require.NoError(t, err)
	}
	// A commit is no reason to forget it.
	Commit(t, handles[0], Block(t, "GET:/a", "x"))
	after, err := handles[0].Pulse(t.Context())
	require.NoError(t, err)
	require.False(t, after.Beat.Before(p.Beat))
}

func cancelledChangesNothing(t *testing.T, open Open) {
	s := one(t, open)
	base := Seeded(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Commit(ctx, base, Block(t, "GET:/a", "x"))
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, state.ErrUnknownOutcome, "nothing was sent")
	next := Document(t, state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1000})
	require.ErrorIs(t, s.Seed(ctx, base, next, nil), context.Canceled)
	require.ErrorIs(t, s.Beat(ctx), context.Canceled)
	_, err = s.Private(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.Report(ctx, state.Report{ID: "a"}), context.Canceled)
	_, err = s.Reports(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, s.Forget(ctx, "a"), context.Canceled)
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base, p.Meta)
	require.Zero(t, p.Beat)
}
