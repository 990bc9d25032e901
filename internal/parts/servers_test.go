package parts_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// command sends one inline command to a Redis server and returns the first line it answers.
func command(t *testing.T, network, address, text string) (string, error) {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), network, address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(300*time.Millisecond)))
	if _, err := fmt.Fprintf(conn, "%s\r\n", text); err != nil {
		return "", err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line), err
}

func TestRedisLives(t *testing.T) {
	r := parts.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	says := func(text, want string) {
		t.Helper()
		got, err := command(t, "tcp", r.Addr(), text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	says("SET k 1", "+OK")
	got, err := command(t, "unix", r.Socket(), "EXISTS k")
	require.NoError(t, err)
	require.Equal(t, ":1", got)

	r.Pause()
	_, err = command(t, "tcp", r.Addr(), "EXISTS k")
	require.ErrorContains(t, err, "timeout", "a paused server accepts connections and never answers")
	r.Resume()
	says("EXISTS k", ":1")

	address, first := r.Addr(), r.PID()
	r.Kill()
	_, err = command(t, "tcp", address, "EXISTS k")
	require.ErrorContains(t, err, "refused")
	r.Restart()
	require.Equal(t, address, r.Addr())
	require.NotEqual(t, first, r.PID())
	says("EXISTS k", ":1")

	r.Stop()
	_, err = command(t, "tcp", address, "EXISTS k")
	require.ErrorContains(t, err, "refused")
	r.RestartEmpty()
	says("EXISTS k", ":0")
}

func TestRedisIsReadyThoughItAsksForAPassword(t *testing.T) {
	r := parts.Redis(t, "--requirepass", "secret")
	got, err := command(t, "tcp", r.Addr(), "PING")
	require.NoError(t, err)
	require.Contains(t, got, "NOAUTH")
	require.Equal(t, "redis://"+r.Addr()+"/0", r.URL())
	require.Equal(t, "unix://"+r.Socket(), r.SocketURL())
}

func TestAServerThatDoesNotStartSaysWhy(t *testing.T) {
	_, v := look(t, func(tb testing.TB) string {
		return parts.Redis(&fatal{tb.(*verdict)}, "--no-such-option", "1").Addr()
	})
	require.Contains(t, v.fatal, "no-such-option")
}

// fatal sends Fatal, which servers use, the way of Fatalf.
type fatal struct{ *verdict }

// Fatal records the message and leaves the goroutine.
func (f *fatal) Fatal(args ...any) { f.Fatalf("%s", fmt.Sprint(args...)) }

func TestEnvoyProxiesWithTheShippedBootstrap(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Envoy-Auth-Failure-Mode-Allowed"))
	}))
	defer app.Close()
	address := strings.TrimPrefix(app.URL, "http://")
	proxy := parts.StartEnvoy(t, parts.SidecarYAML(t, "envoy/envoy.yaml", address, "unix:///nowhere/authz.sock"))

	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+proxy.Addr+"/payments", nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "true", string(body), "nobody is there to ask, so the request is marked as let pass unjudged")
	require.Equal(t, uint64(1), proxy.Counters("ext_authz")["http.ingress.ext_authz.waygate.failure_mode_allowed"])
	proxy.Stop()
}
