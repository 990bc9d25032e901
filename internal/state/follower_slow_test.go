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
)

// slowSource gives its answers late: they tell where the source stood when it was asked.
type slowSource struct {
	state.Source
	delay, loadDelay time.Duration

	mu    sync.Mutex
	reset context.CancelFunc
}

func (s *slowSource) Pulse(ctx context.Context) (state.Pulse, error) {
	p, err := s.Source.Pulse(ctx)
	select {
	case <-time.After(s.delay):
		return p, err
	case <-ctx.Done():
		return state.Pulse{}, ctx.Err()
	}
}

func (s *slowSource) Load(ctx context.Context) (*state.Document, error) {
	doc, err := s.Source.Load(ctx)
	time.Sleep(s.loadDelay)
	return doc, err
}

func (s *slowSource) Watch(ctx context.Context, w state.Watcher) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	s.reset = cancel
	s.mu.Unlock()
	return s.Source.Watch(ctx, w)
}

// cutWatch ends the subscription alone.
func (s *slowSource) cutWatch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reset()
}

func TestFollowerTakesALatePulseForNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t))
		told := 0
		s.Follower = state.NewFollower(&slowSource{Source: s.link, delay: 500 * time.Millisecond}, s.cache,
			state.FollowerOptions{OnState: func(state.FollowStatus) { told++ }})
		s.start()
		s.pass(time.Second)
		for i := range 300 {
			s.commit(fmt.Sprintf("GET:/%d", i))
			s.equal()
			s.pass(100 * time.Millisecond)
			require.Equal(t, state.LinkConnected, s.Status().Link)
			require.Empty(t, s.Status().Alarm)
		}
		require.Equal(t, 1, told)
	})
}

func TestFollowerAsksAgainOnceSubscribed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t))
		const delay = 300 * time.Millisecond
		slow := &slowSource{Source: s.link, delay: delay}
		// Without jitter: a poll each 0.8 s, and a reconnect at once.
		s.Follower = state.NewFollower(slow, s.cache, state.FollowerOptions{Random: func() float64 { return 0 }})
		s.start()
		for s.Status().LastInStep != time.Now() {
			s.pass(time.Millisecond)
		}
		// A poll is on its way while the subscription is replaced and a commit falls between the two.
		s.pass(800*time.Millisecond - delay + 10*time.Millisecond)
		s.link.DropFrames(1)
		s.commit("GET:/between")
		require.Equal(t, uint64(0), s.Status().Rev)
		slow.cutWatch()
		s.within(2*delay, "the commit that neither of the two told of", func() bool { return s.Status().Rev == 1 })
		s.equal()
	})
}

func TestFollowerCatchesUpWithWhatHappenedWhileItRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t))
		slow := &slowSource{Source: s.link, loadDelay: 10 * time.Second}
		s.Follower = state.NewFollower(slow, s.cache, state.FollowerOptions{})
		s.start()
		for i := range 50 {
			s.pass(100 * time.Millisecond)
			s.commit(fmt.Sprintf("GET:/%d", i))
		}
		require.Nil(t, s.cache.Load())
		s.pass(5*time.Second + time.Millisecond)
		s.equal()
	})
}

func TestFollowerKeepsItsSubscriptionOverASeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t, "GET:/a")).start()
		s.pass(time.Minute)
		at := s.Status().Meta
		next := state.Meta{Epoch: state.NewEpoch(), Gen: at.Gen + 1, Rev: at.Rev + 1000, Head: at.Head}
		require.NoError(t, s.link.Seed(t.Context(), at, state.NewDocument(next), nil))
		s.pass(time.Minute)
		s.commit("GET:/b")
		s.pass(time.Minute)
		s.equal()
		s.mu.Lock()
		defer s.mu.Unlock()
		require.Len(t, s.told, 1, "the link was given up without a reason: %+v", s.told)
	})
}
