package e2e_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	waitLong = 20 * time.Second
	waitTick = 20 * time.Millisecond
)

// refusal is the body that a blocked client gets.
type refusal struct {
	Error struct {
		Code        string   `json:"code"`
		Message     string   `json:"message"`
		Reason      string   `json:"reason"`
		Path        string   `json:"path"`
		RetryAfter  string   `json:"retry_after"`
		CurrentEnv  string   `json:"current_env"`
		AllowedEnvs []string `json:"allowed_envs"`
	} `json:"error"`
}

func (a answer) refusal(t *testing.T) refusal {
	t.Helper()
	var r refusal
	require.NoError(t, json.Unmarshal([]byte(a.body), &r), a.body)
	return r
}

// lines runs a test over both ways in which truth can reach an authz.
func lines(t *testing.T, test func(t *testing.T, l *line)) {
	t.Run("redis", func(t *testing.T) { test(t, newLine(t, settings{redis: true, failClosed: true})) })
	t.Run("file and stream", func(t *testing.T) { test(t, newLine(t, settings{failClosed: true})) })
}

func TestARouteInMaintenanceIsRefused(t *testing.T) {
	t.Parallel()
	lines(t, func(t *testing.T, l *line) {
		require.Equal(t, http.StatusOK, l.get("/payments").status)

		ran := l.must("maintenance", "GET:/payments", "--reason", "DB migration", "--wait")
		require.Contains(t, ran.Out, "GET:/payments is MAINTENANCE: DB migration")
		require.Regexp(t, `1 of 1 instances enforce it, \d+ (ms|s)`, ran.ErrOut)

		// No waiting here: --wait has said that it is enforced.
		refused := l.get("/payments")
		require.Equal(t, http.StatusServiceUnavailable, refused.status)
		r := refused.refusal(t)
		require.Equal(t, "MAINTENANCE_MODE", r.Error.Code)
		require.Equal(t, "DB migration", r.Error.Reason)
		require.Equal(t, "GET:/payments", r.Error.Path)
		require.Equal(t, "application/json", refused.header.Get("content-type"))
		require.Equal(t, "no-store", refused.header.Get("cache-control"))
		require.NotEmpty(t, refused.header.Get("x-waygate-decision"))
		require.Empty(t, refused.header.Get("retry-after"), "it has no end")
		require.Equal(t, http.StatusOK, l.get("/orders").status)
		require.Equal(t, http.StatusOK, l.send(http.MethodPost, "/payments", nil).status)
		require.Equal(t, http.StatusServiceUnavailable, l.send(http.MethodHead, "/payments", nil).status)
		require.Equal(t, http.StatusServiceUnavailable, l.get("/p%61yments/;x=1").status)

		l.must("enable", "GET:/payments", "--wait")
		require.Equal(t, http.StatusOK, l.get("/payments").status)
	})
}

func TestAnUntilEndsByItself(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true, failClosed: true})
	l.must("deprecate", "/v1/users", "--successor", "/v2/users", "--sunset", "2037-06-01")
	l.must("disable", "/v1/users", "--until", "2s", "--wait")
	refused := l.get("/v1/users")
	require.Equal(t, http.StatusServiceUnavailable, refused.status)
	require.Equal(t, "ROUTE_DISABLED", refused.refusal(t).Error.Code)
	after, err := strconv.Atoi(refused.header.Get("retry-after"))
	require.NoError(t, err)
	require.LessOrEqual(t, after, 2)
	_, err = time.Parse(time.RFC3339, refused.refusal(t).Error.RetryAfter)
	require.NoError(t, err)

	l.admin.Kill() // nobody is needed for it to end
	l.redis.Kill()
	require.Eventually(t, func() bool { return l.get("/v1/users").status == http.StatusOK }, waitLong, waitTick)
	passed := l.get("/v1/users")
	require.Contains(t, passed.header.Get("deprecation"), "@")
	require.Equal(t, "Mon, 01 Jun 2037 00:00:00 GMT", passed.header.Get("sunset"))
	require.Contains(t, passed.header.Get("link"), `</v2/users>; rel="successor-version"`)
}

