package guide_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

func TestMain(m *testing.M) { parts.RunTests(m) }

const (
	userName = "deploy-bot"
	password = "correct-horse-battery-staple"
)

// place is where a script runs: a directory, programs on its PATH, an admin, and the services it asks for health.
type place struct {
	t     *testing.T
	admin *parts.Waygate
	home  string
	bin   string
	work  string
	token string
	calls string // the stubs write here what they were called with
}

// newPlace starts an admin with one user and lays out what scripts expect to find.
func newPlace(t *testing.T) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{
		t: t, home: filepath.Join(dir, "home"), bin: filepath.Join(dir, "bin"), work: filepath.Join(dir, "work"),
		calls: filepath.Join(dir, "calls"),
	}
	for _, d := range []string{p.home, p.bin, p.work} {
		require.NoError(t, os.Mkdir(d, 0o755))
	}
	p.admin = parts.StartWaygate(t, parts.AdminProgram, []string{
		"WAYGATE_BACKEND=file", "WAYGATE_FILE_PATH=" + filepath.Join(dir, "waygate.json"),
		"WAYGATE_USER=" + userName, "WAYGATE_PASS=" + password,
	}, "--listen", "127.0.0.1:0")
	health := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(health.Close)
	// The scripts ask localhost:8000 and :8001 for health; curl reads from its own file where those are.
	addr := health.Listener.Addr().String()
	curlrc := fmt.Sprintf("connect-to = localhost:8000:%s\nconnect-to = localhost:8001:%s\n", addr, addr)
	require.NoError(t, os.WriteFile(filepath.Join(p.home, ".curlrc"), []byte(curlrc), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(p.work, "VERSION"), []byte("1.2.3\n"), 0o600))
	for _, stub := range []string{"docker", "uv", "kubectl", "pip"} {
		p.program(stub, fmt.Sprintf("#!/bin/sh\necho %s \"$@\" >> %s\n", stub, p.calls))
	}
	p.useOurs()
	p.token = p.login()
	return p
}

func (p *place) program(name, text string) {
	p.t.Helper()
	require.NoError(p.t, os.WriteFile(filepath.Join(p.bin, name), []byte(text), 0o755)) //nolint:gosec // it is a program
}

// useOurs puts our command line on the PATH, usePython the published one of the same name.
func (p *place) useOurs()   { p.use(parts.Binary(p.t, parts.CLIProgram)) }
func (p *place) usePython() { p.use(parts.PythonCLI(p.t)) }

func (p *place) use(cli string) {
	p.t.Helper()
	link := filepath.Join(p.bin, "waygate")
	require.NoError(p.t, os.RemoveAll(link))
	require.NoError(p.t, os.Symlink(cli, link))
	require.NoError(p.t, os.RemoveAll(filepath.Join(p.home, ".waygate")))
}

func (p *place) env() []string {
	jq := filepath.Dir(parts.JQ(p.t))
	return []string{
		"HOME=" + p.home, "PATH=" + p.bin + ":" + jq + ":" + os.Getenv("PATH"), "LANG=C.UTF-8", "PYTHONUTF8=1",
		"WAYGATE_SERVER_URL=" + p.admin.URL(), "WAYGATE_USER=" + userName, "WAYGATE_PASS=" + password,
	}
}

// run runs a program to its end and gives its output and exit status.
func (p *place) run(env []string, name string, args ...string) (string, int) {
	p.t.Helper()
	path := name
	if own := filepath.Join(p.bin, name); !strings.Contains(name, "/") {
		if _, err := os.Stat(own); err == nil {
			path = own // the PATH of the script is not ours
		}
	}
	cmd := exec.CommandContext(p.t.Context(), path, args...)
	cmd.Dir, cmd.Env = p.work, append(p.env(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		require.NoError(p.t, err)
	}
	p.t.Logf("%s %s\n%s", name, strings.Join(args, " "), out)
	return string(out), cmd.ProcessState.ExitCode()
}

// must is run for what has to succeed.
func (p *place) must(name string, args ...string) string {
	p.t.Helper()
	out, status := p.run([]string{"WAYGATE_TOKEN=" + p.token}, name, args...)
	require.Zero(p.t, status, out)
	return out
}

func (p *place) script(name string) string {
	p.t.Helper()
	path, err := filepath.Abs(filepath.Join("scripts", name))
	require.NoError(p.t, err)
	return path
}

func (p *place) login() string {
	p.t.Helper()
	body := fmt.Sprintf(`{"username":%q,"password":%q}`, userName, password)
	var answer struct{ Token string }
	p.call(http.MethodPost, "/api/auth/login", body, &answer)
	return answer.Token
}

func (p *place) call(method, path, body string, answer any) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.admin.URL()+path, strings.NewReader(body))
	require.NoError(p.t, err)
	req.Header.Set("X-Waygate-Token", p.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	require.Equal(p.t, http.StatusOK, resp.StatusCode, path)
	require.NoError(p.t, json.NewDecoder(resp.Body).Decode(answer))
}

// route is the state of a key, as clients read it.
type route struct {
	Path   string `json:"path"`
	Status string `json:"status"`
	Reason string `json:"reason"`
	Window *struct {
		Start string `json:"start"`
		End   string `json:"end"`
	} `json:"window"`
}

func (p *place) route(segment string) route {
	p.t.Helper()
	var r route
	p.call(http.MethodGet, "/api/routes/"+segment, "", &r)
	return r
}

func (p *place) global() bool {
	p.t.Helper()
	var s struct{ Enabled bool }
	p.call(http.MethodGet, "/api/global", "", &s)
	return s.Enabled
}

// actions are the audit's actions, oldest first.
func (p *place) actions() []string {
	p.t.Helper()
	var entries []struct{ Action, Path string }
	p.call(http.MethodGet, "/api/audit?limit=50", "", &entries)
	actions := make([]string, len(entries))
	for i, e := range entries {
		actions[len(entries)-1-i] = e.Action + " " + e.Path
	}
	return actions
}

func (p *place) stubCalls() string {
	p.t.Helper()
	text, err := os.ReadFile(p.calls)
	require.NoError(p.t, err)
	return string(text)
}
