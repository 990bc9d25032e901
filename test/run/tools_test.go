package run

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// TestWhatIsMissingIsAnError sees that no target goes on without what it needs, or does nothing and calls that done.
func TestWhatIsMissingIsAnError(t *testing.T) {
	old := filepath.Join(t.TempDir(), "redis-server")
	script := "#!/bin/sh\necho 'Redis server v=6.2.14 sha=00000000:0 malloc=libc bits=64 build=0'\n"
	require.NoError(t, os.WriteFile(old, []byte(script), 0o700))
	nothing := filepath.Join(t.TempDir(), "nothing")

	tests := []struct {
		name, command, setting, want string
	}{
		{name: "Envoy that is not there", command: "make envoy", setting: "ENVOY=" + nothing, want: "does not run"},
		{name: "Envoy that is none", command: "make envoy", setting: "ENVOY=/bin/true", want: "does not run"},
		{name: "Redis that is none", command: "make race", setting: "REDIS_SERVER=/bin/true", want: "no redis-server"},
		{name: "Redis that is old", command: "make redis", setting: "REDIS_SERVER=" + old, want: "6.2.14; 7.0 or later"},
		{name: "part nobody knows", command: "tools/parts.sh redis memcached", want: "unknown part memcached"},
		{name: "soak nobody wrote", command: "tools/soak.sh nothing", want: "no TestSoak"},
		{name: "fuzz target nobody wrote", command: "tools/fuzz.sh FuzzNothing 1x", want: "no fuzz target"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, err := run(t, tt.command, tt.setting)
			require.Error(t, err, out)
			require.Contains(t, out, tt.want)
		})
	}
}

// TestPartsAreLeftOutByName sees that what is left out is neither looked for nor hidden.
func TestPartsAreLeftOutByName(t *testing.T) {
	for _, list := range []string{"redis envoy", "envoy,redis"} {
		out, err := run(t, "tools/parts.sh envoy redis", "WITHOUT="+list)
		require.NoError(t, err, out)
		require.Contains(t, out, "without envoy, as asked")
		require.Contains(t, out, "without redis, as asked")
		require.NotContains(t, out, "WAYGATE_TEST_REDIS")
		require.Contains(t, out, "export WAYGATE_TEST_WITHOUT=")
	}
}

// TestHelpNamesTheTargets sees that "make" alone says what there is.
func TestHelpNamesTheTargets(t *testing.T) {
	out, err := run(t, "make", "")
	require.NoError(t, err, out)
	for _, target := range []string{"build", "run", "test", "check", "bench", "e2e", "soak", "fuzz", "clean"} {
		require.Contains(t, out, "\n  "+target+" ")
	}
}

// run runs a command of the repository and returns what it printed.
func run(t *testing.T, command, setting string) (string, error) {
	t.Helper()
	words := strings.Fields(command)
	cmd := exec.CommandContext(t.Context(), words[0], words[1:]...)
	cmd.Dir = parts.Root(t)
	cmd.Env = os.Environ()
	if setting != "" {
		cmd.Env = append(cmd.Env, setting)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestABuildSaysWhatItWasBuiltFrom sees that the version is that of the repository, also where the go command would not
// look for it, and that a build needs neither git nor a repository.
func TestABuildSaysWhatItWasBuiltFrom(t *testing.T) {
	version := func(setting string) string {
		bin := t.TempDir()
		out, err := run(t, "make build BIN="+bin, setting)
		require.NoError(t, err, out)
		out, err = run(t, filepath.Join(bin, "waygate")+" --version", "")
		require.NoError(t, err, out)
		return strings.TrimSpace(out)
	}
	commit, err := run(t, "git -c safe.directory=* rev-parse --short=12 HEAD", "")
	if err != nil {
		commit = "unknown" // these files are no clone
	}
	require.Contains(t, version(""), strings.TrimSpace(commit))
	require.Equal(t, "waygate version v7.0.0-test", version("VERSION=v7.0.0-test"))
	require.Equal(t, "waygate version unknown", version("GIT_DIR="+t.TempDir()))
}
