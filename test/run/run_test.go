// Package run tries "make run" as a person does: it types the command, looks at what the pieces answer, and presses
// Ctrl-C. Only the ports and the directory differ, so that it disturbs nobody who has it running.
package run

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// patience is how long the pieces may take to build and start, or to stop.
const patience = 3 * time.Minute

// bin is where all tests of this package build to, so that the programs are linked once.
var bin string

func TestMain(m *testing.M) {
	var err error
	if bin, err = os.MkdirTemp("", "wg-run-"); err != nil {
		panic(err)
	}
	status := m.Run()
	if err := os.RemoveAll(bin); err != nil {
		panic(err)
	}
	os.Exit(status)
}

// places are the settings of tools/run.sh that name a port.
var places = []string{"ENVOY_PORT", "ENVOY_ADMIN_PORT", "ADMIN_PORT", "OPS_PORT", "DEMO_PORT"}

// running is one "make run".
type running struct {
	t     *testing.T
	dir   string
	ports map[string]int
	cmd   *exec.Cmd
	ended chan struct{}

	mu     sync.Mutex
	output bytes.Buffer
}

// start types "make run" with ports of its own; settings may say otherwise.
func start(t *testing.T, settings ...string) *running {
	t.Helper()
	r := &running{t: t, dir: t.TempDir(), ports: map[string]int{}, ended: make(chan struct{})}
	r.cmd = exec.CommandContext(t.Context(), "make", "--no-print-directory", "run")
	r.cmd.Dir = parts.Root(t)
	r.cmd.Env = append(os.Environ(), "ENVOY="+parts.Envoy(t), "RUN_DIR="+r.dir, "BIN="+bin)
	for _, place := range places {
		r.ports[place] = parts.FreePort(t)
		r.cmd.Env = append(r.cmd.Env, fmt.Sprintf("%s=%d", place, r.ports[place]))
	}
	r.cmd.Env = append(r.cmd.Env, settings...)
	r.cmd.Stdout, r.cmd.Stderr = r, r
	// Ctrl-C on a terminal goes to the whole process group, make and script.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, r.cmd.Start())
	go func() {
		_ = r.cmd.Wait() // its status is looked at by those who await the end
		close(r.ended)
	}()
	t.Cleanup(func() {
		r.signal(syscall.SIGTERM)
		<-r.ended
		if t.Failed() {
			t.Logf("make run printed:\n%s", r.printed())
		}
	})
	return r
}

// Write collects what is printed.
func (r *running) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.Write(p)
}

// printed is what was printed so far.
func (r *running) printed() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.output.String()
}

// signal sends s to the process group.
func (r *running) signal(s syscall.Signal) { _ = syscall.Kill(-r.cmd.Process.Pid, s) }

// awaitReady waits for the words that end the start.
func (r *running) awaitReady() {
	r.t.Helper()
	require.Eventually(r.t, func() bool {
		select {
		case <-r.ended:
			return true
		default:
			return strings.Contains(r.printed(), "Ctrl-C stops everything")
		}
	}, patience, 20*time.Millisecond)
	require.Contains(r.t, r.printed(), "Ctrl-C stops everything")
}

// awaitEnd waits until make has ended, and sees that nothing is left behind.
func (r *running) awaitEnd() {
	r.t.Helper()
	select {
	case <-r.ended:
	case <-time.After(patience):
		require.FailNow(r.t, "make run does not end")
	}
	for _, place := range places {
		require.False(r.t, listens(r.t, r.ports[place]), "somebody still listens on %s", place)
	}
	left, err := filepath.Glob(filepath.Join(r.dir, "*.pid"))
	require.NoError(r.t, err)
	require.Empty(r.t, left)
}

// pid is the process id of one of the pieces.
func (r *running) pid(name string) int {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, name+".pid"))
	require.NoError(r.t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(r.t, err)
	return pid
}

// get asks Envoy for a path.
func (r *running) get(path string) (int, string) {
	r.t.Helper()
	url := fmt.Sprintf("http://127.0.0.1:%d%s", r.ports["ENVOY_PORT"], path)
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url, nil)
	require.NoError(r.t, err)
	req.Header.Set("X-Waygate-Test", "1")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(r.t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(r.t, err)
	return resp.StatusCode, string(body)
}

// waygate runs the command line against the admin of this run.
func (r *running) waygate(args ...string) {
	r.t.Helper()
	cmd := exec.CommandContext(r.t.Context(), filepath.Join(bin, "waygate"), args...)
	cmd.Env = append(
		os.Environ(), "HOME="+r.dir, fmt.Sprintf("WAYGATE_SERVER_URL=http://127.0.0.1:%d/waygate", r.ports["ADMIN_PORT"]),
	)
	out, err := cmd.CombinedOutput()
	require.NoError(r.t, err, "%s", out)
}

// listens reports whether somebody accepts connections on a port.
func listens(t *testing.T, port int) bool {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	require.NoError(t, conn.Close())
	return true
}

func TestAPersonBlocksARouteAndPressesCtrlC(t *testing.T) {
	r := start(t)
	r.awaitReady()
	status, body := r.get("/payments")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `"path": "/payments"`)
	require.NotContains(t, body, "X-Waygate-Test", "our headers do not reach the service")

	r.waygate("maintenance", "GET:/payments", "--reason", "DB migration", "--wait")
	status, body = r.get("/payments")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "DB migration")
	status, _ = r.get("/orders")
	require.Equal(t, http.StatusOK, status)

	r.signal(syscall.SIGINT)
	r.awaitEnd()
	require.Contains(t, r.printed(), "run: stopping")

	// What was true is true the next time.
	again := start(t, "RUN_DIR="+r.dir)
	again.awaitReady()
	status, _ = again.get("/payments")
	require.Equal(t, http.StatusServiceUnavailable, status)
}

func TestTheEndOfOneIsTheEndOfAll(t *testing.T) {
	for _, name := range []string{"admin", "authz", "demo", "envoy"} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			r.awaitReady()
			require.NoError(t, syscall.Kill(r.pid(name), syscall.SIGKILL))
			r.awaitEnd()
			require.Contains(t, r.printed(), name+" has ended")
			require.False(t, r.cmd.ProcessState.Success())
		})
	}
}

func TestAPortInUseIsNamed(t *testing.T) {
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	r := start(t, fmt.Sprintf("ADMIN_PORT=%d", port))
	r.awaitEnd()
	require.Contains(t, r.printed(), fmt.Sprintf("port %d is in use", port))
	require.Contains(t, r.printed(), "ADMIN_PORT")
	require.False(t, r.cmd.ProcessState.Success())
}
