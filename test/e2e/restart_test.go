package e2e_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

const (
	requestsPerRun = 1000
	requestEvery   = 5 * time.Millisecond // 200 a second
)

// restart is a way to replace a running authz under traffic, and how many wrong answers it may cost.
type restart struct {
	name   string
	do     func(l *line)
	perRun int
	inAll  int
}

func restarts() []restart {
	return []restart{
		{name: "hot swap", perRun: 0, inAll: 0, do: func(l *line) {
			old := l.authz
			l.authz = l.startAuthz("--instance-id", "two")
			old.Stop()
		}},
		{name: "SIGTERM and start", perRun: 1, inAll: 1, do: func(l *line) {
			l.authz.Stop()
			l.authz = l.startAuthz()
		}},
		{name: "SIGKILL and start", perRun: 2, inAll: 10, do: func(l *line) {
			l.authz.Kill()
			l.authz = l.startAuthz()
		}},
	}
}

// underTraffic restarts the authz in the middle of a run and gives the wrong answers.
func (l *line) underTraffic(r restart) []string {
	l.t.Helper()
	w := l.watch(requestEvery, requestsPerRun, expectation{path: "/orders"}, expectation{path: "/payments", refused: true})
	w.reached(l.t, requestsPerRun/3)
	r.do(l)
	sent, wrong := w.wait()
	require.Equal(l.t, requestsPerRun, sent)
	return wrong
}

func testRestarts(t *testing.T, runs int) {
	t.Helper()
	for _, r := range restarts() {
		t.Run(r.name, func(t *testing.T) {
			l := newLine(t, settings{redis: true, failClosed: true})
			l.must("maintenance", "GET:/payments", "--wait")
			total := 0
			for range runs {
				wrong := l.underTraffic(r)
				require.LessOrEqual(t, len(wrong), r.perRun, "%v", wrong)
				total += len(wrong)
			}
			t.Logf("%s: %d wrong answers in %d runs of %d requests", r.name, total, runs, requestsPerRun)
			require.LessOrEqual(t, total, r.inAll)
		})
	}
}

func TestRestartsCostNoRequest(t *testing.T) { testRestarts(t, 1) }

func TestAnAuthzStartsFromItsDiskWithEverythingElseDown(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true, failClosed: true})
	l.must("maintenance", "GET:/payments", "--wait")
	require.Eventually(t, func() bool { // the snapshot is written behind the apply path
		files, err := filepath.Glob(filepath.Join(l.dir, "authz", "*"))
		return err == nil && len(files) > 0
	}, waitLong, waitTick)
	l.authz.Stop()
	l.admin.Kill()
	l.redis.Kill()
	l.authz = l.startAuthz()
	l.envoy.Stop()
	l.envoy = parts.StartEnvoy(t, parts.SidecarYAML(t, "envoy/envoy-fail-closed.yaml", l.served.Listener.Addr().String(), "unix://"+l.socket()))
	l.awaitAsked()
	require.Equal(t, 503, l.get("/payments").status)
	require.Equal(t, 200, l.get("/orders").status)
}

func TestAnAuthzThatKnowsNothingDoesNotListen(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true, failClosed: true})
	empty := parts.Redis(t)
	other := parts.LaunchWaygate(t, parts.AuthzProgram, nil,
		"--listen", "unix://"+filepath.Join(l.dir, "other.sock"), "--ops-listen", "127.0.0.1:0", "--source", empty.URL())
	pause(t, time.Second)
	require.NoFileExists(t, filepath.Join(l.dir, "other.sock"))
	other.Stop()
}
