package guide_test

import (
	"strings"
	"testing"

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
	p.must("waygate", "disable", "GET:/legacy")
	require.Equal(t, "OK", strings.TrimSpace(p.must(python, p.script("audit-sentinel.py"))), "deploy-bot is a known actor")

	var made struct{ Token string }
	p.call("POST", "/api/tokens", `{"name":"mallory","role":"operator","ttl":"1h"}`, &made)
	out, status := p.run([]string{"WAYGATE_TOKEN=" + made.Token}, "waygate", "enable", "GET:/legacy")
	require.Zero(t, status, out)
	out, status = p.run([]string{"WAYGATE_TOKEN=" + p.token}, python, p.script("audit-sentinel.py"))
	require.Equal(t, 1, status)
	require.Contains(t, out, "UNKNOWN ACTOR mallory enable GET:/legacy ")
}
