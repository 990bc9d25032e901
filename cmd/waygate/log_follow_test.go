package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/parts"
)

func TestTheLogIsFollowed(t *testing.T) {
	admin := parts.StartWaygate(t, parts.AdminProgram, []string{"WAYGATE_BACKEND=memory"}, "--listen", "127.0.0.1:0")
	lines := follow(t, admin.URL(), "--actor", "ada")
	api, err := client.New(admin.URL(), "", "ada")
	require.NoError(t, err)
	other, err := client.New(admin.URL(), "", "bob")
	require.NoError(t, err)
	// Nobody knows when it began to listen: something is said until it tells.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(20 * time.Second)
	for i, told := 0, false; !told; i++ {
		action := []string{wire.ActionDisable, wire.ActionEnable}[i%2]
		_, err := other.Changes(t.Context(), wire.Command{Path: "GET:/b", Action: action})
		require.NoError(t, err)
		_, err = api.Changes(t.Context(), wire.Command{Path: "GET:/a", Action: action})
		require.NoError(t, err)
		select {
		case line := <-lines:
			require.Contains(t, line, `"path":"GET:/a"`)
			require.Contains(t, line, `"actor":"ada"`)
			told = true
		case <-tick.C:
		case <-patience:
			t.Fatal("nothing was told")
		}
	}
	for range len(lines) {
		require.NotContains(t, <-lines, "bob")
	}
}

// Nothing is left out of a commit that has many entries, nor when another history takes the place of the one before.
func TestTheLogIsFollowedFromOneHistoryToTheNext(t *testing.T) {
	var behind atomic.Pointer[httputil.ReverseProxy]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { behind.Load().ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	begin := func() (*parts.Waygate, *client.Client) {
		admin := parts.StartWaygate(t, parts.AdminProgram, []string{"WAYGATE_BACKEND=memory"}, "--listen", "127.0.0.1:0")
		to, err := url.Parse(admin.URL())
		require.NoError(t, err)
		to.Path = ""
		proxy := &httputil.ReverseProxy{FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
		behind.Store(proxy)
		api, err := client.New(admin.URL(), "", "ada")
		require.NoError(t, err)
		return admin, api
	}
	disable := func(api *client.Client, path string, n int) {
		all := make([]wire.Command, n)
		for i := range all {
			all[i] = wire.Command{Action: wire.ActionDisable, Path: fmt.Sprintf("GET:/%s/%d", path, i)}
		}
		_, err := api.Changes(t.Context(), all...)
		require.NoError(t, err)
	}
	first, api := begin()
	lines := follow(t, front.URL+"/waygate")
	heard := func(api *client.Client) string { // until it listens, something is said again and again
		for i := 0; ; i++ {
			disable(api, fmt.Sprint("probe/", i), 1)
			select {
			case line := <-lines:
				return line
			case <-time.After(50 * time.Millisecond):
			case <-t.Context().Done():
				t.Fatal("nothing was told")
			}
		}
	}
	heard(api)
	disable(api, "many", 300)
	for i := range 300 {
		line := <-lines
		for strings.Contains(line, "/probe/") {
			line = <-lines
		}
		require.Contains(t, line, fmt.Sprintf(`"path":"GET:/many/%d"`, i))
	}
	at, err := api.LogPlace(t.Context())
	require.NoError(t, err)
	_, next := begin()
	first.Stop()
	line := heard(next)
	require.NotContains(t, line, at.Epoch)
	require.Contains(t, line, "/probe/")
}

// follow runs the command until the test ends, and gives what it prints.
func follow(t *testing.T, url string, args ...string) <-chan string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), parts.Binary(t, parts.CLIProgram), append([]string{"log", "--follow", "-o", "ndjson"}, args...)...)
	cmd.Env = []string{"HOME=" + t.TempDir(), "WAYGATE_SERVER_URL=" + url}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := make(chan string, 1000)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	return lines
}
