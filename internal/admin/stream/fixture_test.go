package stream_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/admin/stream"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const namespace = "tests"

// scene is an admin's stream over real HTTP, on connections that hold nothing back: what one side writes waits until
// the other side reads it. It lives in a bubble of synctest, so its clock stands still while anybody works.
type scene struct {
	t        *testing.T
	store    *memstore.Store
	flaky    *statetest.Flaky
	counting *counting
	follower *state.Follower
	handler  *stream.Handler
	server   *http.Server
	pipes    *pipes
	logs     *observer.ObservedLogs
	base     state.Meta
}

// play runs a test in a bubble, with a store that was seeded.
func play(t *testing.T, test func(*testing.T, *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.base = statetest.Seeded(t, s.store)
		s.start()
		<-s.follower.Ready()
		test(t, s)
	})
}

func newScene(t *testing.T) *scene {
	core, logs := observer.New(zap.InfoLevel)
	s := &scene{t: t, store: memstore.New(), logs: logs, pipes: &pipes{accept: make(chan net.Conn), done: make(chan struct{})}}
	s.flaky = statetest.NewFlaky(s.store)
	s.counting = &counting{Source: s.flaky}
	cache := new(state.Cache)
	s.follower = state.NewFollower(s.flaky, cache, state.FollowerOptions{})
	s.handler = stream.New(stream.Config{
		Source: s.counting, Cache: cache, Follower: s.follower, Namespace: namespace, Log: zap.New(core),
	})
	calls := http.NewServeMux()
	calls.Handle("/", s.handler)
	calls.HandleFunc("/api/events", func(w http.ResponseWriter, r *http.Request) {
		s.handler.Events(w, r, func(f *state.Frame) ([]stream.Event, error) { return tellAll(f) })
	})
	s.server = &http.Server{Handler: calls, ReadTimeout: time.Minute}
	return s
}

// tellAll tells of every record of a frame, by its action, but of none whose reason is "quiet".
func tellAll(f *state.Frame) ([]stream.Event, error) {
	e, err := f.Entry()
	if err != nil {
		return nil, err
	}
	var told []stream.Event
	for i, r := range e.Records {
		if r.Reason != "quiet" {
			told = append(told, stream.Event{Name: string(r.Action), Data: []byte(strconv.Quote(r.Path)), Part: i + 1})
		}
	}
	return told, nil
}

// start serves until the test ends.
func (s *scene) start() {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { s.follower.Run(ctx) })
	running.Go(func() { _ = s.server.Serve(s.pipes) })
	s.t.Cleanup(func() {
		s.handler.Close()
		_ = s.server.Close()
		cancel()
		running.Wait()
	})
}

func (s *scene) block(key string) state.Frame {
	s.t.Helper()
	f := statetest.Commit(s.t, s.store, statetest.Block(s.t, key, "why")).Frame
	synctest.Wait()
	return f
}

// ask sends a request on a connection of its own; the head of its answer has arrived when it returns.
func (s *scene) ask(target string, headers ...string) reply {
	s.t.Helper()
	conn := s.pipes.dial()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://admin"+target, nil)
	require.NoError(s.t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	require.NoError(s.t, req.Write(conn))
	resp, err := http.ReadResponse(bufio.NewReader(conn), req)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		_ = conn.Close() // first: whoever reads the body holds it
		_ = resp.Body.Close()
	})
	return reply{resp}
}

// reply is an answer whose body is closed when the test ends.
type reply struct{ *http.Response }

// listening is a client that reads all that comes.
type listening struct {
	t      *testing.T
	resp   reply
	mu     sync.Mutex
	events []event
	ended  bool
}

// event is one event as it came.
type event struct {
	name, id, data, retry, comment string
	at                             time.Time
}

// listen follows the stream until the test ends. What the client is sent at once has come when it returns.
func (s *scene) listen(target string, headers ...string) *listening {
	s.t.Helper()
	resp := s.ask(target, headers...)
	require.Equal(s.t, 200, resp.StatusCode)
	require.Equal(s.t, "text/event-stream", resp.Header.Get("Content-Type"))
	require.Equal(s.t, namespace, resp.Header.Get("X-Waygate-Namespace"))
	l := &listening{t: s.t, resp: resp}
	go l.read()
	synctest.Wait()
	return l
}

func (l *listening) read() {
	lines := bufio.NewReader(l.resp.Body)
	var e event
	for {
		line, err := lines.ReadString('\n')
		l.mu.Lock()
		if err != nil {
			l.ended = true
			l.mu.Unlock()
			return
		}
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch field {
		case "event":
			e.name = value
		case "id":
			e.id = value
		case "data":
			e.data += value
		case "retry":
			e.retry = value
		case "":
			e.comment += value // the line begins with a colon
		}
		if line == "\n" {
			e.at = time.Now()
			l.events = append(l.events, e)
			e = event{}
		}
		l.mu.Unlock()
	}
}

// all gives the events so far of some names; the frames have none.
func (l *listening) all(names ...string) []event {
	l.t.Helper()
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []event
	for _, e := range l.events {
		for _, name := range names {
			if e.name == name {
				out = append(out, e)
			}
		}
	}
	return out
}

// told are the documents and frames so far, as their ids; documents have a D before.
func (l *listening) told() []string {
	var out []string
	for _, e := range l.all("", "document") {
		if e.name != "" {
			e.id = "D " + e.id
		}
		out = append(out, e.id)
	}
	return out
}

func (l *listening) over() bool {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// pass lets time go by, and everybody do what there is to do.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func decode[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal([]byte(text), &v), text)
	return v
}

// counting counts how often the log is read.
type counting struct {
	state.Source
	mu    sync.Mutex
	reads int
}

func (c *counting) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	c.mu.Lock()
	c.reads++
	c.mu.Unlock()
	return c.Source.Frames(ctx, epoch, after, limit)
}

// pipes is a listener whose connections are pipes in memory.
type pipes struct {
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once
}

func (p *pipes) dial() net.Conn {
	ours, theirs := net.Pipe()
	p.accept <- theirs
	return ours
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func body(t *testing.T, resp reply) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, errors.Join(err, resp.Body.Close()))
	return string(text)
}
