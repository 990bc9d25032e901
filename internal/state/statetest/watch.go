package statetest

import (
	"cmp"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// watching is a Watch that runs until its test ends.
type watching struct {
	subscribed chan struct{}
	frames     chan state.Frame
	ended      chan error
	cancel     context.CancelFunc
}

// watch starts to watch and returns once the subscription is confirmed, or reports what ended it before that.
func watch(t *testing.T, source state.Source, room int) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{
		subscribed: make(chan struct{}), frames: make(chan state.Frame, room), ended: make(chan error, 1), cancel: cancel,
	}
	go func() {
		w.ended <- source.Watch(ctx, state.Watcher{
			Subscribed: func() { close(w.subscribed) },
			Frame: func(f state.Frame) {
				select {
				case w.frames <- f:
				case <-ctx.Done():
				}
			},
		})
	}()
	t.Cleanup(cancel)
	select {
	case <-w.subscribed:
	case err := <-w.ended:
		require.FailNow(t, "the watch ended before it was confirmed", "%v", err)
	case <-time.After(patience):
		require.FailNow(t, "the watch was never confirmed")
	}
	return w
}

// until takes frames up to and with revision rev.
func (w *watching) until(t *testing.T, rev uint64) []state.Frame {
	t.Helper()
	var got []state.Frame
	limit := time.After(patience)
	for len(got) == 0 || got[len(got)-1].Rev < rev {
		select {
		case f := <-w.frames:
			got = append(got, f)
		case err := <-w.ended:
			require.FailNow(t, "the watch ended", "after %d frames: %v", len(got), err)
		case <-limit:
			require.FailNow(t, "frames are missing", "%d came, revision %d did not", len(got), rev)
		}
	}
	return got
}

// stops ends the context of the watch and sees it end by that.
func (w *watching) stops(t *testing.T) {
	t.Helper()
	w.cancel()
	select {
	case err := <-w.ended:
		require.ErrorIs(t, err, context.Canceled)
	case <-time.After(patience):
		require.FailNow(t, "the watch outlived its context")
	}
}

// inStep waits until a source stands where its store stands. It may have a follower of its own behind it: one that is
// still on its way to the store replaces its document as a whole, and that rightly ends a watch.
func inStep(t *testing.T, source state.Source, at state.Meta) {
	t.Helper()
	require.Eventually(t, func() bool {
		doc, err := source.Load(t.Context())
		return err == nil && doc.Meta == at
	}, patience, time.Millisecond, "the source never came to %v", at)
}

func watchMissesNothing(t *testing.T, open OpenSource) {
	const before, during, after = 5, 120, 3
	source, s := open(t)
	base := Seeded(t, s)
	for i := range before {
		base = After(base, Commit(t, s, Block(t, fmt.Sprintf("GET:/before/%d", i), "x")))
	}
	inStep(t, source, base)
	early := watch(t, source, 2*during)
	done := commitAll(t, s, blocks(t, during, "GET:/during/%d"))
	require.Eventually(t, func() bool {
		p, err := s.Pulse(t.Context())
		return err == nil && p.Rev > base.Rev+during/3
	}, patience, time.Millisecond)
	late := watch(t, source, 2*during)
	confirmed, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.NoError(t, <-done)
	for i := range after {
		Commit(t, s, Block(t, fmt.Sprintf("GET:/after/%d", i), "x"))
	}
	last := base.Rev + during + after

	// What was committed before the confirmation may come as well, if in order.
	all := early.until(t, last)
	for len(all) > 0 && all[0].Rev <= base.Rev {
		all = all[1:]
	}
	require.NoError(t, chained(base, all))

	got := late.until(t, last)
	require.LessOrEqual(t, got[0].Rev, confirmed.Rev+1)
	for i, f := range got[1:] {
		require.Equal(t, got[i].Rev+1, f.Rev)
		require.Equal(t, got[i].Head, f.Prev)
	}
	log, err := s.Frames(t.Context(), base.Epoch, got[0].Rev-1, len(got)+1)
	require.NoError(t, err)
	require.Equal(t, log, got)
}

func watchOverSeed(t *testing.T, open OpenSource) {
	source, s := open(t)
	seen := Seeded(t, s)
	inStep(t, source, seen)
	w := watch(t, source, 16)
	next := state.Meta{Epoch: state.NewEpoch(), Gen: seen.Gen + 1, Rev: seen.Rev + 1000, Head: seen.Head}
	require.NoError(t, s.Seed(t.Context(), seen, Document(t, next), nil))
	want := Commit(t, s, Block(t, "GET:/after", "x")).Frame
	select {
	case f := <-w.frames:
		require.Equal(t, want, f)
	case err := <-w.ended:
		require.Error(t, err)
		require.NotErrorIs(t, err, context.Canceled)
	case <-time.After(patience):
		require.FailNow(t, "the watch neither went on nor ended")
	}
}

func watchEnds(t *testing.T, open OpenSource) {
	source, s := open(t)
	inStep(t, source, Seeded(t, s))
	watch(t, source, 1).stops(t)

	// Also in the middle of a stream of frames, with a reader that takes none.
	w := watch(t, source, 0)
	var first uint64
	for i := range 3 {
		r := Commit(t, s, Block(t, fmt.Sprintf("GET:/%d", i), "x"))
		first = cmp.Or(first, r.Frame.Rev)
	}
	w.until(t, first)
	w.stops(t)
}
