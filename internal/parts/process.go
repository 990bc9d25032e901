package parts

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startPatience is how long a server may take until it answers. It is long because machines that run tests are busy.
const startPatience = 30 * time.Second

// stopPatience is how long a server may take after SIGTERM before it is killed.
const stopPatience = 10 * time.Second

// process is one server that a test started. It belongs to the test's goroutine.
type process struct {
	tb     testing.TB
	name   string
	cmd    *exec.Cmd
	output *output
	done   chan struct{} // closed once the process has ended and was waited for

	readyFile string // where it says that it is ready, if it does
}

// start runs path with args and kills it, if it still runs, when the test ends.
func start(tb testing.TB, name, path string, args ...string) *process {
	tb.Helper()
	return startWith(tb, name, path, nil, "", args...)
}

// startWith is start with an environment (nil: the test's) and a working directory (empty: the test's).
func startWith(tb testing.TB, name, path string, env []string, dir string, args ...string) *process {
	tb.Helper()
	p := &process{tb: tb, name: name, output: &output{}, done: make(chan struct{})}
	p.cmd = exec.Command(path, args...) //nolint:noctx // it must outlive the test's context, to be stopped in order
	p.cmd.Env, p.cmd.Dir = env, dir
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	p.cmd.SysProcAttr = dieWithParent()
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("start %s: %v", name, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is of no interest: callers look at what it did
		close(p.done)
	}()
	tb.Cleanup(func() {
		p.kill()
		if tb.Failed() {
			tb.Logf("what %s (pid %d) printed:\n%s", name, p.cmd.Process.Pid, p.output.tail())
		}
	})
	return p
}

// pid is the process id, valid until the process ended.
func (p *process) pid() int { return p.cmd.Process.Pid }

// signal sends s. A process that is gone already is no error.
func (p *process) signal(s syscall.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.tb.Errorf("signal %s: %v", p.name, err)
	}
}

// kill ends the process with SIGKILL and waits for that.
func (p *process) kill() {
	p.tb.Helper()
	p.signal(syscall.SIGKILL)
	<-p.done
}

// stop ends the process with SIGTERM and waits for that. One that takes too long is killed and fails the test.
func (p *process) stop() {
	p.tb.Helper()
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopPatience):
		p.kill()
		p.tb.Errorf("%s did not end within %v of SIGTERM", p.name, stopPatience)
	}
}

// wait asks ready every 5 ms until it returns nil.
func (p *process) wait(ready func() error) error {
	deadline := time.After(startPatience)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended (%v) before it was ready:\n%s", p.name, p.cmd.ProcessState, p.output.tail())
		case <-deadline:
			return fmt.Errorf("%s is not ready after %v (%w):\n%s", p.name, startPatience, err, p.output.tail())
		case <-again.C:
		}
	}
}

// outputLimit is how much of what a process printed is kept, in bytes.
const outputLimit = 64 << 10

// output keeps the last part of what a process printed. It is safe for use by several goroutines.
type output struct {
	mu   sync.Mutex
	last []byte
}

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = append(o.last, p...)
	if excess := len(o.last) - outputLimit; excess > 0 {
		o.last = append(o.last[:0], o.last[excess:]...)
	}
	return len(p), nil
}

// tail is what was kept.
func (o *output) tail() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(bytes.TrimSpace(o.last))
}
