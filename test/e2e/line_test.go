package e2e_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

func TestMain(m *testing.M) { parts.RunTests(m) }

// line is one complete line: a store, an admin, an authz, Envoy and a service behind it.
type line struct {
	t      *testing.T
	dir    string
	redis  *parts.RedisServer // nil: the file store, and the authz follows the admin's stream
	admin  *parts.Waygate
	authz  *parts.Waygate
	envoy  *parts.EnvoyProxy
	served *served
	client *http.Client
}

// served is the service behind Envoy: it answers everything with what arrived.
type served struct {
	*httptest.Server
}

// echo is what the service says of a request.
type echo struct {
	Method  string              `json:"method"`
	Path    string              `json:"path"`
	Headers map[string][]string `json:"headers"`
}

func newServed(t *testing.T) *served {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("content-type", "application/json")
		if err := json.NewEncoder(w).Encode(echo{Method: r.Method, Path: r.RequestURI, Headers: r.Header}); err != nil {
			t.Logf("echo: %v", err)
		}
	}))
	t.Cleanup(s.Close)
	return &served{s}
}

// settings choose the parts of a line.
type settings struct {
	redis      bool
	failClosed bool
	redisArgs  []string
	authzArgs  []string
}

// newLine starts everything and returns when Envoy asks the authz.
func newLine(t *testing.T, s settings) *line {
	t.Helper()
	l := &line{t: t, dir: t.TempDir(), served: newServed(t)}
	if s.redis {
		l.redis = parts.Redis(t, s.redisArgs...)
	}
	l.startAdmin()
	l.authz = l.startAuthz(s.authzArgs...)
	file := "envoy/envoy.yaml"
	if s.failClosed {
		file = "envoy/envoy-fail-closed.yaml"
	}
	l.envoy = parts.StartEnvoy(t, parts.SidecarYAML(t, file, l.served.Listener.Addr().String(), "unix://"+l.socket()))
	l.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(l.client.CloseIdleConnections)
	l.awaitAsked()
	return l
}

func (l *line) socket() string { return filepath.Join(l.dir, "authz.sock") }

func (l *line) startAdmin() {
	l.t.Helper()
	set := []string{"WAYGATE_SNAPSHOT_DIR=" + filepath.Join(l.dir, "admin")}
	if l.redis != nil {
		set = append(set, "WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL="+l.redis.URL())
	} else {
		set = append(set, "WAYGATE_BACKEND=file", "WAYGATE_FILE_PATH="+filepath.Join(l.dir, "waygate.json"))
	}
	listen := "127.0.0.1:0"
	if l.admin != nil {
		listen = l.admin.Listen[0]
	}
	l.admin = parts.StartWaygate(l.t, parts.AdminProgram, set, "--listen", listen)
}

func (l *line) startAuthz(args ...string) *parts.Waygate {
	l.t.Helper()
	w := l.launchAuthz(args...)
	w.AwaitReady()
	return w
}

func (l *line) launchAuthz(args ...string) *parts.Waygate {
	l.t.Helper()
	source := l.admin.URL()
	if l.redis != nil {
		source = l.redis.URL()
	}
	args = append([]string{
		"--listen", "unix://" + l.socket(), "--ops-listen", "127.0.0.1:0", "--source", source, "--instance-id", "one",
		"--snapshot-dir", filepath.Join(l.dir, "authz"),
	}, args...)
	return parts.LaunchWaygate(l.t, parts.AuthzProgram, nil, args...)
}

// awaitAsked sends requests until a check was counted: Envoy's health check has then seen the authz.
func (l *line) awaitAsked() {
	l.t.Helper()
	require.Eventually(l.t, func() bool {
		l.get("/await")
		for name, n := range l.envoy.Counters("ext_authz.waygate.ok") {
			if strings.HasPrefix(name, "http.") && n > 0 {
				return true
			}
		}
		return false
	}, waitLong, waitTick)
}

// answer is what a client of the gate got.
type answer struct {
	status int
	header http.Header
	body   string
}

func (l *line) get(path string) answer { return l.send(http.MethodGet, path, nil) }

func (l *line) send(method, path string, header http.Header) answer {
	l.t.Helper()
	a, err := l.try(method, path, header)
	require.NoError(l.t, err)
	return a
}

// try is send for goroutines other than the test's.
func (l *line) try(method, path string, header http.Header) (answer, error) {
	req, err := http.NewRequestWithContext(l.t.Context(), method, "http://"+l.envoy.Addr+path, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	maps.Copy(req.Header, header)
	resp, err := l.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}, err
}

// cli runs our command line against the line's admin.
func (l *line) cli(args ...string) parts.Ran {
	l.t.Helper()
	return parts.RunCLI(l.t, []string{"WAYGATE_SERVER_URL=" + l.admin.URL(), "WAYGATE_ACTOR=ada"}, args...)
}

// must is cli for what has to succeed.
func (l *line) must(args ...string) parts.Ran {
	l.t.Helper()
	r := l.cli(args...)
	require.Zero(l.t, r.Status, "waygate %v: %s%s", args, r.Out, r.ErrOut)
	return r
}
