package redisstore_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// A store without one of its keys, or with one from a backup of another day, holds nothing: half of it would block
// less than was asked for.
func TestStoreThatLostAPartOfItselfIsEmpty(t *testing.T) {
	server := parts.Redis(t)
	c := raw(t, server)
	for _, test := range []struct {
		name string
		do   func()
		// reader says that those who may not read the private part notice as well.
		reader bool
	}{
		{"everything", func() { run(t, c, "FLUSHALL") }, true},
		{"meta", func() { run(t, c, "DEL", "{wg:part}:meta") }, true},
		{"state", func() { run(t, c, "DEL", "{wg:part}:state") }, true},
		{"private", func() { run(t, c, "DEL", "{wg:part}:private") }, false},
		{"an older state", func() {
			run(t, c, "COPY", "{wg:part}:older", "{wg:part}:state", "REPLACE")
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			run(t, c, "FLUSHALL")
			s := admin(t, server.URL(), "part")
			base := statetest.Seeded(t, s)
			run(t, c, "COPY", "{wg:part}:state", "{wg:part}:older")
			base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/a", "kept")))
			doc, err := s.Load(t.Context())
			require.NoError(t, err)
			reader, err := redisstore.OpenReader(t.Context(), server.URL(), "part", redisstore.Options{})
			require.NoError(t, err)
			defer reader.Close()

			test.do()
			_, err = s.Pulse(t.Context())
			require.ErrorIs(t, err, state.ErrEmpty)
			_, err = s.Load(t.Context())
			require.ErrorIs(t, err, state.ErrEmpty)
			_, err = s.Private(t.Context())
			require.ErrorIs(t, err, state.ErrEmpty)
			_, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/b", "x"))
			require.ErrorIs(t, err, state.ErrEmpty)
			if test.reader {
				_, err = reader.Load(t.Context())
				require.ErrorIs(t, err, state.ErrEmpty)
				_, err = reader.Pulse(t.Context())
				require.ErrorIs(t, err, state.ErrEmpty)
			}

			// It is seeded as an empty one, once.
			next := state.Meta{Epoch: state.NewEpoch(), Gen: base.Gen + 1, Rev: base.Rev + 1000, Head: base.Head}
			repaired, err := doc.With(nil, next)
			require.NoError(t, err)
			require.ErrorIs(t, s.Seed(t.Context(), base, repaired, nil), state.ErrConflict)
			require.NoError(t, s.Seed(t.Context(), state.Meta{}, repaired, nil))
			require.ErrorIs(t, s.Seed(t.Context(), state.Meta{}, repaired, nil), state.ErrConflict)
			got, err := reader.Load(t.Context())
			require.NoError(t, err)
			statetest.Same(t, repaired, got)
		})
	}
}

func TestStoreWithoutItsLogGoesOn(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "log"), raw(t, server)
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/a", "x")))
	run(t, c, "DEL", "{wg:log}:log")
	_, err := s.Frames(t.Context(), base.Epoch, 0, 10)
	require.ErrorIs(t, err, state.ErrGap)
	r, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/b", "x"))
	require.NoError(t, err)
	frames, err := s.Frames(t.Context(), base.Epoch, base.Rev, 10)
	require.NoError(t, err)
	require.Equal(t, []state.Frame{r.Frame}, frames)
}

func TestSeedLeavesNothingBehind(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "staged"), raw(t, server)
	doc := large(t, state.Genesis(1).Meta, 5_000)
	require.NoError(t, s.Seed(t.Context(), state.Meta{}, doc, map[string][]byte{"k": []byte("v")}))
	require.ErrorIs(t, s.Seed(t.Context(), state.Meta{}, doc, nil), state.ErrConflict)
	require.EqualValues(t, -1, run(t, c, "PTTL", "{wg:staged}:state"), "it stays")
	require.ElementsMatch(t, []any{"{wg:staged}:meta", "{wg:staged}:state", "{wg:staged}:private"}, run(t, c, "KEYS", "*"))
	got, err := s.Load(t.Context())
	require.NoError(t, err)
	statetest.Same(t, doc, got)
}

// An id counts in the history it was committed in. A document that is seeded need not hold that change, so it is made
// again rather than believed to be made.
func TestIDsEndWithTheirHistory(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "ids")
	base := statetest.Seeded(t, s)
	change := statetest.Block(t, "GET:/a", "x")
	change.ID = "once"
	_, err := s.Commit(t.Context(), base, change)
	require.NoError(t, err)
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	ttl := run(t, raw(t, server), "PTTL", "{wg:ids}:idem:once").(int64)
	require.InDelta(t, (24 * time.Hour).Milliseconds(), ttl, float64(time.Minute.Milliseconds()))

	next := state.NewDocument(state.Meta{Epoch: state.NewEpoch(), Gen: 2, Rev: p.Rev + 1000})
	require.NoError(t, s.Seed(t.Context(), p.Meta, next, nil))
	r, err := s.Commit(t.Context(), next.Meta, change)
	require.NoError(t, err)
	require.False(t, r.Duplicate)
	r, err = s.Commit(t.Context(), next.Meta, change)
	require.NoError(t, err)
	require.True(t, r.Duplicate)
}

