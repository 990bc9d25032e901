package app_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/app"
	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
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
