package httpsource_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/stream"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/httpsource"
	"github.com/waygate/waygate/internal/state/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	namespace = "tests"
	// The patience bounds every wait for something that happens soon.
	patience = 20 * time.Second
)

// admin is the part of waygate-admin that a source sees, over real HTTP on loopback.
type admin struct {
	*httptest.Server
	stop func()
}

// newAdmin serves a store at a listener; nil is a new one on loopback.
func newAdmin(t *testing.T, store *memstore.Store, at net.Listener) *admin {
	t.Helper()
	return serveAt(t, store, nil, at)
}

// serve serves what a source holds, and what takes reports, on loopback.
func serve(t *testing.T, source state.Source, reports http.Handler) *admin {
	t.Helper()
	return serveAt(t, source, reports, nil)
}

func serveAt(t *testing.T, source state.Source, reports http.Handler, at net.Listener) *admin {
	t.Helper()
	if at == nil {
		at = listen(t, "127.0.0.1:0")
	}
	cache := new(state.Cache)
	follower := state.NewFollower(source, cache, state.FollowerOptions{})
	handler := stream.New(stream.Config{
		Source: source, Cache: cache, Follower: follower, Namespace: namespace, Log: zaptest.NewLogger(t),
	})
	mux := http.NewServeMux()
	mux.Handle("/waygate/api/stream", handler)
	mux.Handle("/waygate/api/stream/", handler)
	if reports != nil {
		mux.Handle("/waygate/api/instances/{id}", reports)
	}
	a := &admin{Server: &httptest.Server{Listener: at, Config: &http.Server{Handler: mux}}}
	a.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { follower.Run(ctx) })
	a.stop = sync.OnceFunc(func() {
		handler.Close()
		a.CloseClientConnections()
		a.Close()
		cancel()
		running.Wait()
	})
	t.Cleanup(a.stop)
	return a
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	return l
}

// newSource reads an admin.
func newSource(t *testing.T, base string) *httpsource.Source {
	t.Helper()
	s, err := httpsource.New(httpsource.Config{Base: base + "/waygate", Token: "a-token", Namespace: namespace})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
