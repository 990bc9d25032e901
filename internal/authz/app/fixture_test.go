package app

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	envoy_service_auth_v3 "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/serve"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

const (
	patience = 20 * time.Second
	again    = 5 * time.Millisecond
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// settings reads arguments as the program does.
func settings(t *testing.T, args ...string) Config {
	t.Helper()
	var cfg Config
	require.NoError(t, config.Load(&cfg, program, args, nil, io.Discard))
	return cfg
}

// running is an instance inside the test.
type running struct {
	t     *testing.T
	ready serve.Ready
	stop  context.CancelFunc
	done  chan struct{}
	err   error
}

// launch runs an instance until the test ends. It returns at once.
func launch(t *testing.T, log *zap.Logger, args ...string) (*running, <-chan struct{}) {
	t.Helper()
	return launchAt(t, log, nil, args...)
}

// launchAt is launch on a machine whose clock is what local says; nil is this one.
func launchAt(t *testing.T, log *zap.Logger, local func() time.Time, args ...string) (*running, <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{t: t, stop: cancel, done: make(chan struct{})}
	is := make(chan struct{})
	cfg := settings(t, append([]string{"--ops-listen", "127.0.0.1:0", "--instance-id", "one"}, args...)...)
	cfg.local = local
	if log == nil {
		log = zaptest.NewLogger(t, zaptest.Level(zap.WarnLevel))
	}
	go func() {
		defer close(r.done)
		r.err = Run(ctx, cfg, log, func(ready serve.Ready) {
			r.ready = ready
			close(is)
		})
	}()
	t.Cleanup(func() {
		cancel()
		<-r.done
	})
	return r, is
}

// run is launch that returns when the instance is ready.
func run(t *testing.T, args ...string) *running {
	t.Helper()
	r, is := launch(t, nil, args...)
	return r.awaited(is)
}

// awaited returns when it is ready.
func (r *running) awaited(is <-chan struct{}) *running {
	r.t.Helper()
	select {
	case <-is:
	case <-r.done:
		require.NoError(r.t, r.err)
	case <-time.After(patience):
		require.Fail(r.t, "it is not ready")
	}
	return r
}

// end stops it and waits for the end.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	<-r.done
	require.NoError(r.t, r.err)
}

// client is a client of checks at an address, over TLS where a configuration is given.
func client(t *testing.T, address string, over ...credentials.TransportCredentials) envoy_service_auth_v3.AuthorizationClient {
	t.Helper()
	return envoy_service_auth_v3.NewAuthorizationClient(dial(t, address, over...))
}

func dial(t *testing.T, address string, over ...credentials.TransportCredentials) *grpc.ClientConn {
	t.Helper()
	if len(over) == 0 {
		over = append(over, insecure.NewCredentials())
	}
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(over[0]))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// asked is a check of a GET.
func asked(path string) *envoy_service_auth_v3.CheckRequest {
	return &envoy_service_auth_v3.CheckRequest{Attributes: &envoy_service_auth_v3.AttributeContext{
		Request: &envoy_service_auth_v3.AttributeContext_Request{
			Http: &envoy_service_auth_v3.AttributeContext_HttpRequest{Method: "GET", Path: path},
		},
	}}
}

// code is the HTTP status of the verdict on a path: 200 when it passes.
func code(t *testing.T, c envoy_service_auth_v3.AuthorizationClient, path string) int {
	t.Helper()
	got, err := c.Check(t.Context(), asked(path), grpc.WaitForReady(true))
	require.NoError(t, err)
	if denied := got.GetDeniedResponse(); denied != nil {
		return int(denied.GetStatus().GetCode())
	}
	return http.StatusOK
}

// becomes waits until the verdict on a path is this one.
func becomes(t *testing.T, c envoy_service_auth_v3.AuthorizationClient, path string, want int) {
	t.Helper()
	require.Eventually(t, func() bool { return code(t, c, path) == want }, patience, again)
}

// page gets an address of the ops listener.
func page(t *testing.T, address, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, http.NoBody)
	require.NoError(t, err)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// readiness reads /readyz.
func (r *running) readiness() (status int, is readiness) {
	r.t.Helper()
	status, body := page(r.t, r.ready.Ops, "/readyz")
	require.NoError(r.t, json.Unmarshal([]byte(body), &is))
	return status, is
}

// store is what an admin has of a Redis.
func store(t *testing.T, redis *parts.RedisServer) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(t.Context(), redis.URL(), "default", redisstore.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// seeded is a Redis with a document that blocks GET:/payments.
func seeded(t *testing.T) (*parts.RedisServer, *redisstore.Store) {
	t.Helper()
	redis := parts.Redis(t)
	s := store(t, redis)
	statetest.Seeded(t, s)
	statetest.Commit(t, s, statetest.Block(t, "GET:/payments", "DB migration"))
	return redis, s
}

// reported is the last report of the instance "one".
func reported(t *testing.T, s state.Fleet) (state.Report, bool) {
	t.Helper()
	all, err := s.Reports(t.Context())
	require.NoError(t, err)
	if len(all) == 0 {
		return state.Report{}, false
	}
	require.Len(t, all, 1)
	require.Equal(t, "one", all[0].ID)
	return all[0], true
}

// socket is the path for a socket.
func socket(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "a.sock")
}
