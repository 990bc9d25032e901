package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/app"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/serve"
)

// running is an admin in this process.
type running struct {
	t     *testing.T
	ready serve.Ready
	stop  func() error
}

// plain is the configuration of an admin that keeps nothing and listens on a port of its own.
func plain() app.Config {
	return app.Config{
		Listen: []string{"127.0.0.1:0"}, BasePath: "/waygate", Backend: "memory", Namespace: "default", User: "admin",
		CLITerm: time.Hour, SDKTerm: time.Hour, Log: config.Log{LogLevel: "debug", LogFormat: "console"},
	}
}

func start(t *testing.T, cfg app.Config) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan serve.Ready, 1)
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx, cfg, zaptest.NewLogger(t), func(r serve.Ready) { ready <- r }) }()
	r := &running{t: t}
	var over error
	stopped := false
	r.stop = func() error {
		if !stopped {
			stopped = true
			cancel()
			over = <-ended
		}
		return over
	}
	t.Cleanup(func() { require.NoError(t, r.stop()) })
	select {
	case r.ready = <-ready:
	case err := <-ended:
		stopped = true
		require.NoError(t, err)
	case <-time.After(patient):
		t.Fatal("the admin never got ready")
	}
	return r
}

// call answers with status and body.
func (r *running) call(method, path, body string, headers ...string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, "http://"+r.ready.Listen[0]+path, strings.NewReader(body))
	require.NoError(r.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(text)
}

func (r *running) ok(method, path, body string) string {
	r.t.Helper()
	status, text := r.call(method, path, body)
	require.Equal(r.t, http.StatusOK, status, text)
	return text
}

const disableA = "/waygate/api/routes/GET%3A%2Fa/disable"

func TestRunServesAndStops(t *testing.T) {
	cfg := plain()
	cfg.ReadyFile = filepath.Join(t.TempDir(), "ready.json")
	a := start(t, cfg)
	text, err := os.ReadFile(cfg.ReadyFile)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "\n"))
	var ready serve.Ready
	require.NoError(t, json.Unmarshal(text, &ready))
	require.Equal(t, a.ready, ready)

	require.Contains(t, a.ok(http.MethodPost, disableA, ""), `"status":"disabled"`)
	require.JSONEq(t, `{"live":true}`, a.ok(http.MethodGet, "/livez", ""))
	is := a.ok(http.MethodGet, "/readyz", "")
	require.Contains(t, is, `"ready":true`)
	require.Contains(t, is, `"durability":"memory"`)
	require.Contains(t, is, "forgets every block")
	require.Contains(t, a.ok(http.MethodGet, "/metrics", ""), "waygate_admin_revision 1")
	require.NoError(t, a.stop())
	_, err = (&net.Dialer{Timeout: time.Second}).DialContext(t.Context(), "tcp", a.ready.Listen[0])
	require.Error(t, err)
}

func TestOperationsOnTheirOwnAddress(t *testing.T) {
	cfg := plain()
	cfg.OpsListen = "127.0.0.1:0"
	cfg.Pass = "sesame"
	a := start(t, cfg)
	require.NotEmpty(t, a.ready.Ops)
	status, _ := a.call(http.MethodGet, "/readyz", "")
	require.Equal(t, http.StatusNotFound, status)
	ops := &running{t: t, ready: serve.Ready{Listen: []string{a.ready.Ops}}}
	ops.ok(http.MethodGet, "/readyz", "")
	ops.ok(http.MethodGet, "/metrics", "")
	status, _ = ops.call(http.MethodGet, "/metrics", "", "X-Forwarded-For", "192.0.2.1")
	require.Equal(t, http.StatusUnauthorized, status, "whoever was forwarded is not on this machine")
	status, _ = ops.call(http.MethodGet, "/waygate/api/routes", "")
	require.Equal(t, http.StatusNotFound, status)
}

func TestWithoutUsersOthersAreKeptOut(t *testing.T) {
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		cfg := plain()
		cfg.Listen = []string{address}
		err := app.Run(t.Context(), cfg, zaptest.NewLogger(t), nil)
		require.ErrorContains(t, err, "--allow-open", address)
	}
	for _, change := range []func(*app.Config){
		func(c *app.Config) { c.AllowOpen = true }, func(c *app.Config) { c.Pass = "sesame" },
	} {
		cfg := plain()
		cfg.Listen = []string{"0.0.0.0:0"}
		change(&cfg)
		require.NoError(t, start(t, cfg).stop())
	}
}

func TestWhatCannotBeStartedSaysWhy(t *testing.T) {
	tests := []struct {
		name   string
		change func(*app.Config)
		want   string
	}{
		{"an address", func(c *app.Config) { c.Listen = []string{"nowhere"} }, "HOST:PORT or unix:///path"},
		{"a base path", func(c *app.Config) { c.BasePath = "waygate/" }, "base path"},
		{"a users file", func(c *app.Config) { c.UsersFile = "/does/not/exist" }, "users file"},
		{"a user", func(c *app.Config) { c.User, c.Pass = "system", "x" }, "system"},
		{"half a certificate", func(c *app.Config) { c.CertFile = "x" }, "--tls-key"},
		{"a Redis URL", func(c *app.Config) { c.Backend, c.RedisURL = "redis", "http://x" }, "redis://"},
		{"a term", func(c *app.Config) { c.CLITerm = -1 }, "--cli-token-ttl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := plain()
			tt.change(&cfg)
			require.ErrorContains(t, app.Run(t.Context(), cfg, zaptest.NewLogger(t), nil), tt.want)
		})
	}
}

func TestAUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	cfg := plain()
	cfg.Listen = []string{"unix://" + path}
	a := start(t, cfg)
	require.Equal(t, []string{"unix://" + path}, a.ready.Listen)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://waygate/waygate/api/routes", nil)
	require.NoError(t, err)
	resp, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusOK, resp.StatusCode)
}

func TestSnapshotsOutliveTheMemoryBackend(t *testing.T) {
	cfg := plain()
	cfg.SnapshotDir = t.TempDir()
	cfg.Pass = "sesame"
	first := start(t, cfg)
	_, text := first.call(http.MethodPost, "/waygate/api/auth/login", `{"username":"admin","password":"sesame"}`)
	var in struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(text), &in))
	status, _ := first.call(http.MethodPost, disableA, `{"reason":"kept"}`, "X-Waygate-Token", in.Token)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, first.stop())

	second := start(t, cfg)
	status, text = second.call(http.MethodGet, "/waygate/api/routes", "", "X-Waygate-Token", in.Token)
	require.Equal(t, http.StatusOK, status, "the token is good after the restart: %s", text)
	require.Contains(t, text, `"reason":"kept"`)
	status, _ = second.call(http.MethodPost, "/waygate/api/routes/GET%3A%2Fa/enable", "", "X-Waygate-Token", in.Token)
	require.Equal(t, http.StatusOK, status)
}
