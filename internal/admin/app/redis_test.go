package app_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/app"
	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// onRedis is the configuration of an admin with its truth in Redis.
func onRedis(t *testing.T, server *parts.RedisServer, snapshots bool) app.Config {
	t.Helper()
	cfg := plain()
	cfg.Backend, cfg.RedisURL = "redis", server.URL()
	if snapshots {
		cfg.SnapshotDir = t.TempDir()
	}
	return cfg
}

const (
	enableA = "/waygate/api/routes/GET%3A%2Fa/enable"
	patient = time.Minute // a machine that runs tests is busy: it bounds what would else never end
	now     = 50 * time.Millisecond
)

func TestTwoAdminsOnOneRedis(t *testing.T) {
	server := parts.Redis(t)
	one, two := start(t, onRedis(t, server, false)), start(t, onRedis(t, server, false))
	one.ok(http.MethodPost, disableA, `{"reason":"x"}`)
	require.Eventually(t, func() bool {
		_, text := two.call(http.MethodGet, "/waygate/api/routes/GET%3A%2Fa", "")
		return strings.Contains(text, `"status":"disabled"`)
	}, patient, 2*time.Millisecond)
	require.Contains(t, two.ok(http.MethodPost, enableA, ""), `"status":"active"`)
	require.Eventually(t, func() bool {
		return strings.Contains(one.ok(http.MethodGet, "/waygate/api/audit", ""), `"action":"enable"`)
	}, patient, 2*time.Millisecond, "what another admin did is seen here a moment later")
}

func TestAWipedRedisGetsItsDocumentBack(t *testing.T) {
	server := parts.Redis(t)
	cfg := onRedis(t, server, true)
	cfg.Pass = "sesame"
	a := start(t, cfg)
	_, text := a.call(http.MethodPost, "/waygate/api/auth/login", `{"username":"admin","password":"sesame"}`)
	token := member(text, "token")
	ok := func(method, path string) (int, string) { return a.call(method, path, "", "X-Waygate-Token", token) }
	status, _ := ok(http.MethodPost, disableA)
	require.Equal(t, http.StatusOK, status)

	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	require.NoError(t, client.FlushAll(t.Context()).Err())
	_, text = ok(http.MethodGet, "/waygate/api/routes")
	require.Contains(t, text, `"status":"disabled"`, "what is true does not change")
	require.Eventually(t, func() bool {
		status, _ := ok(http.MethodPost, "/waygate/api/routes/GET%3A%2Fb/disable")
		return status == http.StatusOK
	}, patient, now, "a command succeeds again")
	_, text = ok(http.MethodGet, "/waygate/api/routes")
	require.Contains(t, text, `GET:/a`)
	require.Contains(t, text, `GET:/b`)

	onDisk(t, cfg, "GET:/b")
	require.NoError(t, a.stop())
	require.NoError(t, client.FlushAll(t.Context()).Err())
	a = start(t, cfg)
	_, text = ok(http.MethodGet, "/waygate/api/routes")
	require.Contains(t, text, `GET:/b`, "also where the admin was away when it happened")
	require.Eventually(t, func() bool {
		status, _ := ok(http.MethodPost, enableA)
		return status == http.StatusOK
	}, patient, now)
}

func TestAnAdminStartsWithoutItsRedis(t *testing.T) {
	server := parts.Redis(t)
	cfg := onRedis(t, server, true)
	first := start(t, cfg)
	first.ok(http.MethodPost, disableA, "")
	onDisk(t, cfg, "GET:/a") // behind the change: it is written with the private part, which is read for it
	server.Kill()
	require.Contains(t, first.ok(http.MethodGet, "/waygate/api/audit", ""), `"action":"disable"`, "what is in memory can be read")
	require.NoError(t, first.stop())
	second := start(t, cfg)
	require.Contains(t, second.ok(http.MethodGet, "/waygate/api/routes", ""), `"status":"disabled"`)
	began := time.Now()
	status, text := second.call(http.MethodPost, enableA, "")
	require.Equal(t, http.StatusServiceUnavailable, status, text)
	require.Less(t, time.Since(began), 10*time.Second)
	status, _ = second.call(http.MethodGet, "/waygate/api/audit", "")
	require.Equal(t, http.StatusServiceUnavailable, status, "the audit is in the store")
	status, _ = second.call(http.MethodGet, "/waygate/api/instances", "")
	require.Equal(t, http.StatusServiceUnavailable, status)
	second.ok(http.MethodGet, "/waygate/api/doctor", "")
	second.ok(http.MethodGet, "/waygate/api/services/orders/maintenance", "")

	server.Restart()
	require.Eventually(t, func() bool {
		status, _ := second.call(http.MethodPost, enableA, "")
		return status == http.StatusOK
	}, patient, now)
}

// onDisk waits until an admin's own snapshot knows a route.
func onDisk(t *testing.T, cfg app.Config, route string) {
	t.Helper()
	disk, err := state.OpenDisk(cfg.SnapshotDir, "admin-"+cfg.Namespace, nil)
	require.NoError(t, err)
	key := statetest.Key(t, route)
	require.Eventually(t, func() bool {
		saved, err := disk.Load()
		if err != nil {
			return false
		}
		_, known := saved.Document.Route(key)
		return known
	}, patient, now)
}

