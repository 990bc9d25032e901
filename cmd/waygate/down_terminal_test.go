//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/waygate/waygate/internal/parts"
)

// terminal is a pseudo-terminal: what is written to the first is typed at the second.
func terminal(t *testing.T) (keys, screen *os.File) {
	t.Helper()
	keys, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	require.NoError(t, unix.IoctlSetPointerInt(int(keys.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(keys.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	screen, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	require.NoError(t, err)
	return keys, screen
}

// Ctrl-C reaches the command by the terminal, and once: a second one has many programs drop what they are doing.
func TestDownAtATerminal(t *testing.T) {
	p := newStage(t, true)
	keys, screen := terminal(t)
	// The reading has a limit because bash looks for signals between commands, and one may come just before it reads.
	const script = `trap 'echo caught' INT; echo up
while :; do if read -t 2 x; then [ "$x" = end ] && exit 5; echo "read $x"; fi; done`
	cmd := exec.CommandContext(t.Context(), parts.Binary(t, parts.CLIProgram), "down", "GET:/a", "--until", "30m", "--", "bash", "-c", script)
	cmd.Env = append(os.Environ(), "HOME="+p.dir, "WAYGATE_SERVER_URL="+p.admin.URL())
	cmd.Stdin, cmd.Stdout, cmd.Stderr = screen, screen, screen
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	require.NoError(t, screen.Close())
	shown := listen(t, func() (io.ReadCloser, error) { return keys, nil })
	shown.await(t, "up\r\n")
	_, err := io.WriteString(keys, "\x03")
	require.NoError(t, err)
	shown.await(t, "caught\r\n")
	_, err = io.WriteString(keys, "line\nend\n")
	require.NoError(t, err)
	_ = cmd.Wait()
	require.Equal(t, 5, cmd.ProcessState.ExitCode(), shown)
	shown.await(t, "is lifted")
	require.Contains(t, shown.String(), "read line\r\n")
	require.Equal(t, 1, strings.Count(shown.String(), "caught"), shown)
	require.Equal(t, []string{"maintenance_on", "maintenance_off"}, p.open("GET:/a"))
}
