package redisstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestEveryCallSurvivesAFlushOfTheScripts(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "flush"), raw(t, server)
	for _, call := range []struct {
		name string
		do   func() error
	}{
		{"seed", func() error { return s.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil) }},
		{"pulse", func() error { _, err := s.Pulse(t.Context()); return err }},
		{"commit", func() error { statetest.Commit(t, s, statetest.Block(t, "GET:/a", "x")); return nil }},
		{"beat", func() error { return s.Beat(t.Context()) }},
		{"frames", func() error {
			p, err := s.Pulse(t.Context())
			require.NoError(t, err)
			run(t, c, "SCRIPT", "FLUSH")
			frames, err := s.Frames(t.Context(), p.Epoch, 0, 10)
			require.Len(t, frames, 1)
			return err
		}},
	} {
		run(t, c, "SCRIPT", "FLUSH")
		require.NoError(t, call.do(), call.name)
	}
}

// An answer that gets lost together with its connection is asked for again over another one, and the script knows what
// it did.
func TestCommitWhoseAnswerIsLostIsMadeOnce(t *testing.T) {
	server := parts.Redis(t)
	w := newWire(t, server.Addr())
	s := admin(t, w.url(), "lost")
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/warm", "the script is known now")))
	for i := range 5 {
		change := statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x")
		if i%2 == 0 {
			change.ID = fmt.Sprintf("change %d", i)
		}
		w.drop.Store(1)
		r, err := s.Commit(t.Context(), base, change)
		require.NoError(t, err)
		require.False(t, r.Duplicate)
		require.Equal(t, base.Rev+1, r.Frame.Rev)
		require.Negative(t, w.drop.Load(), "no answer was lost")
		// The same change once more is another one: nobody sends it under the first one's nonce.
		again := change
		again.ID = ""
		_, err = s.Commit(t.Context(), base, again)
		require.ErrorIs(t, err, state.ErrConflict)
		base = statetest.After(base, r)
	}
	doc := state.Genesis(2)
	w.drop.Store(1)
	require.NoError(t, s.Seed(t.Context(), base, doc, nil))
	require.Negative(t, w.drop.Load(), "no answer was lost")
	require.ErrorIs(t, s.Seed(t.Context(), base, doc, nil), state.ErrConflict)
}

func TestCommitWhoseServerIsGoneIsUnknownAndARetryIsSafe(t *testing.T) {
	server := parts.Redis(t)
	w := newWire(t, server.Addr())
	s := admin(t, w.url(), "unknown")
	base := statetest.Seeded(t, s)
	base = statetest.After(base, statetest.Commit(t, s, statetest.Block(t, "GET:/warm", "the script is known now")))
	change := statetest.Block(t, "GET:/a", "x")
	change.ID = "the same"

	w.drop.Store(100)
	_, err := s.Commit(t.Context(), base, change)
	require.ErrorIs(t, err, state.ErrUnknownOutcome)
	require.NotErrorIs(t, err, state.ErrUnavailable)

	w.drop.Store(0)
	r, err := s.Commit(t.Context(), base, change)
	require.NoError(t, err)
	require.True(t, r.Duplicate, "the first one was made")
	require.Equal(t, base.Rev+1, r.Frame.Rev)
}

func TestCommitThatCannotBeSentDidNotHappen(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "down")
	base := statetest.Seeded(t, s)
	server.Kill()
	for range 3 {
		start := time.Now()
		_, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
		require.ErrorIs(t, err, state.ErrUnavailable)
		require.NotErrorIs(t, err, state.ErrUnknownOutcome)
		require.Less(t, time.Since(start), 2*time.Second)
	}
}

// The first command after an outage works, whatever idle connections are left over from before.
func TestFirstCommitAfterARestartSucceeds(t *testing.T) {
	server := parts.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	s := admin(t, server.URL(), "restart")
	base := statetest.Seeded(t, s)
	for i := range 3 {
		// Several connections, all of which the restart breaks.
		done := make(chan error, 8)
		for range cap(done) {
			go func() { _, err := s.Pulse(t.Context()); done <- err }()
		}
		for range cap(done) {
			require.NoError(t, <-done)
		}
		server.Kill()
		for range 20 {
			_, err := s.Pulse(t.Context())
			require.ErrorIs(t, err, state.ErrUnavailable)
		}
		server.Restart()
		r, err := s.Commit(t.Context(), base, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
		require.NoError(t, err)
		base = statetest.After(base, r)
	}
}

func TestServerThatIsPausedAnswersNobodyForLong(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "paused")
	base := statetest.Seeded(t, s)
	fresh := admin(t, server.URL(), "paused")
	change := statetest.Block(t, "GET:/a", "x")
	change.ID = "paused"
	server.Pause()

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := s.Commit(ctx, base, change)
	require.ErrorIs(t, err, state.ErrUnknownOutcome, "it was sent over a connection that is open")
	_, err = s.Pulse(ctx)
	require.ErrorIs(t, err, state.ErrUnavailable)

	gaveUp, stop := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, stop)
	start := time.Now()
	_, err = fresh.Load(gaveUp)
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(start), atOnce, "who stops does not wait for a silent server")

	server.Resume()
	r, err := fresh.Commit(t.Context(), base, change)
	require.NoError(t, err)
	require.Equal(t, base.Rev+1, r.Frame.Rev)
	p, err := fresh.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base.Rev+1, p.Rev, "sent twice, made once")
}

