package e2e_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// What has gone wrong elsewhere with switches of this kind, and must not here. Each has a test.

func TestAWindowForTomorrowDoesNotBlockNowAndCancellingItLeavesNothing(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	l.must("schedule", "GET:/reports", "--start", "1d", "--end", "2d", "--wait")
	require.Equal(t, http.StatusOK, l.get("/reports").status)
	l.must("schedule", "cancel", "GET:/reports", "--wait")
	require.Equal(t, http.StatusOK, l.get("/reports").status)

	l.must("schedule", "GET:/reports", "--start", "2020-01-01T00:00Z", "--end", "1d", "--wait")
	require.Equal(t, http.StatusServiceUnavailable, l.get("/reports").status)
	l.must("schedule", "cancel", "GET:/reports", "--wait")
	require.Equal(t, http.StatusOK, l.get("/reports").status, "cancelling a running window leaves nothing blocked")
}

func TestTheEndOfAWindowRestoresWhatWasThere(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	l.must("deprecate", "/old", "--wait")
	l.must("disable", "/off", "-r", "for good", "--wait")
	l.must("env", "set", "/beta", "staging", "--wait")
	l.must("maintenance", "/old", "/off", "/beta", "--end", "2s", "--wait")
	require.Equal(t, http.StatusServiceUnavailable, l.get("/old").status)
	require.Equal(t, http.StatusServiceUnavailable, l.get("/beta").status)
	require.Eventually(t, func() bool { return l.get("/old").status == http.StatusOK }, waitLong, waitTick)
	require.NotEmpty(t, l.get("/old").header.Get("deprecation"))
	require.Equal(t, "ROUTE_DISABLED", l.get("/off").refusal(t).Error.Code)
	require.Equal(t, http.StatusForbidden, l.get("/beta").status)
}

func TestAWindowThatEndedDuringDowntimeIsOver(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	l.must("maintenance", "/night", "--end", "1s")
	l.must("disable", "/later", "--until", "1h", "--wait")
	l.admin.Kill()
	l.authz.Kill()
	pause(t, time.Second)
	l.startAdmin()
	l.authz = l.startAuthz()
	require.Eventually(t, func() bool { return l.get("/later").status == http.StatusServiceUnavailable }, waitLong, waitTick)
	require.Equal(t, http.StatusOK, l.get("/night").status)
	require.Contains(t, l.must("status", "/night").Out, "ACTIVE")
}

func TestDisableUntilStaysDisabledUntilThen(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	l.must("disable", "/off", "--until", "1h", "--wait")
	require.Equal(t, "ROUTE_DISABLED", l.get("/off").refusal(t).Error.Code)
	require.Contains(t, l.must("status", "/off").Out, "DISABLED")
}

func TestTwoAdminsChangingAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	l := newLine(t, settings{redis: true})
	other := parts.StartWaygate(t, parts.AdminProgram, []string{
		"WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL=" + l.redis.URL(), "WAYGATE_SNAPSHOT_DIR=" + filepath.Join(l.dir, "other"),
	}, "--listen", "127.0.0.1:0")
	const each = 25
	var clients sync.WaitGroup
	failed := make(chan error, 2*each)
	for i, admin := range []*parts.Waygate{l.admin, other} {
		for n := range each {
			clients.Go(func() { failed <- post(t.Context(), admin.URL()+fmt.Sprintf("/api/routes/%%2Fr%d-%d/disable", i, n)) })
		}
	}
	clients.Wait()
	for range 2 * each {
		require.NoError(t, <-failed)
	}
	l.must("disable", "/last", "--wait")
	for i := range 2 {
		for n := range each {
			require.Equal(t, http.StatusServiceUnavailable, l.get(fmt.Sprintf("/r%d-%d", i, n)).status)
		}
	}
}

func post(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, err := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %d %s %w", url, resp.StatusCode, text, err)
	}
	return nil
}

// cutter stands between an authz and Redis, and can let the connections that are open fall silent for ever, as a
// firewall does that forgot them: neither side hears of it.
type cutter struct {
	listener net.Listener
	to       string
	silent   atomic.Int64 // connections accepted up to here say nothing any more
	accepted atomic.Int64
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{listener: l, to: to}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.relay(t.Context(), conn, c.accepted.Add(1))
		}
	}()
	return c
}

func (c *cutter) relay(ctx context.Context, in net.Conn, number int64) {
	defer in.Close()
	var d net.Dialer
	out, err := d.DialContext(ctx, "tcp", c.to)
	if err != nil {
		return
	}
	defer out.Close()
	go c.pump(in, out, number)
	c.pump(out, in, number)
}

func (c *cutter) pump(to, from net.Conn, number int64) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if number > c.silent.Load() {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	}
}

func TestACutSubscriptionIsNoticedWithinThreeSeconds(t *testing.T) {
	l := newLine(t, settings{redis: true})
	c := newCutter(t, l.redis.Addr())
	l.authz.Stop()
	l.authz = parts.StartWaygate(t, parts.AuthzProgram, nil,
		"--listen", "unix://"+l.socket(), "--ops-listen", "127.0.0.1:0", "--source", "redis://"+c.listener.Addr().String(), "--instance-id", "one")
	l.must("maintenance", "/first", "--wait")
	c.silent.Store(c.accepted.Load())
	cut := time.Now()
	l.must("maintenance", "/second", "--wait")
	took := time.Since(cut)
	t.Logf("enforced %v after the cut", took)
	require.Less(t, took, 6*time.Second, "three seconds to notice, and what a busy machine takes to go on")
	require.Equal(t, http.StatusServiceUnavailable, l.get("/second").status)
}

func TestNoAddressOfTheAPIIsOpenWithoutAToken(t *testing.T) {
	admin := parts.StartWaygate(t, parts.AdminProgram, []string{"WAYGATE_BACKEND=memory", "WAYGATE_USER=ada", "WAYGATE_PASS=lovelace-1815"},
		"--listen", "127.0.0.1:0")
	for _, path := range []string{
		"/api/routes", "/api/routes/static/", "/api/routes/%2Fstatic%2Fx", "/api/routes/%2Flogin", "/api/routes/%2Fx%2Flogin/disable",
		"/api/global/../static/login", "/api/audit?x=/static/", "/api/audit?next=/login", "/api/instances/static/login", "/api/static/login",
		"/api/auth/login/../../routes", "/api//routes", "/api/export", "/api/stream", "/api/sdk/events",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			req, err := http.NewRequestWithContext(t.Context(), method, admin.URL()+path, http.NoBody)
			require.NoError(t, err)
			resp, err := http.DefaultTransport.RoundTrip(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())
			require.Contains(t, []int{http.StatusUnauthorized, http.StatusNotFound, http.StatusMethodNotAllowed}, resp.StatusCode, "%s %s: %s", method, path, body)
			require.Contains(t, string(body), `"error"`, "%s %s", method, path)
		}
	}
}
