package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state/readingtest"
)

// mutants is how many mutated targets go through each Envoy; a tenth of it are ordinary ones.
const mutants = 10_000

// raw is a service that takes any bytes for a target and remembers the last one. No HTTP library stands between, which
// could refuse a target that another backend serves.
type raw struct {
	listener net.Listener
	mu       sync.Mutex
	last     string
}

func newRaw(t *testing.T) *raw {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &raw{listener: l}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *raw) serve(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		first, err := in.ReadString('\n')
		if err != nil {
			return
		}
		for line := first; strings.TrimSpace(line) != ""; {
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		words := strings.SplitN(strings.TrimSpace(first), " ", 2)
		r.mu.Lock()
		r.last = strings.TrimSuffix(words[len(words)-1], " HTTP/1.1")
		r.mu.Unlock()
		if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"); err != nil {
			return
		}
	}
}

// take gives the target that arrived since the last call, if one did.
func (r *raw) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.last
	r.last = ""
	return last
}

// rawClient sends targets byte for byte, over a connection that it opens anew when Envoy closed it.
type rawClient struct {
	addr string
	conn net.Conn
	in   *bufio.Reader
}

// get gives the status and the body of the answer.
func (c *rawClient) get(t *testing.T, target string) (int, string) {
	t.Helper()
	for range 2 {
		if c.conn == nil {
			var d net.Dialer
			conn, err := d.DialContext(t.Context(), "tcp", c.addr)
			require.NoError(t, err)
			c.conn, c.in = conn, bufio.NewReader(conn)
		}
		_, err := fmt.Fprintf(c.conn, "GET %s HTTP/1.1\r\nhost: gate.test\r\n\r\n", target)
		if err == nil {
			var resp *http.Response
			if resp, err = http.ReadResponse(c.in, nil); err == nil {
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if resp.Close || err != nil {
					c.close()
				}
				return resp.StatusCode, string(body)
			}
		}
		c.close()
	}
	t.Fatalf("no answer to %q", target)
	return 0, ""
}

func (c *rawClient) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func TestNoTargetReachesABlockedRouteThroughEnvoy(t *testing.T) {
	tests := []struct {
		name    string
		replace []string
	}{
		{"as shipped", nil},
		{"without normalisation", []string{"normalize_path: true", "normalize_path: false", "merge_slashes: true", "merge_slashes: false"}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLine(t, settings{redis: true, failClosed: true})
			routes := readingtest.Routes()
			keys := []string{"maintenance"}
			for _, r := range routes {
				keys = append(keys, strings.ReplaceAll(r.Pattern, "%", "%25"))
			}
			service := newRaw(t)
			yaml := parts.SidecarYAML(t, "envoy/envoy-fail-closed.yaml", service.listener.Addr().String(), "unix://"+l.socket())
			l.envoy.Stop()
			l.envoy = parts.StartEnvoy(t, parts.Replace(t, yaml, tt.replace...))
			l.awaitAsked()
			c := &rawClient{addr: l.envoy.Addr}
			t.Cleanup(c.close)
			rng := rand.New(rand.NewPCG(7, uint64(i)))
			for range mutants / 10 {
				target := readingtest.Ordinary(rng)
				status, body := c.get(t, target)
				require.NotContains(t, body, `"error"`, "nothing is blocked yet: %q", target)
				// Envoy itself has no patience with some bytes; that is not our verdict.
				require.Contains(t, []int{http.StatusOK, http.StatusBadRequest}, status, target)
			}
			l.must(append(keys, "--wait")...)
			for range mutants / 10 {
				target := readingtest.Ordinary(rng)
				_, body := c.get(t, target)
				require.NotContains(t, body, "UNREADABLE_REQUEST", "an ordinary target counts as unreadable: %q", target)
			}
			service.take()
			passed := 0
			for range mutants {
				route := routes[rng.IntN(len(routes))]
				target := readingtest.Mutate(rng, route.Path)
				c.get(t, target)
				if arrived := service.take(); arrived != "" {
					passed++
					requireUnrouted(t, routes, target, arrived)
				}
			}
			t.Logf("%d of %d mutated targets passed, none to a blocked route", passed, mutants)
			require.Positive(t, passed, "a gate that refuses everything proves nothing")
		})
	}
}

// requireUnrouted fails when a backend would serve a blocked route for the target that arrived.
func requireUnrouted(t *testing.T, routes []readingtest.Route, sent, arrived string) {
	t.Helper()
	for _, model := range readingtest.Models() {
		path, ok := model.Route(arrived)
		if !ok {
			continue
		}
		for _, r := range routes {
			require.False(t, readingtest.Covers(r.Pattern, path), "%q was let through as %q, which %s routes to %s", sent, arrived, model.Name, r.Pattern)
		}
	}
}
