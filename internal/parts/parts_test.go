package parts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
)

// verdict records how a part that is looked for ended its test, instead of ending this one.
type verdict struct {
	testing.TB
	fatal, skip string
}

// Helper does nothing: the lines it would hide belong to no real test.
func (v *verdict) Helper() {}

// Fatalf records the message and leaves the goroutine, as the real one does.
func (v *verdict) Fatalf(format string, args ...any) {
	v.fatal = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// Skipf records the message and leaves the goroutine, as the real one does.
func (v *verdict) Skipf(format string, args ...any) {
	v.skip = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// look runs f, which looks for a part, on a goroutine that it may leave.
func look(t *testing.T, f func(testing.TB) string) (path string, v *verdict) {
	t.Helper()
	v = &verdict{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		path = f(v)
	}()
	<-done
	return path, v
}

func TestAPartIsLookedFor(t *testing.T) {
	program := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o700))
	plain := filepath.Join(t.TempDir(), "envoy")
	require.NoError(t, os.WriteFile(plain, nil, 0o600))

	// The repository of this case has no .tools, so that nothing but what the case says can be found.
	empty := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(empty, "go.mod"), []byte("module github.com/waygate/waygate\n"), 0o600))
	tooled := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(tooled, "go.mod"), []byte("module github.com/waygate/waygate\n"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(tooled, ".tools", "bin"), 0o700))
	tool := filepath.Join(tooled, ".tools", "bin", "envoy")
	require.NoError(t, os.WriteFile(tool, []byte("#!/bin/sh\n"), 0o700))

	tests := []struct {
		name                      string
		dir, env, search, without string
		path, fatal, skip         string
	}{
		{name: "variable", dir: empty, env: program, path: program},
		{name: "variable goes before PATH", dir: empty, env: program, search: filepath.Dir(tool), path: program},
		{name: "PATH", dir: empty, search: filepath.Dir(program), path: program},
		{name: ".tools", dir: tooled, path: tool},
		{name: ".tools goes before PATH", dir: tooled, search: filepath.Dir(program), path: tool},
		{name: "nowhere", dir: empty, fatal: `run "make envoy"`},
		{name: "nowhere and another part left out", dir: empty, without: "redis", fatal: "WAYGATE_TEST_WITHOUT=envoy"},
		{name: "left out by name", dir: tooled, without: "redis envoy", skip: "without envoy"},
		{name: "left out by name in a list", dir: empty, without: "envoy,redis", skip: "without envoy"},
		{name: "variable names nothing", dir: tooled, env: filepath.Join(empty, "x"), fatal: "no such file"},
		{name: "variable names no program", dir: tooled, env: plain, fatal: "not an executable"},
		{name: "variable names a directory", dir: tooled, env: empty, fatal: "not an executable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(tt.dir)
			t.Setenv("WAYGATE_TEST_ENVOY", tt.env)
			t.Setenv("WAYGATE_TEST_WITHOUT", tt.without)
			t.Setenv("PATH", tt.search)
			path, v := look(t, parts.Envoy)
			require.Equal(t, tt.path, path)
			require.Equal(t, tt.fatal == "", v.fatal == "", v.fatal)
			require.Contains(t, v.fatal, tt.fatal)
			require.Equal(t, tt.skip == "", v.skip == "", v.skip)
			require.Contains(t, v.skip, tt.skip)
		})
	}
}

func TestRootIsFoundFromInside(t *testing.T) {
	root := parts.Root(t)
	require.FileExists(t, filepath.Join(root, "internal", "parts", "parts.go"))
}

func TestReplaceWantsEachTextOnce(t *testing.T) {
	require.Equal(t, "b c", parts.Replace(t, "a c", "a", "b"))
	for _, text := range []string{"c", "a a"} {
		_, v := look(t, func(tb testing.TB) string { return parts.Replace(tb, text, "a", "b") })
		require.Contains(t, v.fatal, "not once")
	}
}
