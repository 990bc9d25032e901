package redisstore_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
)

// patience bounds every wait for something that happens soon on a machine that is not busy.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	redisstore.LogTo(func(string) {}) // it tells of servers that we stop on purpose
	goleak.VerifyTestMain(m)
}

// admin opens the store of a namespace and closes it with the test.
func admin(t testing.TB, url, namespace string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.Open(t.Context(), url, namespace, redisstore.Options{Name: "test admin"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// raw is a client for what an operator does to the server.
func raw(t testing.TB, server *parts.RedisServer) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: server.Addr(), Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// run sends one command and requires that it works.
func run(t testing.TB, c *redis.Client, args ...any) any {
	t.Helper()
	v, err := c.Do(t.Context(), args...).Result()
	require.NoError(t, err, "%v", args)
	return v
}

// eventually waits until ok holds.
func eventually(t testing.TB, ok func() bool, what string) {
	t.Helper()
	require.Eventually(t, ok, patience, 5*time.Millisecond, what)
}

// watched is a watch that runs beside the test.
type watched struct {
	frames chan state.Frame
	ended  chan error
	cancel context.CancelFunc
}

// watch returns once the subscription is confirmed.
func watch(t testing.TB, s state.Source) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{frames: make(chan state.Frame, 1024), ended: make(chan error, 1), cancel: cancel}
	t.Cleanup(cancel)
	up := make(chan struct{})
	go func() {
		w.ended <- s.Watch(ctx, state.Watcher{Subscribed: func() { close(up) }, Frame: func(f state.Frame) { w.frames <- f }})
	}()
	select {
	case <-up:
	case err := <-w.ended:
		require.FailNow(t, "the watch ended before it was confirmed", "%v", err)
	case <-time.After(patience):
		require.FailNow(t, "the watch was never confirmed")
	}
	return w
}

// end waits for the watch to end and gives its error and how long that took.
func (w *watched) end(t testing.TB) (time.Duration, error) {
	t.Helper()
	start := time.Now()
	select {
	case err := <-w.ended:
		return time.Since(start), err
	case <-time.After(patience):
		require.FailNow(t, "the watch did not end")
		return 0, nil
	}
}

// wire is a TCP proxy in front of a server that fails on demand.
type wire struct {
	listener net.Listener
	target   string
	// silent lets nothing through, in either direction, with connections left open.
	silent atomic.Bool
	// drop is how many answers are lost from now on: each closes its connection.
	drop atomic.Int64

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newWire(t testing.TB, target string) *wire {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{listener: listener, target: target, conns: map[net.Conn]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.serve(conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		w.cut()
		all.Wait()
	})
	return w
}

func (w *wire) url() string { return "redis://" + w.listener.Addr().String() }

// keep notes a connection that cut is to close.
func (w *wire) keep(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[c] = true
}

// cut closes all connections.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close()
	}
	clear(w.conns)
}

func (w *wire) serve(client net.Conn) {
	defer client.Close()
	server, err := net.DialTimeout("tcp", w.target, time.Second) //nolint:noctx // a loopback dial with its own deadline
	if err != nil {
		return
	}
	defer server.Close()
	w.keep(client)
	w.keep(server)
	var both sync.WaitGroup
	both.Go(func() { w.pump(server, client, false) })
	both.Go(func() { w.pump(client, server, true) })
	both.Wait()
}

func (w *wire) pump(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if w.silent.Load() {
			continue
		}
		if answers && w.drop.Add(-1) >= 0 {
			return
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

var _ io.Closer = (*redisstore.Store)(nil)
