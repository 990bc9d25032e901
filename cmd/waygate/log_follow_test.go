package main

import (
	"bufio"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/client"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/parts"
)

func TestTheLogIsFollowed(t *testing.T) {
	admin := parts.StartWaygate(t, parts.AdminProgram, []string{"WAYGATE_BACKEND=memory"}, "--listen", "127.0.0.1:0")
	cmd := exec.CommandContext(t.Context(), parts.Binary(t, parts.CLIProgram), "log", "--follow", "--actor", "ada", "-o", "ndjson")
	cmd.Env = []string{"HOME=" + t.TempDir(), "WAYGATE_SERVER_URL=" + admin.URL()}
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
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
		_, err := other.Do(t.Context(), "GET:/b", action, nil)
		require.NoError(t, err)
		_, err = api.Do(t.Context(), "GET:/a", action, nil)
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
	require.NoError(t, cmd.Process.Kill())
	for line := range lines {
		require.NotContains(t, line, "bob")
	}
	_ = cmd.Wait() // it was killed
}