// member is the first text under a name in JSON.
func member(text, name string) string {
	_, rest, _ := strings.Cut(text, `"`+name+`":"`)
	inner, _, _ := strings.Cut(rest, `"`)
	return inner
}

// A command while a Redis that came back with older data is being repaired waits for that, as after a wipe.
func TestACommandWaitsForARedisThatWentBack(t *testing.T) {
	server := parts.Redis(t)
	a := start(t, onRedis(t, server, false))
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	require.NoError(t, client.Save(t.Context()).Err())
	a.ok(http.MethodPost, disableA, "")
	server.Restart() // with the file that SAVE wrote
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, patient, now)
	a.repaired("/waygate/api/routes/GET%3A%2Fb/disable")
	for _, path := range []string{"a", "b"} {
		require.Contains(t, a.ok(http.MethodGet, "/waygate/api/routes/GET%3A%2F"+path, ""), `"status":"disabled"`, path)
	}
}

// repaired makes a call while a store is being repaired, which may take longer than a call: then it is 503, or 504 where the
// answer of the store came too late, never refused for good.
func (r *running) repaired(path string, headers ...string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		status, text := r.call(http.MethodPost, path, "", headers...)
		if status != http.StatusServiceUnavailable && status != http.StatusGatewayTimeout {
			require.Equal(r.t, http.StatusOK, status, text)
		}
		return status == http.StatusOK
	}, patient, now)
}

// A token that was given up while the store is being repaired stays given up.
func TestALogoutWaitsForARedisThatWentBack(t *testing.T) {
	server := parts.Redis(t)
	cfg := onRedis(t, server, false)
	cfg.Pass = "sesame"
	a := start(t, cfg)
	login := func() string {
		_, text := a.call(http.MethodPost, "/waygate/api/auth/login", `{"username":"admin","password":"sesame"}`)
		return member(text, "token")
	}
	kept, lost := login(), login()
	client := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer client.Close()
	require.NoError(t, client.Save(t.Context()).Err())
	status, text := a.call(http.MethodPost, disableA, "", "X-Waygate-Token", kept)
	require.Equal(t, http.StatusOK, status, text)
	before := member(text, "epoch")
	server.Restart() // with the file that SAVE wrote
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, patient, now)

	a.repaired("/waygate/api/auth/logout", "X-Waygate-Token", lost)
	require.Eventually(t, func() bool {
		_, text := a.call(http.MethodGet, "/waygate/api/routes/GET%3A%2Fa", "", "X-Waygate-Token", kept)
		return member(text, "epoch") != before
	}, patient, now, "the store is repaired")
	fields, err := client.HKeys(t.Context(), "{wg:default}:private").Result()
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(fields, func(f string) bool { return strings.HasPrefix(f, "revoked:") }), fields)
}

// A Redis in which another history went on from an earlier revision will be given ours back. What is said meanwhile is not
// to be lost with the other one.
func TestACommandIsNotMadeOnAnotherHistory(t *testing.T) {
	server, other := parts.Redis(t), parts.Redis(t)
	a := start(t, onRedis(t, server, false))
	here, there := redis.NewClient(&redis.Options{Addr: server.Addr()}), redis.NewClient(&redis.Options{Addr: other.Addr()})
	defer here.Close()
	defer there.Close()
	move(t, here, there)
	elsewhere, err := redisstore.Open(t.Context(), other.URL(), "default", redisstore.Options{})
	require.NoError(t, err)
	defer elsewhere.Close()
	for range 3 {
		p, err := elsewhere.Pulse(t.Context())
		require.NoError(t, err)
		_, err = elsewhere.Commit(t.Context(), p.Meta, statetest.Block(t, "GET:/elsewhere", "x"))
		require.NoError(t, err)
	}
	a.ok(http.MethodPost, disableA, "")
	before := member(a.ok(http.MethodGet, "/waygate/api/routes/GET%3A%2Fa", ""), "epoch")
	move(t, there, here)

	a.repaired("/waygate/api/routes/GET%3A%2Fb/disable")
	require.Eventually(t, func() bool {
		return member(a.ok(http.MethodGet, "/waygate/api/routes/GET%3A%2Fa", ""), "epoch") != before
	}, patient, now, "the store is repaired")
	for _, path := range []string{"a", "b"} {
		require.Contains(t, a.ok(http.MethodGet, "/waygate/api/routes/GET%3A%2F"+path, ""), `"status":"disabled"`, path)
	}
}

// move puts in the place of what a Redis holds of a store what another one holds, in one step.
func move(t *testing.T, from, to *redis.Client) {
	t.Helper()
	_, err := to.TxPipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for _, name := range []string{"meta", "state", "private", "log"} {
			key := "{wg:default}:" + name
			pipe.Unlink(t.Context(), key)
			text, err := from.Dump(t.Context(), key).Result()
			if errors.Is(err, redis.Nil) {
				continue
			}
			require.NoError(t, err)
			pipe.RestoreReplace(t.Context(), key, 0, text)
		}
		return nil
	})
	require.NoError(t, err)
}
