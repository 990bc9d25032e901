package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/parts"
)

// stage is an admin, and maybe an instance, in which commands are run while something is down.
type stage struct {
	t     *testing.T
	dir   string
	admin *parts.Waygate
	api   *client.Client
}

func newStage(t *testing.T, enforced bool) *stage {
	t.Helper()
	p := &stage{t: t, dir: t.TempDir()}
	p.startAdmin()
	api, err := client.New(p.admin.URL(), "", "test")
	require.NoError(t, err)
	p.api = api
	if enforced {
		parts.StartWaygate(t, parts.AuthzProgram, nil, "--source", p.admin.URL(), "--listen", "unix://"+filepath.Join(p.dir, "a.sock"),
			"--ops-listen", "127.0.0.1:0", "--instance-id", "one", "--snapshot-dir", filepath.Join(p.dir, "authz"))
	}
	return p
}

func (p *stage) startAdmin() {
	p.t.Helper()
	listen := "127.0.0.1:0"
	if p.admin != nil {
		listen = p.admin.Listen[0]
	}
	set := []string{"WAYGATE_BACKEND=file", "WAYGATE_FILE_PATH=" + filepath.Join(p.dir, "waygate.json")}
	p.admin = parts.StartWaygate(p.t, parts.AdminProgram, set, "--listen", listen)
}

// lag has an instance report that never applies anything.
func (p *stage) lag() {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPut, p.admin.URL()+"/api/instances/laggard", strings.NewReader(`{"boot":"b","rev":0}`))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	require.NoError(p.t, resp.Body.Close())
	require.Less(p.t, resp.StatusCode, 300)
}

// open checks that no window is left, and gives the actions in the log of the route, oldest first.
func (p *stage) open(route string) (actions []string) {
	p.t.Helper()
	list, err := p.api.Windows(p.t.Context(), "", "", false)
	require.NoError(p.t, err)
	require.Empty(p.t, list)
	entries, _, err := p.api.AuditPage(p.t.Context(), url.Values{"route": {route}, "limit": {"100"}})
	require.NoError(p.t, err)
	for _, e := range entries {
		actions = append([]string{e.Action}, actions...)
	}
	return actions
}

// ran is waygate down as a process.
type ran struct {
	t        *testing.T
	cmd      *exec.Cmd
	stdin    io.WriteCloser
	out, err *heard
}

// heard keeps what a process prints, and can be waited for.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func listen(t *testing.T, pipe func() (io.ReadCloser, error)) *heard {
	t.Helper()
	from, err := pipe()
	require.NoError(t, err)
	h := &heard{more: make(chan struct{}, 1)}
	go func() {
		defer close(h.more)
		for lines := bufio.NewReader(from); ; {
			line, err := lines.ReadString('\n')
			h.mu.Lock()
			h.text.WriteString(line)
			h.mu.Unlock()
			if err != nil {
				return
			}
			select {
			case h.more <- struct{}{}:
			default:
			}
		}
	}()
	return h
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.String()
}

// await waits until a text was printed.
func (h *heard) await(t *testing.T, text string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for open := true; !strings.Contains(h.String(), text); {
		require.True(t, open, "it ended without %q: %s", text, h)
		select {
		case _, open = <-h.more:
		case <-limit:
			require.Contains(t, h.String(), text)
		}
	}
}

// down starts waygate down; what it runs finds waygate as $WAYGATE.
func (p *stage) down(args ...string) *ran {
	p.t.Helper()
	program := parts.Binary(p.t, parts.CLIProgram)
	r := &ran{t: p.t, cmd: exec.CommandContext(p.t.Context(), program, append([]string{"down"}, args...)...)}
	r.cmd.Env = append(os.Environ(), "HOME="+p.dir, "WAYGATE_SERVER_URL="+p.admin.URL(), "WAYGATE_ACTOR=ada", "WAYGATE="+program)
	r.cmd.Dir = p.dir
	r.out, r.err = listen(p.t, r.cmd.StdoutPipe), listen(p.t, r.cmd.StderrPipe)
	var err error
	r.stdin, err = r.cmd.StdinPipe()
	require.NoError(p.t, err)
	require.NoError(p.t, r.cmd.Start())
	return r
}

// status waits for the end, with nothing more to read for the command.
func (r *ran) status() int {
	r.t.Helper()
	require.NoError(r.t, r.stdin.Close())
	return r.statusBySignal()
}

// statusBySignal waits for the end; the command's input stays open.
func (r *ran) statusBySignal() int {
	r.t.Helper()
	for _, h := range []*heard{r.out, r.err} {
		for range h.more { // to its end: Wait closes the pipes
		}
	}
	_ = r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode()
}

func (r *ran) signal(s syscall.Signal) {
	r.t.Helper()
	require.NoError(r.t, r.cmd.Process.Signal(s))
}

