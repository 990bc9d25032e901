package redisstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// arrivals notes when each revision was applied by the last of all followers.
type arrivals struct {
	mu       sync.Mutex
	expected int
	at       map[uint64]int // how many followers are at or beyond a revision
	last     map[uint64]chan time.Time
}

// await says that a revision is about to be committed.
func (a *arrivals) await(rev uint64) <-chan time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	done := make(chan time.Time, 1)
	a.last[rev] = done
	return done
}

// applied notes that one follower went from one revision to another.
func (a *arrivals) applied(from, to uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for rev := from + 1; rev <= to; rev++ {
		a.at[rev]++
		if done := a.last[rev]; a.at[rev] == a.expected && done != nil {
			done <- time.Now()
		}
	}
}

// BenchmarkFanout measures the time from the call of Commit until the last of 50 followers enforces it: each has its own
// connections and applies every frame to a document of its own, all in one process, at 20 commits a second. Run it
// for 30 s with -benchtime 600x.
func BenchmarkFanout(b *testing.B) {
	const followers = 50
	for _, routes := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("followers=%d/routes=%d", followers, routes), func(b *testing.B) { fanout(b, followers, routes) })
	}
}

func fanout(b *testing.B, followers, known int) {
	server := parts.Redis(b)
	s := admin(b, server.URL(), "fanout")
	base := state.Genesis(1).Meta
	require.NoError(b, s.Seed(b.Context(), state.Meta{}, large(b, base, known), nil))
	all := &arrivals{expected: followers, at: map[uint64]int{}, last: map[uint64]chan time.Time{}}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for range followers {
		reader, err := redisstore.OpenReader(ctx, server.URL(), "fanout", redisstore.Options{})
		require.NoError(b, err)
		b.Cleanup(func() { _ = reader.Close() })
		at := base.Rev
		f := state.NewFollower(reader, &state.Cache{}, state.FollowerOptions{OnApply: func(now *state.Snapshot, _ []state.Frame) {
			to := now.Document().Rev
			all.applied(at, to)
			at = to
		}})
		running.Go(func() { f.Run(ctx) })
		<-f.Ready()
		eventually(b, func() bool { return f.Status().Link == state.LinkConnected }, "connected")
	}

	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	var whole, answered []time.Duration
	for b.Loop() {
		<-tick.C
		change := statetest.Block(b, fmt.Sprintf("GET:/v1/%d", base.Rev%64), "DB migration")
		done := all.await(base.Rev + 1)
		start := time.Now()
		r, err := s.Commit(b.Context(), base, change)
		require.NoError(b, err)
		answered = append(answered, time.Since(start))
		base = statetest.After(base, r)
		select {
		case at := <-done:
			whole = append(whole, at.Sub(start))
		case <-time.After(patience):
			require.FailNow(b, "a follower never got it")
		}
	}
	report(b, "last", whole)
	report(b, "ack", answered)
}

// report adds the middle and the tail of what was measured.
func report(b *testing.B, what string, took []time.Duration) {
	slices.Sort(took)
	for _, p := range []struct {
		name string
		rank float64
	}{{"p50", 0.50}, {"p99", 0.99}, {"max", 1}} {
		i := min(len(took)-1, int(p.rank*float64(len(took))))
		b.ReportMetric(float64(took[i].Microseconds())/1000, what+"-"+p.name+"-ms")
	}
}
