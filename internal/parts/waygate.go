package parts

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// The product's own programs.
const (
	AdminProgram = "waygate-admin"
	AuthzProgram = "waygate-authz"
	CLIProgram   = "waygate"
)

// built builds the product's programs once for all tests of a process.
type built struct {
	once sync.Once
	dir  string
	err  error
}

//nolint:gochecknoglobals // one build for all tests of the process; the build itself is what is shared
var binaries built

// Binary is the path of one of the product's programs, built from this tree.
func Binary(tb testing.TB, program string) string {
	tb.Helper()
	root := Root(tb)
	binaries.once.Do(func() {
		binaries.dir, binaries.err = os.MkdirTemp("", "waygate-bin-") //nolint:usetesting // it outlives the first test
		if binaries.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-o", binaries.dir+"/", "./cmd/...") //nolint:noctx // it outlives the first test
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			binaries.err = fmt.Errorf("%w:\n%s", err, out)
		}
	})
	if binaries.err != nil {
		tb.Fatalf("build the product: %v", binaries.err)
	}
	return filepath.Join(binaries.dir, program)
}

// RunTests is the TestMain of a package that uses Binary: it runs the tests and removes what was built.
func RunTests(m *testing.M) {
	m.Run()
	if err := os.RemoveAll(binaries.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// BuildTagged builds one of the product's programs with build tags, and gives its path.
func BuildTagged(tb testing.TB, program, tags string) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), program)
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-tags", tags, "-o", path, "./cmd/"+program)
	cmd.Dir = Root(tb)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s with %s: %v\n%s", program, tags, err, out)
	}
	return path
}

// Waygate is a running waygate-admin or waygate-authz. Its methods belong to the test's goroutine.
type Waygate struct {
	// Listen are the addresses bound.
	Listen []string `json:"listen"`

	process *process
}

// StartWaygate starts a program with settings ("WAYGATE_BACKEND=file") and arguments, and returns when it says that it
// is ready. The program is one of those above, or the path of what BuildTagged built. Nothing of the test's own WAYGATE_
// environment reaches it.
func StartWaygate(tb testing.TB, program string, settings []string, args ...string) *Waygate {
	tb.Helper()
	w := LaunchWaygate(tb, program, settings, args...)
	w.AwaitReady()
	return w
}

// LaunchWaygate is StartWaygate that does not wait until the program is ready.
func LaunchWaygate(tb testing.TB, program string, settings []string, args ...string) *Waygate {
	tb.Helper()
	ready := filepath.Join(tb.TempDir(), "ready.json")
	args = append([]string{"--ready-file", ready}, args...)
	env := append([]string{"HOME=" + filepath.Dir(ready), "PATH=" + os.Getenv("PATH")}, settings...)
	path := program
	if !filepath.IsAbs(program) {
		path = Binary(tb, program)
	}
	w := &Waygate{process: startWith(tb, filepath.Base(program), path, env, filepath.Dir(ready), args...)}
	w.process.readyFile = ready
	return w
}

// readReady is nil once the program has written where it listens.
func (w *Waygate) readReady() error {
	text, err := os.ReadFile(w.process.readyFile)
	if err != nil {
		return fmt.Errorf("read the ready file: %w", err)
	}
	if err := json.Unmarshal(text, w); err != nil {
		return fmt.Errorf("read the ready file: %w", err)
	}
	return nil
}

// AwaitReady waits until a launched program is ready.
func (w *Waygate) AwaitReady() {
	w.process.tb.Helper()
	if err := w.process.wait(w.readReady); err != nil {
		w.process.tb.Fatal(err)
	}
}

// URL is the base URL of an admin with the default base path.
func (w *Waygate) URL() string { return "http://" + w.Listen[0] + "/waygate" }

// Stop ends it with SIGTERM and waits for that.
func (w *Waygate) Stop() { w.process.tb.Helper(); w.process.stop() }

// Kill ends it with SIGKILL and waits for that.
func (w *Waygate) Kill() { w.process.tb.Helper(); w.process.kill() }

// Ended is closed once it has ended, however that came.
func (w *Waygate) Ended() <-chan struct{} { return w.process.done }

// Ran is how a command line ended.
type Ran struct {
	Status      int
	Out, ErrOut string
}

// RunCLI runs the product's command line to its end with settings and arguments, in a home of its own unless settings
// name one.
func RunCLI(tb testing.TB, settings []string, args ...string) Ran {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), Binary(tb, CLIProgram), args...)
	cmd.Env = append([]string{"HOME=" + tb.TempDir(), "PATH=" + os.Getenv("PATH")}, settings...)
	cmd.Dir = tb.TempDir()
	var out, errOut strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		tb.Fatalf("run waygate: %v", err)
	}
	return Ran{Status: cmd.ProcessState.ExitCode(), Out: out.String(), ErrOut: errOut.String()}
}