func TestDownRunsACommand(t *testing.T) {
	p := newStage(t, true)
	broken := filepath.Join(p.dir, "broken")
	require.NoError(t, os.WriteFile(broken, []byte("no program"), 0o700))
	onOff := []string{"maintenance_on", "maintenance_off"}
	for _, tt := range []struct {
		name, route string
		args        []string
		status      int
		out, err    string
		log         []string
	}{
		{
			name: "done", route: "GET:/done", args: []string{"-r", "migration", "--", "sh", "-c", `"$WAYGATE" status GET:/done; "$WAYGATE" window show "$WAYGATE_WINDOW_ID"; cat`},
			out: "GET:/done  MAINTENANCE  migration", err: "1 of 1 instances enforce it", log: onOff,
		},
		{name: "failed", route: "GET:/failed", args: []string{"--", "sh", "-c", "exit 7"}, status: 7, err: "GET:/failed is ACTIVE", log: onOff},
		{name: "killed", route: "GET:/killed", args: []string{"--", "sh", "-c", "kill -KILL $$"}, status: 128 + 9, err: "is lifted", log: onOff},
		{name: "no program", route: "GET:/none", args: []string{"--", "./broken"}, status: 126, err: "cannot be started: fork/exec ./broken: exec format error; the window is lifted", log: onOff},
		{name: "not executable", route: "GET:/not", args: []string{"--", "./waygate.json"}, status: 126, err: "nothing was changed"},
		{name: "not found", route: "GET:/lost", args: []string{"--", "no-such-command"}, status: 127, err: "nothing was changed"},
		{name: "another effect", route: "GET:/gone", args: []string{"--effect", "disabled", "--", "true"}, err: "GET:/gone is DISABLED until", log: []string{"disable", "enable"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := p.down(append([]string{tt.route, "--until", "30m"}, tt.args...)...)
			if tt.name == "done" {
				_, err := io.WriteString(r.stdin, "from stdin\n")
				require.NoError(t, err)
			}
			require.Equal(t, tt.status, r.status(), r.err)
			require.Contains(t, r.out.String(), tt.out)
			require.Contains(t, r.err.String(), tt.err)
			require.Equal(t, tt.log, p.open(tt.route))
			if tt.name == "done" {
				require.Contains(t, r.out.String(), "target    GET:/done\n")
				require.Contains(t, r.out.String(), "from stdin\n")
			}
		})
	}
}

func TestDownPassesSignalsOn(t *testing.T) {
	p := newStage(t, true)
	t.Run("to a command that minds", func(t *testing.T) {
		// Reading has a limit because bash looks for signals between commands, and one may come just before it reads.
		r := p.down("GET:/a", "--until", "30m", "--", "bash", "-c", `trap 'echo caught; exit 9' TERM; echo up; while :; do read -t 0.1 x; done`)
		r.out.await(t, "up")
		r.signal(syscall.SIGTERM)
		require.Equal(t, 9, r.statusBySignal())
		require.Equal(t, "up\ncaught\n", r.out.String())
		require.Equal(t, []string{"maintenance_on", "maintenance_off"}, p.open("GET:/a"))
	})
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run("to one that does not: "+s.String(), func(t *testing.T) {
			// The shell waits for what it started, which must not outlive the window.
			r := p.down("GET:/b", "--until", "30m", "--", "sh", "-c", `sh -c "echo up; exec cat"; echo never`)
			r.out.await(t, "up")
			r.signal(s)
			require.Equal(t, 128+int(s), r.statusBySignal(), r.err)
			require.Equal(t, "up\n", r.out.String())
			p.open("GET:/b")
		})
	}
	t.Run("and lifts though nobody reads what it prints", func(t *testing.T) {
		r := p.down("GET:/c", "--until", "30m", "--", "sh", "-c", `echo up; read x`)
		r.out.await(t, "up")
		r.signal(syscall.SIGPIPE)
		require.Equal(t, 1, r.status(), r.err) // that of read at the end of its input
		require.Equal(t, []string{"maintenance_on", "maintenance_off"}, p.open("GET:/c"))
	})
}

