package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestAnInstanceFollowsRedisAndReports(t *testing.T) {
	redis, s := seeded(t)
	file := filepath.Join(t.TempDir(), "ready.json")
	r := run(t, "--source", redis.URL(), "--listen", "127.0.0.1:0", "--listen", "unix://"+socket(t), "--ready-file", file)
	require.Len(t, r.ready.Listen, 2)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.JSONEq(t, `{"listen":["`+r.ready.Listen[0]+`","`+r.ready.Listen[1]+`"],"ops":"`+r.ready.Ops+`"}`, string(text))

	for _, address := range r.ready.Listen {
		c := client(t, address)
		require.Equal(t, http.StatusServiceUnavailable, code(t, c, "/payments"))
		require.Equal(t, http.StatusOK, code(t, c, "/orders/7"))
	}
	done := statetest.Commit(t, s, statetest.Block(t, "/orders/{id}", "stock"))
	becomes(t, client(t, r.ready.Listen[0]), "/orders/7", http.StatusServiceUnavailable)

	require.Eventually(t, func() bool {
		report, ok := reported(t, s)
		return ok && report.Rev == done.Frame.Rev && report.Link == "connected" && report.Hits["GET:/payments"] == 2
	}, patience, again)
	status, is := r.readiness()
	require.Equal(t, http.StatusOK, status)
	require.True(t, is.Ready)
	require.Equal(t, done.Frame.Rev, is.Revision)
	require.WithinDuration(t, time.Now(), is.Confirmed, patience)
	status, body := page(t, r.ready.Ops, "/metrics")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, `waygate_authz_checks_total{cause="maintenance",verdict="refused"}`)
	require.Contains(t, body, "process_cpu_seconds_total")
	status, _ = page(t, r.ready.Ops, "/livez")
	require.Equal(t, http.StatusOK, status)

	r.end()
	report, _ := reported(t, s)
	require.True(t, report.Bye)
}

func TestNothingIsBoundWithoutASnapshot(t *testing.T) {
	redis := parts.Redis(t)
	s := store(t, redis)
	path := socket(t)
	ops := freePort(t)
	r, is := launch(t, zap.NewNop(), "--source", redis.URL(), "--listen", "unix://"+path, "--ops-listen", ops)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", ops) //nolint:noctx // a port of this test
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, patience, again)
	status, body := page(t, ops, "/readyz")
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Contains(t, body, "no snapshot yet")
	require.NoFileExists(t, path)

	statetest.Seeded(t, s)
	select {
	case <-is:
	case <-time.After(patience):
		require.Fail(t, "the snapshot is there and it is not ready")
	}
	require.Equal(t, http.StatusOK, code(t, client(t, r.ready.Listen[0]), "/payments"))
}

// freePort is an address that nobody listens on at the moment.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a port of this test
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestAnInstanceSaysWhatItWaitsFor(t *testing.T) {
	core, said := observer.New(zap.WarnLevel)
	r, _ := launch(t, zap.New(core), "--source", "http://127.0.0.1:1/waygate", "--listen", "unix://"+socket(t))
	require.Eventually(t, func() bool { return said.FilterMessageSnippet("no gateway is answered yet").Len() > 0 }, patience, again)
	line := said.FilterMessageSnippet("no gateway is answered yet").All()[0].ContextMap()
	require.Contains(t, line["trouble"], "connection refused")
	require.Contains(t, line["source"], "127.0.0.1:1")
	r.end()
}

func TestAStartThatIsCalledOffEnds(t *testing.T) {
	r, _ := launch(t, zap.NewNop(), "--source", "redis://127.0.0.1:1", "--listen", "unix://"+socket(t))
	r.end()
}

func TestAStartNeedsRedisOnlyOnce(t *testing.T) {
	redis, _ := seeded(t)
	dir, path := t.TempDir(), socket(t)
	args := []string{"--source", redis.URL(), "--listen", "unix://" + path, "--snapshot-dir", dir}
	r := run(t, args...)
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, r.ready.Listen[0]), "/payments"))
	redis.Kill()
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, r.ready.Listen[0]), "/payments"))
	r.end()

	again := run(t, args...)
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, again.ready.Listen[0]), "/payments"))
	require.Equal(t, http.StatusOK, code(t, client(t, again.ready.Listen[0]), "/orders"))
	status, is := again.readiness()
	require.Equal(t, http.StatusOK, status, "it enforces what it knows")
	require.Equal(t, "reconnecting", string(is.Link))
	require.True(t, is.Confirmed.IsZero())
	again.end()

	// An admin that is away is no different.
	other := run(t, append(args, "--source", "http://127.0.0.1:1/waygate")...)
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, other.ready.Listen[0]), "/payments"))
	other.end()

	// Nor is a Redis that accepts connections and says nothing.
	redis.Restart()
	redis.Pause()
	began := time.Now()
	silent := run(t, args...)
	require.Less(t, time.Since(began), 10*time.Second)
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, silent.ready.Listen[0]), "/payments"))
	silent.end()
	redis.Kill()

	// A snapshot that is damaged costs the start its independence, and it says so.
	files, err := filepath.Glob(filepath.Join(dir, "*.snapshot"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		require.NoError(t, os.WriteFile(file, []byte("garbage"), 0o600))
	}
	core, logs := observer.New(zap.ErrorLevel)
	third, _ := launch(t, zap.New(core), args...)
	require.Eventually(t, func() bool { return logs.FilterMessage("the snapshots on disk cannot be used").Len() == 1 }, patience, 5*time.Millisecond)
	require.NoFileExists(t, path+".new")
	third.end()
}