func TestAGateRefusesOtherEnvironments(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{failClosed: true, redis: true})
	l.must("env", "set", "/beta", "staging", "--wait")
	refused := l.get("/beta")
	require.Equal(t, http.StatusForbidden, refused.status)
	r := refused.refusal(t)
	require.Equal(t, "ENV_GATED", r.Error.Code)
	require.Equal(t, "production", r.Error.CurrentEnv, "Envoy's configuration says so")
	require.Equal(t, []string{"staging"}, r.Error.AllowedEnvs)
	l.must("env", "set", "/beta", "staging", "production", "--wait")
	require.Equal(t, http.StatusOK, l.get("/beta").status)
}

func TestSwitchesAndExemptions(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{failClosed: true, redis: true})
	l.must("global", "enable", "--reason", "deploy", "--exempt", "/health", "--exempt", "GET:/readiness", "--wait")
	require.Equal(t, http.StatusServiceUnavailable, l.get("/anything").status)
	require.Equal(t, http.StatusOK, l.get("/health").status)
	require.Equal(t, http.StatusOK, l.get("/readiness").status)
	require.Equal(t, http.StatusServiceUnavailable, l.send(http.MethodPost, "/readiness", nil).status)
	require.Equal(t, http.StatusServiceUnavailable, l.get("/health/../anything").status)
	require.Equal(t, http.StatusServiceUnavailable, l.get("/health%2f..%2fanything").status)
	require.Contains(t, l.must("status").Out, "global maintenance is ON: deploy")
	l.must("global", "disable", "--wait")
	require.Equal(t, http.StatusOK, l.get("/anything").status)

	// Envoy's configuration says that this virtual host is the service shop.
	l.must("sm", "enable", "shop", "--wait")
	require.Equal(t, http.StatusServiceUnavailable, l.get("/anything").status)
	l.must("sm", "disable", "shop", "--wait")
	l.must("sm", "enable", "orders", "--wait")
	require.Equal(t, http.StatusOK, l.get("/anything").status)
}

func TestTheUpstreamNeverSeesWhatAClientForged(t *testing.T) {
	l := newLine(t, settings{redis: true})
	forged := http.Header{
		"X-Waygate-Exempt": {"1"}, "X-Original-Url": {"/payments"}, "X-Rewrite-Url": {"/payments"},
		"X-Envoy-Auth-Failure-Mode-Allowed": {"true"}, "X-Kept": {"yes"},
	}
	a := l.send(http.MethodGet, "/orders", forged)
	require.Equal(t, http.StatusOK, a.status)
	var e echo
	require.NoError(t, json.Unmarshal([]byte(a.body), &e))
	require.Equal(t, []string{"yes"}, e.Headers["X-Kept"])
	for name := range e.Headers {
		lower := strings.ToLower(name)
		require.False(t, strings.HasPrefix(lower, "x-waygate"), name)
		require.NotContains(t, []string{"x-original-url", "x-rewrite-url", "x-envoy-auth-failure-mode-allowed"}, lower)
	}
}

func TestWaitNamesTheInstanceThatIsMissing(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	l.authz.Kill()
	ran := l.cli("maintenance", "/orders", "--wait=1s")
	require.Equal(t, 3, ran.Status, ran.ErrOut)
	require.Contains(t, ran.ErrOut, "one")
	require.Eventually(t, func() bool {
		ran = l.cli("maintenance", "/orders", "--wait=1s")
		return strings.Contains(ran.ErrOut, "waygate instances forget one")
	}, waitLong, waitTick)
	l.must("instances", "forget", "one")
	ran = l.cli("maintenance", "/orders", "--wait=1s")
	require.Equal(t, 3, ran.Status)
	require.Contains(t, ran.ErrOut, "no instance of waygate-authz reports")
	l.authz = l.startAuthz()
	l.must("maintenance", "/orders", "--wait")
}

func TestAnOrderlyStopLeavesTheCount(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	l.authz.Stop()
	ran := l.cli("maintenance", "/orders", "--wait=1s")
	require.Equal(t, 3, ran.Status)
	require.Contains(t, ran.ErrOut, "no instance of waygate-authz reports")
}
