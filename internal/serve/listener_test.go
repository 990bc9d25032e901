package serve_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/serve"
)

func TestParseAddress(t *testing.T) {
	tests := []struct {
		name, text string
		want       serve.Address
		refused    string
	}{
		{name: "port", text: ":9001", want: serve.Address{Network: "tcp", Target: ":9001"}},
		{name: "any port", text: "127.0.0.1:0", want: serve.Address{Network: "tcp", Target: "127.0.0.1:0"}},
		{name: "IPv6", text: "[::1]:9001", want: serve.Address{Network: "tcp", Target: "[::1]:9001"}},
		{name: "socket", text: "unix:///run/waygate/authz.sock", want: serve.Address{Network: "unix", Target: "/run/waygate/authz.sock", Mode: 0o666}},
		{name: "socket with mode", text: "unix:///a.sock?mode=0660", want: serve.Address{Network: "unix", Target: "/a.sock", Mode: 0o660}},
		{name: "no port", text: "localhost", refused: "write HOST:PORT or unix:///path"},
		{name: "nothing", text: "", refused: "write HOST:PORT or unix:///path"},
		{name: "URL", text: "http://localhost:9001", refused: "write HOST:PORT or unix:///path"},
		{name: "port by name", text: ":http", refused: "the port is a number"},
		{name: "empty port", text: "localhost:", refused: "the port is a number"},
		{name: "port too high", text: ":65536", refused: "the port is a number"},
		{name: "relative socket", text: "unix://authz.sock", refused: "the path of a socket is absolute"},
		{name: "directory", text: "unix:///run/", refused: "the path of a socket is absolute"},
		{name: "long socket", text: "unix:///" + strings.Repeat("a", 107), refused: "at most"},
		{name: "unknown option", text: "unix:///a?owner=me", refused: "?mode=0660"},
		{name: "mode is no number", text: "unix:///a?mode=rw", refused: "?mode=0660"},
		{name: "mode too wide", text: "unix:///a?mode=7777", refused: "?mode=0660"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := serve.ParseAddress(tt.text)
			if tt.refused != "" {
				require.ErrorContains(t, err, tt.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// listen binds an address and closes it when the test ends.
func listen(t *testing.T, text string, options ...serve.Option) *serve.Listener {
	t.Helper()
	a, err := serve.ParseAddress(text)
	require.NoError(t, err)
	l, err := serve.Listen(t.Context(), a, options...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// greet answers each connection with one byte, which tells whose listener it is.
func greet(l *serve.Listener, name byte) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte{name})
		_ = conn.Close()
	}
}

// whoAnswers connects to a socket.
func whoAnswers(t *testing.T, path string) string {
	t.Helper()
	conn, err := net.Dial("unix", path) //nolint:noctx // a socket of this test
	require.NoError(t, err)
	defer conn.Close()
	var b [1]byte
	_, err = conn.Read(b[:])
	require.NoError(t, err)
	return string(b[:])
}

func TestASocketIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	first := listen(t, "unix://"+path)
	_, err := os.Stat(path)
	require.ErrorIs(t, err, fs.ErrNotExist, "nobody finds it before it is published")
	go greet(first, '1')
	require.NoError(t, first.Publish())
	require.Equal(t, "1", whoAnswers(t, path))
	require.Equal(t, "unix://"+path, first.String())

	// One process has one temporary name, free again once it was renamed.
	second := listen(t, "unix://"+path+"?mode=0600")
	go greet(second, '2')
	require.Equal(t, "1", whoAnswers(t, path))
	require.False(t, first.Replaced())
	require.False(t, second.Replaced())
	require.NoError(t, second.Publish())
	require.Equal(t, "2", whoAnswers(t, path))
	require.True(t, first.Replaced())
	require.False(t, second.Replaced())
	require.NoError(t, first.Close())
	require.Equal(t, "2", whoAnswers(t, path), "the first one's end leaves the second one's socket alone")

	stat, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), stat.Mode().Perm())
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

func TestAnUnpublishedSocketLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	l := listen(t, "unix://"+filepath.Join(dir, "a.sock"))
	require.NoError(t, l.Close())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, entries)
}

func TestASocketReplacesNothingElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.sock")
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	a, err := serve.ParseAddress("unix://" + path)
	require.NoError(t, err)
	_, err = serve.Listen(t.Context(), a)
	require.ErrorContains(t, err, "no socket is in its place")
}

func TestAWaitForClientsEndsAtItsDeadline(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "unix://" + filepath.Join(t.TempDir(), "a.sock")} {
		l := listen(t, at)
		require.NoError(t, l.SetDeadline(time.Now().Add(-time.Second)))
		_, err := l.Accept()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded, at)
		require.NoError(t, l.Close())
		require.ErrorIs(t, l.SetDeadline(time.Time{}), net.ErrClosed, at)
	}
}

func TestAPortIsSharedOnlyWhenAsked(t *testing.T) {
	first := listen(t, "127.0.0.1:0", serve.Shared())
	require.True(t, first.TCP())
	require.NoError(t, first.Publish())
	second := listen(t, first.String(), serve.Shared())
	require.Equal(t, first.String(), second.String())

	alone := listen(t, "127.0.0.1:0")
	a, err := serve.ParseAddress(alone.String())
	require.NoError(t, err)
	_, err = serve.Listen(t.Context(), a)
	require.Error(t, err)
}

func TestTheReadyFileIsOneLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ready")
	require.NoError(t, serve.Ready{Listen: []string{"127.0.0.1:41233"}, Ops: "127.0.0.1:41234"}.Write(path))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	line, rest, _ := strings.Cut(string(text), "\n")
	require.JSONEq(t, `{"listen":["127.0.0.1:41233"],"ops":"127.0.0.1:41234"}`, line)
	require.Empty(t, rest)
	require.NoError(t, serve.Ready{}.Write(""))
}

func TestTeardownIsLastThingFirst(t *testing.T) {
	var order []string
	broken := errors.New("broken")
	var td serve.Teardown
	for _, name := range []string{"a", "b", "c"} {
		td.Push(name, func(context.Context) error {
			order = append(order, name)
			if name == "b" {
				return broken
			}
			return nil
		})
	}
	err := td.Run(t.Context())
	require.ErrorIs(t, err, broken)
	require.EqualError(t, err, "b: broken")
	require.Equal(t, []string{"c", "b", "a"}, order)
	require.NoError(t, td.Run(t.Context()))
	require.Len(t, order, 3)
}
