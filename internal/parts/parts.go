// Package parts gives tests the real programs they run against: Envoy, redis-server, jq and a Python that has httpx.
//
// A program is looked for in three places, in this order: the environment variable the Makefile exports
// (WAYGATE_TEST_ENVOY, WAYGATE_TEST_REDIS, …), .tools/bin of this repository, where "make parts" puts what the machine
// lacks or has too old, and PATH. So "make test" and a plain "go test" in an editor use the same programs.
//
// What is missing fails the test with the command that gets it. Nothing is left out silently: only a part that is
// named in WAYGATE_TEST_WITHOUT (a list such as "envoy,redis") makes its tests be skipped, and they say so.
//
// [Redis] and [StartEnvoy] start a server on loopback, wait until it answers, and stop it when the test ends. What the
// server printed is added to the log of a test that failed. A server never outlives the test program on Linux, also
// where that is killed.
package parts

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// program is one part a test may need.
type program struct {
	name     string // as WAYGATE_TEST_WITHOUT spells it
	variable string // the environment variable that names its path
	file     string // its file name in .tools/bin and in PATH
	get      string // how to get it
}

// Envoy is the path of an Envoy binary, 1.39.3 or later.
func Envoy(tb testing.TB) string {
	tb.Helper()
	return find(tb, program{
		name: "envoy", variable: "WAYGATE_TEST_ENVOY", file: "envoy",
		get: `run "make envoy", or set ENVOY=/path/to/envoy`,
	})
}

// RedisBinary is the path of a redis-server binary, 7.0 or later. [Redis] starts it.
func RedisBinary(tb testing.TB) string {
	tb.Helper()
	return find(tb, program{
		name: "redis", variable: "WAYGATE_TEST_REDIS", file: "redis-server",
		get: `run "make redis", or set REDIS_SERVER=/path/to/redis-server`,
	})
}

// JQ is the path of the jq binary, which the monitoring scripts of operators call.
func JQ(tb testing.TB) string {
	tb.Helper()
	return find(tb, program{
		name: "jq", variable: "WAYGATE_TEST_JQ", file: "jq",
		get: `run "make jq", or install the package jq`,
	})
}

// Python is the path of a Python 3.11 or later that can import httpx.
func Python(tb testing.TB) string {
	tb.Helper()
	return find(tb, program{
		name: "python", variable: "WAYGATE_TEST_PYTHON", file: "waygate-python",
		get: `run "make python"`,
	})
}

// PythonCLI is the path of the published Python command line of the same name as ours, which users' pipelines
// install with pip and go on using against this server.
func PythonCLI(tb testing.TB) string {
	tb.Helper()
	return find(tb, program{
		name: "python", variable: "WAYGATE_TEST_PYTHON_CLI", file: "waygate-python-cli",
		get: `run "make python"`,
	})
}

// Root is the directory of this repository, found upwards from the working directory.
func Root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatalf("working directory: %v", err)
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module github.com/waygate/waygate\n") {
			return dir
		}
		if filepath.Dir(dir) == dir {
			tb.Fatal("this test runs outside of the repository: no go.mod of github.com/waygate/waygate above it")
		}
		dir = filepath.Dir(dir)
	}
}

// find returns the path of p, or ends the test.
func find(tb testing.TB, p program) string {
	tb.Helper()
	if without(p.name) {
		tb.Skipf("without %s, as WAYGATE_TEST_WITHOUT asks", p.name)
	}
	if path := os.Getenv(p.variable); path != "" {
		if err := executable(path); err != nil {
			tb.Fatalf("%s=%s: %v", p.variable, path, err)
		}
		return path
	}
	if path := filepath.Join(Root(tb), ".tools", "bin", p.file); executable(path) == nil {
		return path
	}
	if path, err := exec.LookPath(p.file); err == nil {
		return path
	}
	tb.Fatalf("this test needs %s: %s; to leave such tests out, set WAYGATE_TEST_WITHOUT=%s", p.name, p.get, p.name)
	return ""
}

// without reports whether the caller opted out of a part by its name.
func without(name string) bool {
	asked := strings.FieldsFunc(os.Getenv("WAYGATE_TEST_WITHOUT"), func(r rune) bool { return r == ',' || r == ' ' })
	return slices.Contains(asked, name)
}

// executable says why path cannot be run, nil if it can.
func executable(path string) error {
	stat, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at the program: %w", err)
	}
	if stat.IsDir() || stat.Mode()&0o111 == 0 {
		return fmt.Errorf("%s is not an executable file", path)
	}
	return nil
}