// Whatever the server refuses, it refuses before anything is written, and says so.
func TestRefusedCommitChangesNothing(t *testing.T) {
	server := parts.Redis(t)
	c := raw(t, server)
	run(t, c, "ACL", "SETUSER", "admin", "on", ">secret", "~*", "&*", "+@all")
	s := admin(t, "redis://admin:secret@"+server.Addr(), "refused")
	base := statetest.Seeded(t, s)
	do := func(args ...any) func() { return func() { run(t, c, args...) } }
	for _, test := range []struct {
		name      string
		now, then func()
		says      string
	}{
		{"a replica", do("REPLICAOF", "127.0.0.1", "1"), do("REPLICAOF", "NO", "ONE"), "replica"},
		{"out of memory", do("CONFIG", "SET", "maxmemory", "1"), do("CONFIG", "SET", "maxmemory", "0"), "maxmemory"},
		{"too few replicas", do("CONFIG", "SET", "min-replicas-to-write", "1"), do("CONFIG", "SET", "min-replicas-to-write", "0"), "replicas"},
		{"no scripts", do("ACL", "SETUSER", "admin", "-evalsha"), do("ACL", "SETUSER", "admin", "+evalsha"), "ACL"},
		{"no publishing", do("ACL", "SETUSER", "admin", "-publish"), do("ACL", "SETUSER", "admin", "+publish"), "PUBLISH"},
		{"another channel", do("ACL", "SETUSER", "admin", "resetchannels"), do("ACL", "SETUSER", "admin", "&*"), "PUBLISH"},
		{"no log", do("ACL", "SETUSER", "admin", "-xadd"), do("ACL", "SETUSER", "admin", "+xadd"), "XADD"},
		{"no id", do("ACL", "SETUSER", "admin", "-set"), do("ACL", "SETUSER", "admin", "+set"), "SET"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.now()
			change := statetest.Block(t, "GET:/a", "x")
			change.ID = test.name
			_, err := s.Commit(t.Context(), base, change)
			test.then()
			require.ErrorIs(t, err, state.ErrUnavailable)
			require.NotErrorIs(t, err, state.ErrUnknownOutcome)
			require.ErrorContains(t, err, test.says)
			p, err := s.Pulse(t.Context())
			require.NoError(t, err)
			require.Equal(t, base, p.Meta)
			require.Zero(t, run(t, c, "XLEN", "{wg:refused}:log"))
		})
	}
	statetest.Commit(t, s, statetest.Block(t, "GET:/a", "x"))
}

func TestKeysOfSomebodyElseAreLeftAlone(t *testing.T) {
	server := parts.Redis(t)
	s, c := admin(t, server.URL(), "taken"), raw(t, server)
	base := statetest.Seeded(t, s)
	run(t, c, "SET", "{wg:taken}:log", "mine")
	_, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
	require.ErrorIs(t, err, state.ErrDamaged)
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base, p.Meta)
	require.Equal(t, "mine", run(t, c, "GET", "{wg:taken}:log"))
}

func TestChangesThatCannotBeStoredAreRefused(t *testing.T) {
	server := parts.Redis(t)
	s := admin(t, server.URL(), "bad")
	base := statetest.Seeded(t, s)
	for _, test := range []struct {
		name   string
		change state.Change
		is     error
	}{
		{"a patch nobody could load", state.Change{Entry: state.Entry{Patch: state.Patch{"r:/a": []byte(`"no route"`)}}}, state.ErrDamaged},
		{"a field nobody knows", state.Change{Entry: state.Entry{Patch: state.Patch{"@epoch": []byte(`"x"`)}}}, state.ErrDamaged},
		{"a private field that is ours", state.Change{Private: map[string][]byte{"@epoch": []byte("x")}}, nil},
	} {
		_, err := s.Commit(t.Context(), base, test.change)
		require.Error(t, err, test.name)
		if test.is != nil {
			require.ErrorIs(t, err, test.is, test.name)
		}
	}
	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base, p.Meta)
}

func TestLogIsTrimmedWithTheCommits(t *testing.T) {
	server := parts.Redis(t, "--stream-node-max-entries", "10")
	s, err := redisstore.Open(t.Context(), server.URL(), "trim", redisstore.Options{KeepLog: 20})
	require.NoError(t, err)
	defer s.Close()
	base := statetest.Seeded(t, s)
	for i := range 100 {
		r, err := s.Commit(t.Context(), base, statetest.Block(t, fmt.Sprintf("GET:/%d", i), "x"))
		require.NoError(t, err)
		base = statetest.After(base, r)
	}
	_, err = s.Frames(t.Context(), base.Epoch, 0, 10)
	require.ErrorIs(t, err, state.ErrGap)
	frames, err := s.Frames(t.Context(), base.Epoch, 80, 100)
	require.NoError(t, err)
	require.Len(t, frames, 20)
	n := run(t, raw(t, server), "XLEN", "{wg:trim}:log").(int64)
	require.LessOrEqual(t, n, int64(40))
}
