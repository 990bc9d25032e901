package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 0 && filepath.Base(os.Args[0]) == "waygate" {
		os.Exit(run())
	}
	if signal.Ignored(syscall.SIGHUP) {
		// Under nohup, what the tests start would ignore it as well; what we catch, it starts with as usual.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	parts.RunTests(m)
}

// Each file in testdata is a session at a terminal, with an admin of its own that holds everything in memory.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			set := []string{"WAYGATE_BACKEND=memory"}
			if strings.HasPrefix(name, "people") {
				set = append(set, "WAYGATE_USER=ada", "WAYGATE_PASS=lovelace-1815")
			}
			admin := parts.StartWaygate(t, parts.AdminProgram, set, "--listen", "127.0.0.1:0")
			testscript.Run(t, testscript.Params{
				Files: []string{file},
				Setup: func(e *testscript.Env) error {
					e.Setenv("PATH", filepath.Dir(parts.Binary(t, parts.CLIProgram))+string(os.PathListSeparator)+e.Getenv("PATH"))
					e.Setenv("HOME", filepath.Join(e.WorkDir, "home"))
					e.Setenv("WAYGATE_SERVER_URL", admin.URL())
					e.Setenv("WAYGATE_ACTOR", "ada")
					return nil
				},
			})
		})
	}
}

func TestRoughly(t *testing.T) {
	tests := []struct {
		name string
		d    time.Duration
		want string
	}{
		{"milliseconds", 80 * time.Millisecond, "80 ms"},
		{"seconds", 90 * time.Second, "90 s"},
		{"minutes", 10 * time.Minute, "10 min"},
		{"hours", 90 * time.Minute, "1 h 30 min"},
		{"days", 72 * time.Hour, "3 days"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, roughly(tt.d)) })
	}
}

func TestATableSurvivesWhatPeopleType(t *testing.T) {
	var b strings.Builder
	require.NoError(t, table(&b, []string{"A", "B"}, [][]string{{"x\x1b[31m\ny", ""}}))
	require.Equal(t, "A         B\nx [31m y  -\n", b.String())
}