func TestDownWithoutAFleetThatConfirms(t *testing.T) {
	p := newStage(t, false)
	t.Run("nobody reports", func(t *testing.T) {
		r := p.down("GET:/a", "--until", "30m", "--wait-for", "200ms", "--", "echo", "never")
		require.Equal(t, exitUsage, r.status(), r.err) // 200ms is not how waygate writes durations
		r = p.down("GET:/a", "--until", "30m", "--wait-for", "0.2s", "--", "echo", "never")
		require.Equal(t, exitUnconfirmed, r.status(), r.err)
		require.Empty(t, r.out.String())
		require.Contains(t, r.err.String(), "no instance of waygate-authz reports: nothing is known to enforce it; the command was not run; try: waygate doctor")
		require.Equal(t, []string{"maintenance_on", "maintenance_off"}, p.open("GET:/a"))
	})
	p.lag()
	t.Run("one lags behind", func(t *testing.T) {
		r := p.down("GET:/b", "--until", "30m", "--wait-for", "0.2s", "--", "echo", "never")
		require.Equal(t, exitUnconfirmed, r.status(), r.err)
		require.Empty(t, r.out.String())
		require.Contains(t, r.err.String(), "1 of 1 instances have not confirmed it within 200 ms: laggard")
		require.Equal(t, []string{"maintenance_on", "maintenance_off"}, p.open("GET:/b"))
	})
	t.Run("a signal ends the waiting", func(t *testing.T) {
		r := p.down("GET:/c", "--until", "30m", "--wait-for", "1m", "--", "echo", "never")
		r.err.await(t, "GET:/c is MAINTENANCE")
		r.signal(syscall.SIGTERM)
		require.Equal(t, 128+15, r.statusBySignal(), r.err)
		require.Empty(t, r.out.String())
		require.Contains(t, r.err.String(), "the command was not run")
		require.Equal(t, []string{"maintenance_on", "maintenance_off"}, p.open("GET:/c"))
	})
}

func TestDownWarnsOfACommandThatOutlivesItsWindow(t *testing.T) {
	p := newStage(t, true)
	r := p.down("GET:/a", "--until", "1s", "--", "sh", "-c", "read x; exit 5")
	r.err.await(t, "the window has ended and shuts GET:/a no more, while sh still runs")
	require.Contains(t, r.err.String(), "--by 15m")
	require.Equal(t, 5, r.status())
	require.Contains(t, r.err.String(), "had ended before")
	p.open("GET:/a")
}

func TestDownLiftsNothingButItsOwn(t *testing.T) {
	p := newStage(t, true)
	other, err := p.api.AddWindow(t.Context(), wire.NewWindow{Path: "GET:/a", For: "1h", Reason: "somebody else's"})
	require.NoError(t, err)
	r := p.down("GET:/a", "--until", "30m", "--", "true")
	require.Zero(t, r.status(), r.err)
	require.Contains(t, r.err.String(), "GET:/a is MAINTENANCE until")
	list, err := p.api.Windows(t.Context(), "GET:/a", "", false)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, other.Window.ID, list[0].ID)
}

func TestDownLiftsWhenTheAdminIsBack(t *testing.T) {
	p := newStage(t, true)
	r := p.down("GET:/a", "--until", "30m", "--", "sh", "-c", "echo up; read x")
	r.out.await(t, "up")
	p.admin.Stop()
	_, err := io.WriteString(r.stdin, "go on\n")
	require.NoError(t, err)
	r.err.await(t, "cannot be lifted yet")
	p.startAdmin()
	require.Zero(t, r.status(), r.err)
	require.Contains(t, r.err.String(), "is lifted")
	p.open("GET:/a")
}

func TestDownThatCannotLift(t *testing.T) {
	api, err := client.New("http://127.0.0.1:1/waygate", "", "")
	require.NoError(t, err)
	var said strings.Builder
	end := instant(t, "2037-06-01T02:00:00Z")
	d := &down{tool: &tool{out: &said, err: &said}, api: api, liftFor: 20 * time.Millisecond, window: wire.WindowDetail{ID: "w-1", End: &end}}
	err = d.lift(t.Context(), exitStatus(7))
	failed := &exitError{}
	require.ErrorAs(t, err, &failed)
	require.Equal(t, exitUnconfirmed, failed.code)
	require.ErrorContains(t, err, "it ends by itself at 2037-06-01 02:00 UTC (before that: exit status 7); try: waygate window end w-1")
	require.Contains(t, said.String(), "cannot be lifted yet")
}

func TestAlarm(t *testing.T) {
	var said strings.Builder
	now := time.Now()
	end := now.Add(10 * time.Minute)
	d := &down{
		tool: &tool{err: &said}, target: "GET:/a", command: []string{"migrate"},
		window: wire.WindowDetail{ID: "w-1", Start: now, End: &end},
	}
	a := d.newAlarm()
	defer a.Stop()
	require.InDelta(t, 9*time.Minute, a.ahead(), float64(time.Minute))
	a.heard(end)
	require.Empty(t, said.String())

	a.heard(time.Now().Add(50 * time.Second)) // somebody shortened it
	require.Contains(t, said.String(), "the window ends in 50 s")
	require.Contains(t, said.String(), "migrate still runs; to move its end: waygate window extend w-1 --by 15m")
	require.InDelta(t, 50*time.Second, a.ahead(), float64(5*time.Second))

	said.Reset()
	a.heard(end) // and extended it again: it is warned of once more
	require.Empty(t, said.String())
	require.InDelta(t, 9*time.Minute, a.ahead(), float64(time.Minute))
	a.heard(time.Now())
	require.Contains(t, said.String(), "the window has ended and shuts GET:/a no more, while migrate still runs; to shut it again: "+
		"waygate window add GET:/a --for 15m (while a window runs, its end is moved by: waygate window extend w-1 --by 15m)")
}
