package redisstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestServerThatMustNotBeUsedIsRefused(t *testing.T) {
	server := parts.Redis(t)
	c := raw(t, server)
	do := func(args ...any) func() { return func() { run(t, c, args...) } }
	rule := "~* &* +@all"
	for _, test := range []struct {
		name      string
		now, then func()
		url       string
		says      []string
	}{
		{
			"it may evict keys", do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"), do("CONFIG", "SET", "maxmemory-policy", "noeviction"),
			server.URL(),
			[]string{"allkeys-lru", "CONFIG SET maxmemory-policy noeviction"},
		},
		{
			"it may evict keys and hides CONFIG",
			func() {
				run(t, c, "CONFIG", "SET", "maxmemory-policy", "volatile-ttl")
				user(t, c, "u", rule+" -config")
			},
			do("CONFIG", "SET", "maxmemory-policy", "noeviction"),
			"redis://u:s3cret%2F@" + server.Addr(),
			[]string{"volatile-ttl"},
		},
		{
			"a replica", do("REPLICAOF", "127.0.0.1", "1"), do("REPLICAOF", "NO", "ONE"),
			server.URL(),
			[]string{"replica", "redis+sentinel://"},
		},
		{
			"a wrong password", func() { user(t, c, "u", rule) }, func() {},
			"redis://u:wrong@" + server.Addr(),
			[]string{"user and password"},
		},
		{
			"no password", do("CONFIG", "SET", "requirepass", "x"), func() {},
			server.URL(),
			[]string{"redis://user:password@host"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.now()
			defer test.then()
			for _, open := range []func() error{
				func() error {
					_, err := redisstore.Open(t.Context(), test.url, "refused", redisstore.Options{})
					return err
				},
				func() error {
					_, err := redisstore.OpenReader(t.Context(), test.url, "refused", redisstore.Options{})
					return err
				},
			} {
				err := open()
				require.ErrorIs(t, err, redisstore.ErrRefused)
				require.ErrorContains(t, err, server.Addr())
				require.NotContains(t, err.Error(), "wrong", "no password is repeated")
				for _, says := range test.says {
					require.ErrorContains(t, err, says)
				}
			}
		})
	}
}

func TestServerThatHidesItsSettingsIsUsedWithAWarning(t *testing.T) {
	server := parts.Redis(t, "--appendonly", "yes")
	c := raw(t, server)
	for _, test := range []struct {
		name, rule string
		want       []string
		durable    state.Durability
	}{
		{"nothing hidden", "~* &* +@all", nil, best(t, server, state.DurableEverySec)},
		{"no CONFIG", "~* &* +@all -config", []string{redisstore.WarnFsyncHidden}, best(t, server, state.DurableEverySec)},
		{"no INFO", "~* &* +@all -info", nil, best(t, server, state.DurableEverySec)},
		{
			"neither", "~* &* +@all -config -info",
			[]string{redisstore.WarnPolicyHidden, redisstore.WarnNotDurable},
			state.DurableNone,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := admin(t, user(t, c, "u", test.rule), strings.ReplaceAll(test.name, " ", "-"))
			require.Equal(t, test.want, warnings(s.Reader))
			require.Equal(t, test.durable, s.Durability())
			base := statetest.Seeded(t, s)
			_, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
			require.NoError(t, err)
		})
	}
}

// best is the durability without and, where the server has it, with WAITAOF.
func best(t *testing.T, server *parts.RedisServer, without state.Durability) state.Durability {
	t.Helper()
	if hasWaitAOF(t, raw(t, server)) {
		return state.DurableWaitAOF
	}
	return without
}

