package state_test

import (
	"context"
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

// scene is a follower of a memory store over a link that fails on demand.
type scene struct {
	t     *testing.T
	link  *statetest.Flaky
	cache *state.Cache
	*state.Follower
	stop func()

	mu      sync.Mutex
	applied []*state.Snapshot
	batches [][]state.Frame
	told    []state.FollowStatus
}

// newScene prepares a follower; start runs it until the test ends or stop.
func newScene(t *testing.T, store state.Backend) *scene {
	t.Helper()
	s := &scene{t: t, link: statetest.NewFlaky(store), cache: &state.Cache{}}
	s.Follower = state.NewFollower(s.link, s.cache, state.FollowerOptions{
		OnApply: func(snap *state.Snapshot, frames []state.Frame) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.applied, s.batches = append(s.applied, snap), append(s.batches, frames)
		},
		OnState: func(st state.FollowStatus) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.told = append(s.told, st)
		},
	})
	return s
}

func (s *scene) start() *scene {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	var done sync.WaitGroup
	done.Go(func() { s.Run(ctx) })
	s.stop = func() { cancel(); done.Wait() }
	s.t.Cleanup(s.stop)
	synctest.Wait()
	return s
}

// pass lets time go by.
func (s *scene) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// within waits until cond holds, and fails the test when that takes longer than d.
func (s *scene) within(d time.Duration, what string, cond func() bool) {
	s.t.Helper()
	start := time.Now()
	for !cond() {
		require.LessOrEqual(s.t, time.Since(start), d, "%s: %+v", what, s.Status())
		s.pass(time.Millisecond)
	}
}

// commit changes the store behind the link.
func (s *scene) commit(key string) state.Receipt {
	s.t.Helper()
	r := statetest.Commit(s.t, s.link.Behind(), statetest.Block(s.t, key, "x"))
	synctest.Wait()
	return r
}

// equal requires that the follower holds what the store holds.
func (s *scene) equal() {
	s.t.Helper()
	want, err := s.link.Behind().Load(s.t.Context())
	require.NoError(s.t, err)
	require.NotNil(s.t, s.cache.Load())
	statetest.Same(s.t, want, s.cache.Load().Document())
	require.Equal(s.t, want.Meta, s.Status().Meta)
}

// unmoved requires that the follower stands at m and holds the source off with an alarm.
func (s *scene) unmoved(m state.Meta) {
	s.t.Helper()
	st := s.Status()
	require.Equal(s.t, m, st.Meta)
	require.Equal(s.t, state.LinkHolding, st.Link)
	require.NotEmpty(s.t, st.Alarm)
	require.Equal(s.t, m, s.cache.Load().Document().Meta)
}

func seeded(t *testing.T, keys ...string) *memstore.Store {
	t.Helper()
	s := memstore.New()
	statetest.Seeded(t, s)
	for _, key := range keys {
		statetest.Commit(t, s, statetest.Block(t, key, "x"))
	}
	return s
}

func TestFollowerAppliesFramesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t, "GET:/a")).start()
		s.equal()
		require.Equal(t, state.LinkConnected, s.Status().Link)
		select {
		case <-s.Ready():
		default:
			require.Fail(t, "it has a snapshot and is not ready")
		}
		before := time.Now()
		for i := range 20 {
			r := s.commit(fmt.Sprintf("GET:/%d", i))
			s.equal()
			s.mu.Lock()
			require.Equal(t, []state.Frame{r.Frame}, s.batches[len(s.batches)-1])
			s.mu.Unlock()
		}
		require.Equal(t, before, time.Now(), "a frame was not applied when it came")
		require.Equal(t, before, s.Status().LastInStep)
	})
}

