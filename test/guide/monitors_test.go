package guide_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

func TestShellMonitor(t *testing.T) {
	p := newPlace(t)
	p.must("waygate", "maintenance", "GET:/payments")
	require.Contains(t, p.must(p.script("check-routes.sh")), "OK: all routes nominal", "maintenance is not its business")

	p.must("waygate", "disable", "GET:/legacy", "--reason", "gone")
	out, status := p.run([]string{"WAYGATE_TOKEN=" + p.token}, p.script("check-routes.sh"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "ALERT: The following routes are disabled:\nGET:/legacy\n")

	out, status = p.run([]string{"WAYGATE_TOKEN=wrong"}, p.script("check-routes.sh"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "ERROR: Could not reach WaygateAdmin")

	p.must("waygate", "enable", "GET:/legacy")
	require.Contains(t, p.must(p.script("check-routes.sh")), "OK: all routes nominal")
}

func TestPythonMonitor(t *testing.T) {
	p := newPlace(t)
	python := parts.Python(t)
	p.must("waygate", "deprecate", "/v1/users")
	require.Contains(t, p.must(python, p.script("monitor_routes.py")), "OK 1 route(s) nominal")

	p.must("waygate", "maintenance", "GET:/payments", "--reason", "DB migration")
	out, status := p.run([]string{"WAYGATE_TOKEN=" + p.token}, python, p.script("monitor_routes.py"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "ALERT MAINTENANCE  GET:/payments reason='DB migration'")

	_, status = p.run([]string{"WAYGATE_TOKEN=wrong"}, python, p.script("monitor_routes.py"))
	require.Equal(t, 2, status)

	p.must("waygate", "enable", "GET:/payments")
	p.must("waygate", "global", "enable", "--reason", "deploy")
	require.Contains(t, p.must(python, p.script("monitor_routes.py")), "OK 2 route(s) nominal", "a switch is no route's state")
}

func TestAuditSentinel(t *testing.T) {
	p := newPlace(t)
	python := parts.Python(t)
	sentinel := func() (string, int) {
		return p.run([]string{"WAYGATE_TOKEN=" + p.token}, python, p.script("audit-sentinel.py"))
	}
	p.must("waygate", "disable", "GET:/legacy")
	require.Equal(t, "OK", strings.TrimSpace(p.must(python, p.script("audit-sentinel.py"))), "deploy-bot is a known actor")

	// What windows do by themselves is announced by the system, which is known, too.
	var window struct{ ID string }
	p.call("POST", "/api/windows", `{"path":"GET:/payments","for":"1s","reason":"a short one"}`, &window)
	require.Eventually(t, func() bool {
		return slices.Contains(p.actions(), "maintenance_off GET:/payments")
	}, 30*time.Second, 50*time.Millisecond, "the end of the window is announced")
	var entries []struct{ Action, Actor, Window string }
	p.call("GET", "/api/audit?limit=50", "", &entries)
	require.Equal(t, "maintenance_off", entries[0].Action)
	require.Equal(t, "system", entries[0].Actor)
	out, status := sentinel()
	require.Zero(t, status, out)
	require.Equal(t, "OK", strings.TrimSpace(out))

	// Nor is anybody an actor who was refused, or who only looked.
	_, status = p.run([]string{"WAYGATE_TOKEN=wrong"}, "waygate", "enable", "GET:/legacy")
	require.NotZero(t, status)
	var made struct{ Token string }
	p.call("POST", "/api/tokens", `{"name":"mallory","role":"operator","ttl":"1h"}`, &made)
	out, status = p.run([]string{"WAYGATE_TOKEN=" + made.Token}, "waygate", "status")
	require.Zero(t, status, out)
	out, status = sentinel()
	require.Zero(t, status, out)
	require.Equal(t, "OK", strings.TrimSpace(out))

	out, status = p.run([]string{"WAYGATE_TOKEN=" + made.Token}, "waygate", "enable", "GET:/legacy")
	require.Zero(t, status, out)
	out, status = sentinel()
	require.Equal(t, 1, status)
	require.Contains(t, out, "UNKNOWN ACTOR mallory enable GET:/legacy ")
	require.NotContains(t, out, "ACTOR system")
	require.NotContains(t, out, "ACTOR deploy-bot")
}
