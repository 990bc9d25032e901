package e2e_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fault is something that happens to Redis while requests go on.
type fault struct {
	name string
	do   func(l *line)
}

func faults(down time.Duration) []fault {
	return []fault{
		{"killed and restarted with its data", func(l *line) {
			l.redis.Kill()
			pause(l.t, down)
			l.redis.Restart()
		}},
		{"killed and restarted empty", func(l *line) {
			l.redis.Kill()
			pause(l.t, down)
			l.redis.RestartEmpty()
		}},
		{"wiped", func(l *line) { l.flush() }},
		{"paused", func(l *line) {
			l.redis.Pause()
			pause(l.t, down)
			l.redis.Resume()
		}},
	}
}

// flush wipes Redis.
func (l *line) flush() {
	l.t.Helper()
	var d net.Dialer
	conn, err := d.DialContext(l.t.Context(), "tcp", l.redis.Addr())
	require.NoError(l.t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("FLUSHALL\r\n"))
	require.NoError(l.t, err)
	reply := make([]byte, 64)
	n, err := conn.Read(reply)
	require.NoError(l.t, err)
	require.True(l.t, strings.HasPrefix(string(reply[:n]), "+OK"))
}

// testFaults watches every verdict while each fault happens, with an admin restarted inside, for at least watched.
func testFaults(t *testing.T, down, watched time.Duration) {
	t.Helper()
	for _, f := range faults(down) {
		t.Run(f.name, func(t *testing.T) {
			l := newLine(t, settings{redis: true, failClosed: true, redisArgs: []string{"--appendonly", "yes", "--appendfsync", "always"}})
			l.must("maintenance", "GET:/payments", "--reason", "migration", "--wait")
			l.must("disable", "/v1/**", "--wait")
			w := l.watch(10*time.Millisecond, 0, expectation{path: "/orders"},
				expectation{path: "/payments", refused: true}, expectation{path: "/v1/x", refused: true})
			// An admin that dies within milliseconds of a change may not have it on its disk, and then says so instead of
			// guessing; that is another story than this one.
			pause(t, time.Second)
			began := time.Now()
			f.do(l)
			l.admin.Kill()
			l.startAdmin()

			// The next command succeeds, and the gate enforces it.
			l.must("maintenance", "GET:/late", "--wait")
			require.Equal(t, 503, l.get("/late").status)
			l.must("enable", "GET:/late", "--wait")
			require.Equal(t, 200, l.get("/late").status)

			if left := watched - time.Since(began); left > 0 {
				pause(t, left)
			}
			sent, wrong := w.end()
			require.Empty(t, wrong)
			for name, n := range l.envoy.Counters("ext_authz.waygate.error") {
				require.Zero(t, n, name)
			}
			t.Logf("%d requests in %v, every verdict as before", sent, time.Since(began).Round(time.Second))
		})
	}
}

func TestFaultsOfRedisChangeNoVerdict(t *testing.T) { testFaults(t, 2*time.Second, 4*time.Second) }