func TestFollowerWaitsForAStoreToBeCreated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, memstore.New()).start()
		s.pass(time.Minute)
		require.Nil(t, s.cache.Load())
		require.Contains(t, s.Status().Alarm, "empty")
		select {
		case <-s.Ready():
			require.Fail(t, "it is ready with nothing")
		default:
		}
		statetest.Seeded(t, s.link.Behind())
		s.within(1300*time.Millisecond, "the first document", func() bool { return s.cache.Load() != nil })
		s.equal()
		require.Empty(t, s.Status().Alarm)
	})
}

func TestFollowerCatchesUpFromTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t)).start()
		s.link.Cut()
		s.pass(time.Second)
		for i := range 2500 {
			statetest.Commit(t, s.link.Behind(), statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
		}
		s.link.Heal()
		s.within(2100*time.Millisecond, "catching up", func() bool { return s.Status().Rev == 2500 })
		s.equal()
		s.mu.Lock()
		defer s.mu.Unlock()
		total := 0
		for _, b := range s.batches[1:] {
			require.NotEmpty(t, b, "it read the whole document where the log reaches")
			total += len(b)
		}
		require.Equal(t, 2500, total)
	})
}

func TestFollowerReadsTheDocumentWhereTheLogDoesNotReach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.Open(memstore.Options{Keep: 5})
		statetest.Seeded(t, store)
		s := newScene(t, store).start()
		s.link.Cut()
		for i := range 50 {
			statetest.Commit(t, store, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
		}
		s.link.Heal()
		s.within(2100*time.Millisecond, "catching up", func() bool { return s.Status().Rev == 50 })
		s.equal()
	})
}

func TestFollowerFillsAGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t)).start()
		s.pass(10 * time.Second)
		before := time.Now()
		s.link.DropFrames(3)
		for i := range 4 {
			s.commit(fmt.Sprintf("GET:/%d", i))
		}
		s.equal()
		require.Equal(t, before, time.Now(), "a gap was not filled when it showed")

		// Where nothing comes after what was lost, the next poll finds it.
		s.link.DropFrames(1)
		s.commit("GET:/last")
		s.within(1200*time.Millisecond, "the lost frame", func() bool { return s.Status().Rev == 5 })
		s.equal()
	})
}

func TestFollowerNoticesACutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t, "GET:/a")).start()
		s.pass(time.Minute)
		s.link.Cut()
		synctest.Wait()
		require.Equal(t, state.LinkReconnecting, s.Status().Link)
		require.NotEmpty(t, s.Status().Trouble)
		s.pass(time.Hour)
		require.NotNil(t, s.cache.Load())
		require.Empty(t, s.Status().Alarm)
		s.link.Heal()
		s.within(2100*time.Millisecond, "reconnecting", func() bool { return s.Status().Link == state.LinkConnected })
		require.Empty(t, s.Status().Trouble)
		s.equal()
	})
}

func TestFollowerNoticesSilenceWithinThreeSeconds(t *testing.T) {
	for _, after := range []time.Duration{0, 300 * time.Millisecond, 799 * time.Millisecond, 1100 * time.Millisecond} {
		t.Run(after.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, seeded(t)).start()
				s.pass(time.Minute + after)
				s.link.Silence()
				s.within(3*time.Second, "noticing", func() bool { return s.Status().Link == state.LinkReconnecting })
				last := s.Status().LastContact
				s.pass(time.Minute)
				require.Equal(t, last, s.Status().LastContact)
				statetest.Commit(t, s.link.Behind(), statetest.Block(t, "GET:/a", "x"))
				s.link.Heal()
				s.within(5*time.Second, "reconnecting", func() bool { return s.Status().Link == state.LinkConnected })
				s.equal()
			})
		})
	}
}

func TestFollowerReplacesADeafSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t)).start()
		s.pass(10 * time.Second)
		s.link.Deafen()
		synctest.Wait()
		s.commit("GET:/a")
		s.within(1200*time.Millisecond, "the poll", func() bool { return s.Status().Rev == 1 })
		s.within(2*time.Second, "noticing", func() bool { return s.Status().Link == state.LinkReconnecting })
		s.link.Heal()
		s.within(5*time.Second, "reconnecting", func() bool { return s.Status().Link == state.LinkConnected })
		before := time.Now()
		s.commit("GET:/b")
		require.Equal(t, before, time.Now())
		s.equal()
	})
}