func TestASocketIsTakenOverWithoutAFailedCheck(t *testing.T) {
	redis, s := seeded(t)
	path := socket(t)
	args := []string{"--source", redis.URL(), "--listen", "unix://" + path}
	first := run(t, args...)

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asking sync.WaitGroup
	failures := make(chan error, 1)
	for range 4 {
		c := client(t, "unix://"+path)
		asking.Go(func() {
			for ctx.Err() == nil {
				got, err := c.Check(t.Context(), asked("/payments"))
				if err == nil && got.GetDeniedResponse() != nil {
					continue
				}
				select {
				case failures <- err:
				default:
				}
			}
		})
	}
	for range 3 {
		second := run(t, args...)
		first.end()
		first = second
	}
	cancel()
	asking.Wait()
	require.Empty(t, failures)
	report, _ := reported(t, s)
	require.False(t, report.Bye, "the one that was replaced says no goodbye in the name of its successor")
	first.end()
	report, _ = reported(t, s)
	require.True(t, report.Bye)
}

func TestWhoConnectedBeforeAStopIsServed(t *testing.T) {
	redis, _ := seeded(t)
	for _, listen := range []string{"unix://" + socket(t), "127.0.0.1:0"} {
		r := run(t, "--source", redis.URL(), "--listen", listen)
		network, target := "tcp", r.ready.Listen[0]
		if path, ok := strings.CutPrefix(target, "unix://"); ok {
			network, target = "unix", path
		}
		const many = 100
		errs := make(chan error, many)
		for range many {
			conn, err := net.Dial(network, target) //nolint:noctx // an address of this test
			require.NoError(t, err)
			go func() {
				defer conn.Close()
				// A client of HTTP/2 that says its preface and settings hears the server's settings.
				_, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
				if err == nil {
					_, err = io.ReadFull(conn, make([]byte, 9))
				}
				errs <- err
			}()
		}
		r.end()
		for range many {
			require.NoError(t, <-errs, listen)
		}
	}
}

func TestAStartWithASnapshotStillNeedsGoodSettings(t *testing.T) {
	redis, _ := seeded(t)
	dir := t.TempDir()
	run(t, "--source", redis.URL(), "--listen", "unix://"+socket(t), "--snapshot-dir", dir).end()
	r, _ := launch(t, zap.NewNop(), "--source", "redis://?nonsense=1", "--listen", "unix://"+socket(t), "--snapshot-dir", dir)
	<-r.done
	require.ErrorContains(t, r.err, "redis://")
}

func TestAStopIsQuick(t *testing.T) {
	redis, _ := seeded(t)
	tests := []struct {
		name   string
		before func()
	}{
		{name: "with its source"},
		{name: "while its source is silent", before: redis.Pause},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, "--source", redis.URL(), "--listen", "unix://"+socket(t))
			conn := dial(t, r.ready.Listen[0])
			watch, err := healthpb.NewHealthClient(conn).Watch(t.Context(), &healthpb.HealthCheckRequest{}, grpc.WaitForReady(true))
			require.NoError(t, err)
			_, err = watch.Recv()
			require.NoError(t, err)
			if tt.before != nil {
				tt.before()
			}
			began := time.Now()
			r.end()
			require.Less(t, time.Since(began), answerWithin)
		})
	}
	redis.Resume()
}

func TestADrainIsAnnounced(t *testing.T) {
	redis, _ := seeded(t)
	r := run(t, "--source", redis.URL(), "--listen", "unix://"+socket(t), "--drain-delay", "300ms")
	conn := dial(t, r.ready.Listen[0])
	health := healthpb.NewHealthClient(conn)
	is := func() string {
		got, err := health.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "envoy.service.auth.v3.Authorization"}, grpc.WaitForReady(true))
		require.NoError(t, err)
		return got.GetStatus().String()
	}
	require.Equal(t, "SERVING", is())
	began := time.Now()
	r.stop()
	require.Eventually(t, func() bool { return is() == "NOT_SERVING" }, patience, again)
	require.Equal(t, http.StatusServiceUnavailable, code(t, client(t, r.ready.Listen[0]), "/payments"), "it answers while it drains")
	<-r.done
	require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	require.NoError(t, r.err)
}

func TestASnapshotThatIsTooOld(t *testing.T) {
	redis, _ := seeded(t)
	tests := []struct {
		name, onStale string
		blocked, open int
		ready         bool
	}{
		{name: "keep", onStale: "keep", blocked: 503, open: 200, ready: true},
		{name: "open", onStale: "open", blocked: 200, open: 200},
		{name: "closed", onStale: "closed", blocked: 503, open: 503},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			core, logs := observer.New(zap.WarnLevel)
			r, is := launch(t, zap.New(core), "--source", redis.URL(), "--listen", "unix://"+socket(t), "--max-stale", "1500ms", "--on-stale", tt.onStale)
			t.Cleanup(redis.Resume)
			select {
			case <-is:
			case <-r.done:
				require.NoError(t, r.err)
			}
			c := client(t, r.ready.Listen[0])
			require.Equal(t, []int{503, 200}, []int{code(t, c, "/payments"), code(t, c, "/orders")})
			crossed := func() int { return logs.FilterMessage("the age of the snapshot crossed --max-stale").Len() }
			require.Zero(t, crossed())

			redis.Pause()
			require.Eventually(t, func() bool { return crossed() == 1 }, patience, again)
			require.Equal(t, []int{tt.blocked, tt.open}, []int{code(t, c, "/payments"), code(t, c, "/orders")})
			status, _ := r.readiness()
			require.Equal(t, tt.ready, status == http.StatusOK)

			redis.Resume()
			require.Eventually(t, func() bool { return crossed() == 2 }, patience, again)
			require.Equal(t, []int{503, 200}, []int{code(t, c, "/payments"), code(t, c, "/orders")})
			r.end()
		})
	}
}