// following is a follower that runs beside the test.
func following(t *testing.T, s state.Source) (*state.Follower, *state.Cache) {
	t.Helper()
	var cache state.Cache
	f := state.NewFollower(s, &cache, state.FollowerOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	select {
	case <-f.Ready():
	case <-time.After(patience):
		require.FailNow(t, "no snapshot")
	}
	return f, &cache
}

// Whatever happens to Redis, what was blocked stays blocked, and a repair arrives at once.
func TestNothingOpensWhateverHappensToRedis(t *testing.T) {
	t.Parallel()
	server := parts.Redis(t)
	c := raw(t, server)
	s := admin(t, server.URL(), "open")
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/a", "kept")))
	doc, err := s.Load(t.Context())
	require.NoError(t, err)
	reader, err := redisstore.OpenReader(t.Context(), server.URL(), "open", redisstore.Options{})
	require.NoError(t, err)
	defer reader.Close()
	follower, cache := following(t, reader)

	blocked := func() bool {
		return statetest.Reason(t, cache.Load().Document(), "GET:/a") == "kept"
	}
	for _, test := range []struct {
		name string
		do   func()
		link state.Link
	}{
		{"FLUSHALL", func() { run(t, c, "FLUSHALL") }, state.LinkHolding},
		{"DEL state", func() { run(t, c, "DEL", "{wg:open}:state") }, state.LinkHolding},
		{"killed", server.Kill, state.LinkReconnecting},
		{"restarted empty", server.RestartEmpty, state.LinkHolding},
		{"paused", server.Pause, state.LinkReconnecting},
	} {
		require.True(t, blocked(), test.name)
		test.do()
		for start := time.Now(); follower.Status().Link != test.link; {
			require.True(t, blocked(), test.name)
			require.Less(t, time.Since(start), patience, "%s: %+v", test.name, follower.Status())
		}
		if test.name == "paused" {
			server.Resume()
		}
		if test.link == state.LinkReconnecting && test.name != "paused" {
			continue // the next step brings it back
		}
		require.True(t, blocked(), test.name)
		seen := state.Meta{}
		if p, err := s.Pulse(t.Context()); err == nil {
			seen = p.Meta
		}
		base = state.Meta{Epoch: state.NewEpoch(), Gen: base.Gen + 1, Rev: base.Rev + 1000, Head: base.Head}
		repaired, err := doc.With(nil, base)
		require.NoError(t, err)
		require.NoError(t, s.Seed(t.Context(), seen, repaired, nil))
		start := time.Now()
		for follower.Status().Meta != base {
			require.True(t, blocked(), test.name)
			require.Less(t, time.Since(start), patience, "%s: %+v", test.name, follower.Status())
		}
		t.Logf("%s: repaired, followed after %v", test.name, time.Since(start))
	}
	// And then it goes on by frames.
	r := statetest.Commit(t, s, statetest.Block(t, "GET:/b", "next"))
	require.NoError(t, follower.Wait(t.Context(), r.Frame.Epoch, r.Frame.Rev))
	require.True(t, blocked())
}

// A Redis that comes back with the backup of another day opens nothing, and does not take a commit on what came after.
func TestOlderBackupIsHeldOff(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "backup"), raw(t, server)
	base := statetest.Seeded(t, s)
	run(t, c, "SAVE")
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/a", "kept")))
	follower, cache := following(t, s)
	require.NoError(t, follower.Wait(t.Context(), base.Epoch, base.Rev))

	server.Restart() // with the file that SAVE wrote
	eventually(t, func() bool { return follower.Status().Link == state.LinkHolding }, "it holds")
	require.Equal(t, "kept", statetest.Reason(t, cache.Load().Document(), "GET:/a"))
	require.Contains(t, follower.Status().Alarm, "went back")
	_, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/b", "x"))
	require.ErrorIs(t, err, state.ErrConflict)
}

// commitUntilDone makes one change as an admin does: whatever the error, it reads again and retries under the same id.
func commitUntilDone(t *testing.T, s state.Store, id string) {
	change := statetest.Block(t, "GET:/a", id)
	change.ID = id
	for {
		p, err := s.Pulse(context.Background())
		if err == nil {
			_, err = s.Commit(context.Background(), p.Meta, change)
		}
		if err == nil {
			return
		}
	}
}

// Every step of a committer's life may be its last. What was acknowledged is there after the restart, what was retried
// under its id is there once, and the chain is unbroken.
func TestKilledServerLosesNothingItAcknowledged(t *testing.T) {
	server := parts.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := admin(t, server.URL(), "crash")
	base := statetest.Seeded(t, s)
	stop, made := make(chan struct{}), make(chan []string)
	var committed atomic.Int64
	go func() {
		var done []string
		for i := 0; ; i++ {
			select {
			case <-stop:
				made <- done
				return
			default:
			}
			id := fmt.Sprintf("change %d", i)
			commitUntilDone(t, s, id)
			done = append(done, id)
			committed.Add(1)
		}
	}()
	for i := range 8 {
		eventually(t, func() bool { return committed.Load() >= int64(i+1)*10 }, "it commits again")
		server.Kill()
		server.Restart()
	}
	close(stop)
	ids := <-made
	t.Logf("%d commits over 8 kills", len(ids))
	frames, err := s.Frames(t.Context(), base.Epoch, base.Rev, len(ids)+10)
	require.NoError(t, err)
	require.Len(t, frames, len(ids), "each was made once")
	for i, f := range frames {
		e, err := f.Entry()
		require.NoError(t, err)
		require.Equal(t, ids[i], e.ID)
		require.Equal(t, base.Head, f.Prev)
		base.Head = f.Head
	}
}