func TestFollowerReplacesASubscriptionThatIsNeverConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t))
		s.link.Deafen()
		s.start()
		s.pass(time.Second)
		require.Equal(t, state.LinkReconnecting, s.Status().Link)
		s.equal()
		s.link.Heal()
		s.within(6*time.Second, "reconnecting", func() bool { return s.Status().Link == state.LinkConnected })
	})
}

func TestFollowerKeepsAGoodSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t)).start()
		for i := range 300 {
			s.pass(time.Duration(i*37%1000) * time.Millisecond)
			s.commit(fmt.Sprintf("GET:/%d", i))
		}
		s.equal()
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Len(t, s.told, 1, "the link was given up without a reason: %+v", s.told)
		require.Equal(t, state.LinkConnected, s.told[0].Link)
	})
}

func TestFollowerBeginsWithWhatItKnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := seeded(t, "GET:/a")
		doc, err := store.Load(t.Context())
		require.NoError(t, err)
		snap, err := state.Compile(doc)
		require.NoError(t, err)
		statetest.Commit(t, store, statetest.Block(t, "GET:/b", "x"))

		s := newScene(t, store)
		s.link.Cut()
		s.SetInitial(snap)
		<-s.Ready()
		s.start()
		s.pass(time.Hour)
		require.Equal(t, doc.Meta, s.Status().Meta)
		require.Equal(t, state.LinkReconnecting, s.Status().Link)
		require.Zero(t, s.Status().LastInStep)
		s.link.Heal()
		s.within(2100*time.Millisecond, "catching up", func() bool { return s.Status().Rev == 2 })
		s.equal()
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Len(t, s.batches, 1)
		require.Len(t, s.batches[0], 1, "it read the whole document where one frame was missing")
	})
}

func TestFollowerWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t, "GET:/a")).start()
		at := s.Status().Meta
		require.NoError(t, s.Wait(t.Context(), at.Epoch, 1))
		done := make(chan error, 1)
		go func() { done <- s.Wait(t.Context(), at.Epoch, 3) }()
		s.commit("GET:/b")
		require.Empty(t, done)
		s.commit("GET:/c")
		require.NoError(t, <-done)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, s.Wait(ctx, at.Epoch, 100), context.DeadlineExceeded)
		require.ErrorIs(t, s.Wait(ctx, state.NewEpoch(), 0), context.DeadlineExceeded)

		go func() { done <- s.Wait(t.Context(), at.Epoch, 100) }()
		synctest.Wait()
		p, err := s.link.Pulse(t.Context())
		require.NoError(t, err)
		next := state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: 1003}
		require.NoError(t, s.link.Seed(t.Context(), p.Meta, state.NewDocument(next), nil))
		s.pass(2 * time.Second)
		require.ErrorIs(t, <-done, state.ErrGap)
	})
}

func TestFollowerSpreadsPollsAndReconnects(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		counting := &countingSource{Source: statetest.NewFlaky(seeded(t))}
		f := state.NewFollower(counting, &state.Cache{}, state.FollowerOptions{})
		go f.Run(t.Context())
		time.Sleep(100 * time.Second)
		synctest.Wait()
		require.InDelta(t, 100, counting.pulses.Load(), 20, "a poll each second, give or take a fifth")
		require.Equal(t, int64(1), counting.watches.Load())
		counting.Source.(*statetest.Flaky).Cut()
		synctest.Wait()
		counting.watches.Store(0)
		time.Sleep(100 * time.Second)
		synctest.Wait()
		require.InDelta(t, 105, counting.watches.Load(), 45, "a mean pause of one second after the first few")
	})
}
