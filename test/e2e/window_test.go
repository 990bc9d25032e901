package e2e_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// edgeWithin is how exactly the edge of a window must be kept.
const edgeWithin = 50 * time.Millisecond

// spanOf is a route and when it must be refused.
type spanOf struct {
	path       string
	start, end time.Time
}

// wrong tells what is wrong with the status that an answer had which was asked for and got between two instants; empty
// where it is right, or where an edge lies too near to tell.
func (s spanOf) wrong(status int, asked, got time.Time) string {
	switch from, to := asked.Add(-edgeWithin), got.Add(edgeWithin); {
	case from.Before(s.start) && to.After(s.start), from.Before(s.end) && to.After(s.end):
		return ""
	case from.Before(s.start), !from.Before(s.end):
		if status != http.StatusOK {
			return fmt.Sprintf("%s was %d at %s, outside of its window", s.path, status, asked.Format("05.000"))
		}
	case status != http.StatusServiceUnavailable:
		return fmt.Sprintf("%s was %d at %s, inside its window", s.path, status, asked.Format("05.000"))
	}
	return ""
}

// follow asks for the routes until the last window is over for a while, and gives what was wrong and how much was asked.
func (l *line) follow(spans ...spanOf) (wrong []string, asked int) {
	var last time.Time
	for _, s := range spans {
		if s.end.After(last) {
			last = s.end
		}
	}
	for time.Now().Before(last.Add(10 * edgeWithin)) {
		for _, s := range spans {
			before := time.Now()
			a, err := l.try(http.MethodGet, s.path, nil)
			if err != nil {
				wrong = append(wrong, err.Error())
				continue
			}
			asked++
			if text := s.wrong(a.status, before, time.Now()); text != "" {
				wrong = append(wrong, text)
			}
		}
		pause(l.t, 2*time.Millisecond) // leave the processors to what is tested
	}
	return wrong, asked
}

// plan puts a window on each route by the command line.
func (l *line) plan(spans ...spanOf) {
	l.t.Helper()
	for _, s := range spans {
		l.must("maintenance", s.path, "--start", s.start.Format(time.RFC3339Nano), "--end", s.end.Format(time.RFC3339Nano), "-r", "planned")
	}
}

// told counts the lines of the audit on a route, by action.
func told(t *testing.T, admin *parts.Waygate, path string) map[string]int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin.URL()+"/api/audit?limit=1000&route="+path, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	var lines []struct{ Action string }
	require.NoError(t, json.Unmarshal(text, &lines), string(text))
	count := map[string]int{}
	for _, l := range lines {
		count[l.Action]++
	}
	return count
}

func TestRestartsInTheMiddleOfWindowsChangeNothing(t *testing.T) {
	l := newLine(t, settings{redis: true, redisArgs: []string{"--appendonly", "yes", "--appendfsync", "always"}})
	startOther := func() *parts.Waygate {
		return parts.StartWaygate(t, parts.AdminProgram, []string{
			"WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL=" + l.redis.URL(), "WAYGATE_SNAPSHOT_DIR=" + filepath.Join(l.dir, "other"),
		}, "--listen", "127.0.0.1:0")
	}
	other := startOther()
	now := time.Now()
	spans := []spanOf{
		{"/running", now, now.Add(6 * time.Second)},
		{"/short", now.Add(3 * time.Second), now.Add(5 * time.Second)},
		{"/later", now.Add(4 * time.Second), now.Add(8 * time.Second)},
	}
	l.plan(spans...)
	spans[0].start = time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		pause(t, 1500*time.Millisecond)
		l.redis.Kill()
		l.admin.Kill()
		pause(t, time.Second)
		l.redis.Restart()
		other.Kill()
		pause(t, time.Second)
		l.startAdmin()
		other = startOther()
	}()
	wrong, asked := l.follow(spans...)
	<-done
	require.Empty(t, wrong)
	require.Greater(t, asked, 500)
	for path, want := range map[string]map[string]int{
		"/running": {"maintenance_on": 1, "maintenance_off": 1},
		"/short":   {"schedule": 1, "maintenance_on": 1, "maintenance_off": 1},
		"/later":   {"schedule": 1, "maintenance_on": 1, "maintenance_off": 1},
	} {
		for _, admin := range []*parts.Waygate{l.admin, other} {
			require.Eventually(t, func() bool { return fmt.Sprint(told(t, admin, path)) == fmt.Sprint(want) }, waitLong, waitTick, path)
		}
	}
}

func TestWindowsOpenAndCloseWithEveryAdminAndRedisDead(t *testing.T) {
	l := newLine(t, settings{redis: true})
	now := time.Now()
	spans := []spanOf{
		{"/a", now, now.Add(4 * time.Second)},
		{"/b", now.Add(3 * time.Second), now.Add(5 * time.Second)},
	}
	l.plan(spans...)
	l.must("maintenance", "/last", "--wait")
	spans[0].start = time.Now()
	l.admin.Kill()
	l.redis.Kill()
	wrong, asked := l.follow(spans...)
	require.Empty(t, wrong)
	require.Greater(t, asked, 500)
}
