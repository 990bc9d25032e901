package memstore_test

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestAnIDCountsForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		statetest.Seeded(t, s)
		change := statetest.Block(t, "GET:/a", "x")
		change.ID = "once"
		require.False(t, statetest.Commit(t, s, change).Duplicate)
		time.Sleep(24*time.Hour - time.Second)
		require.True(t, statetest.Commit(t, s, change).Duplicate)
		time.Sleep(2 * time.Second)
		require.False(t, statetest.Commit(t, s, change).Duplicate)
		time.Sleep(23 * time.Hour)
		require.True(t, statetest.Commit(t, s, change).Duplicate, "the day counts from the commit that was made")
	})
}

func TestAnInstanceIsListedForADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		require.NoError(t, s.Report(t.Context(), state.Report{ID: "a"}))
		for _, c := range []struct {
			after time.Duration
			want  state.Presence
		}{
			{0, state.Live},
			{3 * time.Second, state.Live},
			{time.Second, state.Lost},
			{24*time.Hour - 4*time.Second, state.Lost},
		} {
			time.Sleep(c.after)
			all, err := s.Reports(t.Context())
			require.NoError(t, err)
			require.Len(t, all, 1)
			require.Equal(t, c.want, all[0].Presence())
		}
		time.Sleep(time.Second)
		all, err := s.Reports(t.Context())
		require.NoError(t, err)
		require.Empty(t, all)
	})
}

func TestTheLogInMemoryIsBounded(t *testing.T) {
	s := memstore.Open(memstore.Options{Keep: 10})
	base := statetest.Seeded(t, s)
	for i := range 25 {
		statetest.Commit(t, s, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
	}
	_, err := s.Frames(t.Context(), base.Epoch, 14, 100)
	require.ErrorIs(t, err, state.ErrGap)
	frames, err := s.Frames(t.Context(), base.Epoch, 15, 100)
	require.NoError(t, err)
	require.Len(t, frames, 10)
}

// A watcher that does not keep up is ended: nothing is buffered for it, and nothing is left out in silence.
func TestASlowWatcherIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.Open(memstore.Options{Keep: 10})
		statetest.Seeded(t, s)
		var got []uint64
		goOn := make(chan struct{})
		var ended error
		var done sync.WaitGroup
		done.Go(func() {
			ended = s.Watch(t.Context(), state.Watcher{
				Subscribed: func() {},
				Frame:      func(f state.Frame) { got = append(got, f.Rev); <-goOn },
			})
		})
		synctest.Wait()
		for i := range 25 {
			statetest.Commit(t, s, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
			synctest.Wait()
		}
		close(goOn)
		done.Wait()
		require.ErrorIs(t, ended, state.ErrGap)
		require.Equal(t, uint64(1), got[0])
		for i := range got[1:] {
			require.Equal(t, got[i]+1, got[i+1])
		}
	})
}

func TestAClosedStoreIsNotAvailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memstore.New()
		base := statetest.Seeded(t, s)
		var ended error
		var done sync.WaitGroup
		done.Go(func() {
			ended = s.Watch(t.Context(), state.Watcher{Subscribed: func() {}, Frame: func(state.Frame) {}})
		})
		synctest.Wait()
		s.Close()
		s.Close()
		done.Wait()
		require.ErrorIs(t, ended, state.ErrUnavailable)
		_, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
		require.ErrorIs(t, err, state.ErrUnavailable)
		_, err = s.Load(t.Context())
		require.ErrorIs(t, err, state.ErrUnavailable)
		require.ErrorIs(t, s.Seed(t.Context(), base, state.Genesis(2), nil), state.ErrUnavailable)
	})
}

func TestAPatchThatCannotBeReadIsRefused(t *testing.T) {
	s := memstore.New()
	base := statetest.Seeded(t, s)
	c := statetest.Block(t, "GET:/a", "x")
	c.Patch["z:unheard-of"] = []byte(`{}`)
	_, err := s.Commit(t.Context(), base, c)
	require.ErrorIs(t, err, state.ErrDamaged)
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base, p.Meta)
}

// The start time names the generation, so that what forgot everything is followed after a restart.
func TestTheGenerationRisesWithTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := memstore.New().Gen()
		require.Equal(t, uint64(time.Now().UnixMilli()), first)
		time.Sleep(time.Millisecond)
		require.Greater(t, memstore.New().Gen(), first)
	})
}
