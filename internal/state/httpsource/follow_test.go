package httpsource_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/httpsource"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// instance is a follower over a source, as an instance of waygate-authz has it.
type instance struct {
	*state.Follower
	cache *state.Cache
}

func newInstance(t *testing.T, source state.Source) *instance {
	t.Helper()
	i := &instance{cache: new(state.Cache)}
	i.Follower = state.NewFollower(source, i.cache, state.FollowerOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { i.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return i
}

// equals waits until the instance stands where the store stands, and compares the documents.
func (i *instance) equals(t *testing.T, store state.Store) {
	t.Helper()
	want, err := store.Load(t.Context())
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		snap := i.cache.Load()
		return snap != nil && snap.Document().Meta == want.Meta
	}, patience, time.Millisecond, "it is at %v", i.Status())
	statetest.Same(t, want, i.cache.Load().Document())
}

func seeded(t *testing.T) *memstore.Store {
	t.Helper()
	store := memstore.New()
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(store.Gen()), nil))
	return store
}

func block(t *testing.T, store state.Store, i int) state.Receipt {
	t.Helper()
	return statetest.Commit(t, store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "why"))
}

func TestAnInstanceStaysEqualThroughCuts(t *testing.T) {
	t.Parallel()
	store := seeded(t)
	a := newAdmin(t, store, nil)
	wire := newProxy(t, a.Server)
	i := newInstance(t, newSource(t, wire.URL()))
	i.equals(t, store)
	n := 0
	for range 6 {
		for range 30 {
			block(t, store, n)
			n++
		}
		wire.Cut()
		for range 10 {
			block(t, store, n)
			n++
		}
		wire.Heal()
		i.equals(t, store)
	}
	require.Eventually(t, func() bool { return i.Status().Link == state.LinkConnected }, patience, time.Millisecond)
}

func TestAnAnswerIsAppliedWithoutWaitingForAPoll(t *testing.T) {
	store := seeded(t)
	i := newInstance(t, newSource(t, newAdmin(t, store, nil).URL))
	require.Eventually(t, func() bool { return i.Status().Link == state.LinkConnected }, patience, time.Millisecond)
	var took []time.Duration
	for n := range 20 {
		began := time.Now()
		f := block(t, store, n).Frame
		require.NoError(t, i.Wait(t.Context(), f.Epoch, f.Rev))
		took = append(took, time.Since(began))
	}
	// The machine may be busy at times. Polls, of which each comes 800 ms after the last at the earliest, would be late always.
	slices.Sort(took)
	require.Less(t, took[len(took)/2], 700*time.Millisecond)
}

func TestAnInstanceFollowsAnAdminThatStartsAgain(t *testing.T) {
	first := seeded(t)
	a := newAdmin(t, first, nil)
	at := a.Listener.Addr().String()
	i := newInstance(t, newSource(t, a.URL))
	for n := range 10 {
		block(t, first, n)
	}
	i.equals(t, first)
	a.stop()
	require.Eventually(t, func() bool { return i.Status().Link == state.LinkReconnecting }, patience, time.Millisecond)
	require.Equal(t, uint64(10), i.Status().Rev, "what it knew is forgotten")

	second := seeded(t)
	require.Greater(t, second.Gen(), first.Gen())
	newAdmin(t, second, listen(t, at))
	i.equals(t, second)
	block(t, second, 99)
	i.equals(t, second)
}

func TestAnInstanceHoldsOnWhenTheAdminComesBackWithLess(t *testing.T) {
	first := memstore.New()
	statetest.Seeded(t, first)
	a := newAdmin(t, first, nil)
	i := newInstance(t, newSource(t, a.URL))
	block(t, first, 1)
	i.equals(t, first)
	at := a.Listener.Addr().String()
	a.stop()

	second := memstore.New()
	statetest.Seeded(t, second) // of the same generation
	newAdmin(t, second, listen(t, at))
	require.Eventually(t, func() bool { return i.Status().Link == state.LinkHolding }, patience, time.Millisecond)
	require.Equal(t, uint64(1), i.Status().Rev)
	require.Contains(t, i.Status().Alarm, "another history")
}

func TestASilentLinkIsNoticed(t *testing.T) {
	t.Parallel()
	store := seeded(t)
	wire := newProxy(t, newAdmin(t, store, nil).Server)
	source := newSource(t, wire.URL())
	w := watch(t, source)
	require.NoError(t, <-w.subscribed)
	wire.Silence()
	began := time.Now()
	err := <-w.ended
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.ErrorContains(t, err, "silent")
	require.Less(t, time.Since(began), 3*time.Second)

	// One that never says a word is noticed too, and calls end with their deadline.
	w = watch(t, source)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = source.Pulse(ctx)
	require.ErrorIs(t, err, state.ErrUnavailable)
	began = time.Now()
	require.ErrorIs(t, <-w.ended, state.ErrUnavailable)
	require.Less(t, time.Since(began), 3*time.Second)
}

func TestAStreamThatGoesOnIsNotTakenForSilent(t *testing.T) {
	t.Parallel()
	store := seeded(t)
	w := watch(t, newSource(t, newAdmin(t, store, nil).URL))
	require.NoError(t, <-w.subscribed)
	select {
	case err := <-w.ended:
		require.NoError(t, err)
	case <-time.After(4 * time.Second):
	}
	want := block(t, store, 1).Frame
	require.Equal(t, want, <-w.frames)
}

func TestAnInstanceOverASilentLinkCatchesUp(t *testing.T) {
	t.Parallel()
	store := seeded(t)
	wire := newProxy(t, newAdmin(t, store, nil).Server)
	i := newInstance(t, newSource(t, wire.URL()))
	i.equals(t, store)
	wire.Silence()
	block(t, store, 1)
	require.Eventually(t, func() bool { return i.Status().Link == state.LinkReconnecting }, patience, time.Millisecond)
	wire.Heal()
	i.equals(t, store)
}

func TestCloseEndsEverything(t *testing.T) {
	store := seeded(t)
	source := newSource(t, newAdmin(t, store, nil).URL)
	w := watch(t, source)
	require.NoError(t, <-w.subscribed)
	require.NoError(t, source.Close())
	err := <-w.ended
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.NotErrorIs(t, err, context.Canceled)
	_, err = source.Pulse(t.Context())
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.NotErrorIs(t, err, context.Canceled)
}

// watching is a watch that runs until its test ends.
type watching struct {
	subscribed chan error
	frames     chan state.Frame
	ended      chan error
}

func watch(t *testing.T, source *httpsource.Source) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{subscribed: make(chan error, 1), frames: make(chan state.Frame, 16), ended: make(chan error, 1)}
	var running sync.WaitGroup
	running.Go(func() {
		err := source.Watch(ctx, state.Watcher{
			Subscribed: func() { w.subscribed <- nil },
			Frame:      func(f state.Frame) { w.frames <- f },
		})
		select {
		case w.subscribed <- errors.New("never confirmed"):
		default:
		}
		w.ended <- err
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return w
}