func TestDurabilityIsWhatTheServerGives(t *testing.T) {
	for _, test := range []struct {
		name string
		args []string
		want state.Durability
	}{
		{"no file", nil, state.DurableNone},
		{"snapshots only", []string{"--save", "60", "1"}, state.DurableNone},
		{"everysec", []string{"--appendonly", "yes"}, state.DurableEverySec},
		{"always", []string{"--appendonly", "yes", "--appendfsync", "always"}, state.DurableAlways},
		{"never synced", []string{"--appendonly", "yes", "--appendfsync", "no"}, state.DurableNone},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := parts.Redis(t, test.args...)
			want := test.want
			if want != state.DurableNone {
				want = best(t, server, want)
			}
			s := admin(t, server.URL(), "durable")
			require.Equal(t, want, s.Durability())
			require.Equal(t, want == state.DurableNone, len(s.Warnings()) > 0)
			base := statetest.Seeded(t, s)
			start := time.Now()
			r, err := s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
			require.NoError(t, err)
			require.Equal(t, base.Rev+1, r.Frame.Rev)
			t.Logf("%s: a commit took %v", s.Durability(), time.Since(start))

			// A file that is switched off meanwhile is found out by the next commit, where WAITAOF asks for it.
			if want == state.DurableWaitAOF {
				run(t, raw(t, server), "CONFIG", "SET", "appendonly", "no")
				_, err := s.Commit(t.Context(), statetest.After(base, r), statetest.Block(t, "GET:/b", "x"))
				require.NoError(t, err)
				require.Equal(t, state.DurableNone, s.Durability())
			}
		})
	}
}

func TestServerThatIsDownIsNoReasonToFail(t *testing.T) {
	server := parts.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	statetest.Seeded(t, admin(t, server.URL(), "late"))
	server.Kill()
	s := admin(t, server.URL(), "late")
	require.Equal(t, []string{redisstore.WarnUnreachable}, warnings(s.Reader))
	reader, err := redisstore.OpenReader(t.Context(), server.URL(), "late", redisstore.Options{})
	require.NoError(t, err)
	defer reader.Close()
	_, err = reader.Pulse(t.Context())
	require.ErrorIs(t, err, state.ErrUnavailable)
	require.NotErrorIs(t, err, redisstore.ErrRefused)

	// It is checked when it comes back, before anything is written.
	server.Restart()
	run(t, raw(t, server), "CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	require.ErrorIs(t, s.Beat(t.Context()), redisstore.ErrRefused)
	require.ErrorIs(t, s.Beat(t.Context()), state.ErrUnavailable)
	run(t, raw(t, server), "CONFIG", "SET", "maxmemory-policy", "noeviction")
	require.NoError(t, s.Beat(t.Context()))
	require.Empty(t, s.Warnings())
	require.Equal(t, best(t, server, state.DurableAlways), s.Durability())
	_, err = reader.Load(t.Context())
	require.NoError(t, err)
}

func TestOpenGivesUpWithItsContext(t *testing.T) {
	server := parts.Redis(t)
	w := newWire(t, server.Addr())
	w.silent.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	_, err := redisstore.Open(ctx, w.url(), "silent", redisstore.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, time.Since(start), atOnce)
}

func TestClosedStoreIsUnavailable(t *testing.T) {
	server := parts.Redis(t)
	s, err := redisstore.Open(t.Context(), server.URL(), "closed", redisstore.Options{})
	require.NoError(t, err)
	base := statetest.Seeded(t, s)
	watching := watch(t, s)
	require.NoError(t, s.Close())
	_, err = s.Commit(t.Context(), base, statetest.Block(t, "GET:/a", "x"))
	require.ErrorIs(t, err, state.ErrUnavailable)
	_, err = s.Pulse(t.Context())
	require.ErrorIs(t, err, state.ErrUnavailable)
	_, err = watching.end(t)
	require.ErrorIs(t, err, state.ErrUnavailable)
}

func TestNamespaceIsChecked(t *testing.T) {
	for _, name := range []string{"", "a b", "a}", "a{b", "a*", "é", string(make([]byte, 64))} {
		_, err := redisstore.OpenReader(t.Context(), "redis://127.0.0.1:1", name, redisstore.Options{})
		var invalid *state.InvalidError
		require.ErrorAs(t, err, &invalid, "%q", name)
	}
}
