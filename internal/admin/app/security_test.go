package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// noted is a line of the security log.
type noted struct {
	Level, TS, Logger, Kind, Peer, User, Method, Path string
	Status                                            int
	TokenID                                           string `json:"token_id"`
	TokenFor                                          string `json:"token_for"`
	LeftOut                                           int    `json:"left_out"`
}

func readNoted(t *testing.T, path string) []noted {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var all []noted
	for line := range strings.Lines(string(text)) {
		var n noted
		require.NoError(t, json.Unmarshal([]byte(line), &n), line)
		all = append(all, n)
	}
	return all
}

func kindsOf(all []noted) []string {
	out := []string{}
	for _, n := range all {
		out = append(out, n.Kind)
	}
	return out
}

// guarded is an admin with a user and a security log of its own.
func guarded(t *testing.T) (a *running, path, token string) {
	t.Helper()
	cfg := plain()
	cfg.Pass = "open-sesame-7"
	cfg.SecurityLog = filepath.Join(t.TempDir(), "security.log")
	a = start(t, cfg)
	status, text := a.call(http.MethodPost, "/waygate/api/auth/login", `{"username":"admin","password":"open-sesame-7"}`)
	require.Equal(t, http.StatusOK, status, text)
	return a, cfg.SecurityLog, member(text, "token")
}

func TestTheSecurityLogHasWhatWasRefused(t *testing.T) {
	a, path, token := guarded(t)
	auth := []string{"X-Waygate-Token", token}
	_, text := a.call(http.MethodPost, "/waygate/api/tokens", `{"name":"watcher","role":"viewer","ttl":"1h"}`, auth...)
	viewer, id := member(text, "token"), member(text, "id")
	require.NotEmpty(t, viewer, text)
	for _, c := range []struct {
		method, path, body string
		headers            []string
		status             int
	}{
		{http.MethodPost, "/waygate/api/auth/login", `{"username":"admin\nx","password":"hunter2-secret"}`, nil, 401},
		{http.MethodGet, "/waygate/api/routes", "", nil, 401},
		{http.MethodGet, "/waygate/api/routes?token=" + viewer, "", []string{"Authorization", "Bearer wg_forged-token", "X-Forwarded-For", "203.0.113.9"}, 401},
		{http.MethodPost, disableA, `{"reason":"a secret body"}`, []string{"X-Waygate-Token", viewer}, 403},
		{http.MethodGet, "/waygate/api/export", "", []string{"X-Waygate-Token", viewer}, 200},
		{http.MethodPost, disableA, "", append([]string{"Sec-Fetch-Site", "cross-site"}, auth...), 403},
		{http.MethodGet, "/metrics", "", []string{"X-Forwarded-For", "203.0.113.9"}, 401},
		{http.MethodDelete, "/waygate/api/tokens/" + id, "", auth, 200},
		{http.MethodGet, "/waygate/api/routes", "", []string{"X-Waygate-Token", viewer}, 401},
		{http.MethodPost, "/waygate/api/auth/logout", "", auth, 200},
	} {
		status, text := a.call(c.method, c.path, c.body, c.headers...)
		require.Equal(t, c.status, status, "%s %s: %s", c.method, c.path, text)
	}
	all := readNoted(t, path)
	require.Equal(t, []string{
		"logged_in", "token_created", "login_failed", "token_missing", "token_refused", "denied", "cross_site", "token_missing",
		"token_revoked", "token_refused", "logged_out",
	}, kindsOf(all))
	require.Equal(t, "security", all[0].Logger)
	require.Equal(t, "admin", all[0].User)
	require.Equal(t, "watcher", all[1].TokenFor)
	require.Equal(t, `admin\nx`, all[2].User, "who it claims to be")
	require.Equal(t, id, all[8].TokenID)
	require.Equal(t, "watcher", all[5].User)
	require.Equal(t, disableA, strings.ReplaceAll(all[5].Path, "GET:/a", "GET%3A%2Fa"))
	for _, n := range all {
		require.True(t, strings.HasPrefix(n.Peer, "127.0.0.1:"), "%s: nobody else's word is taken for the peer", n.Peer)
		require.NotEmpty(t, n.TS)
		require.Contains(t, []int{200, 401, 403}, n.Status)
	}
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, secret := range []string{"hunter2", "sesame", "wg_", "secret body", "203.0.113.9"} {
		require.NotContains(t, string(raw), secret)
	}
	_, metrics := a.call(http.MethodGet, "/metrics", "")
	for _, want := range []string{
		`waygate_admin_refused_total{kind="login_failed"} 1`, `waygate_admin_refused_total{kind="denied"} 1`,
		`waygate_admin_refused_total{kind="token_missing"} 2`, `waygate_admin_refused_total{kind="too_many_tries"} 0`,
	} {
		require.Contains(t, metrics, want)
	}
}

func TestNothingOfItStandsInTheAudit(t *testing.T) {
	a, path, token := guarded(t)
	for range 10 {
		a.call(http.MethodPost, "/waygate/api/auth/login", `{"username":"admin","password":"wrong"}`)
		a.call(http.MethodPost, disableA, "", "X-Waygate-Token", "forged")
	}
	_, text := a.call(http.MethodGet, "/waygate/api/audit", "", "X-Waygate-Token", token)
	require.JSONEq(t, "[]", text)
	require.Contains(t, kindsOf(readNoted(t, path)), "too_many_tries")
}

func TestAFloodLeavesASmallLog(t *testing.T) {
	a, path, _ := guarded(t)
	const calls = 500
	for range calls {
		a.call(http.MethodGet, "/waygate/api/routes", "", "X-Waygate-Token", "forged")
	}
	_, metrics := a.call(http.MethodGet, "/metrics", "")
	require.Contains(t, metrics, `waygate_admin_refused_total{kind="token_refused"} 500`)
	require.NoError(t, a.stop())
	all := readNoted(t, path)
	sum := 0
	for _, n := range all {
		sum += n.LeftOut
	}
	require.Less(t, len(all), 30)
	require.Equal(t, calls-20, sum, "what was left out is told at the latest when the admin stops")
}

func TestTheSecurityLogIsRotated(t *testing.T) {
	a, path, token := guarded(t)
	require.NoError(t, os.Rename(path, path+".1"))
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGHUP))
	require.Eventually(t, func() bool { _, err := os.Stat(path); return err == nil }, patient, now)
	status, _ := a.call(http.MethodPost, "/waygate/api/auth/logout", "", "X-Waygate-Token", token)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, []string{"logged_in"}, kindsOf(readNoted(t, path+".1")))
	require.Equal(t, []string{"logged_out"}, kindsOf(readNoted(t, path)))
	stat, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), stat.Mode().Perm())
}
