package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/waygate/waygate/internal/admin/client"
)

const (
	liftFor    = 30 * time.Second       // how long to try to lift the window
	liftEvery  = 500 * time.Millisecond // how often
	extendBy   = "15m"
	sameSignal = 250 * time.Millisecond // two of a kind within this were sent by one hand: to the process and to its group
)

// exitStatus is the status of a command, which has said itself what there was to say.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func bySignal(s os.Signal) error {
	if n, ok := s.(syscall.Signal); ok {
		return exitStatus(exitBySignal + int(n))
	}
	return exitStatus(exitBySignal)
}

// execute runs the command to its end, passes signals on to it, and warns when the window ends before.
func (d *down) execute(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, d.path, d.command[1:]...)
	cmd.Args[0] = d.command[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = d.in, d.stdout, d.err
	cmd.Env = append(os.Environ(), windowEnv+"="+d.window.ID)
	shared := apart(cmd)
	if err := cmd.Start(); err != nil {
		return unstartable(err, "the window is lifted")
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended is in its state
	}()
	alarm := d.newAlarm()
	defer alarm.Stop()
	passed := map[os.Signal]time.Time{}
	for {
		select {
		case <-ended:
			return statusOf(cmd.ProcessState)
		case s := <-d.signals:
			if time.Since(passed[s]) > sameSignal {
				passOn(cmd.Process, s, shared)
			}
			passed[s] = time.Now()
		case <-alarm.C:
			alarm.ask(ctx)
		case end := <-alarm.answers:
			alarm.heard(end)
		}
	}
}

func statusOf(s *os.ProcessState) error {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return bySignal(w.Signal())
	}
	if code := s.ExitCode(); code != 0 {
		return exitStatus(code)
	}
	return nil
}

// lift ends the window, and no other, and tries for a while. It gives the error that there was before, unless the window
// stands.
func (d *down) lift(ctx context.Context, was error) error {
	limit, cancel := context.WithTimeout(ctx, d.liftFor)
	defer cancel()
	tick := time.NewTicker(liftEvery)
	defer tick.Stop()
	told := false
	for {
		a, err := d.api.EndWindow(limit, d.window.ID, d.reason)
		if err == nil {
			fmt.Fprintf(d.err, "window %s is lifted\n", d.window.ID)
			d.tellPlace(a.ChangeResult)
			return was
		}
		refusal, refused := errors.AsType[*client.Refusal](err)
		switch {
		case refused && refusal.Status == http.StatusNotFound:
			fmt.Fprintf(d.err, "window %s had ended before\n", d.window.ID)
			return was
		case refused && refusal.Status < http.StatusInternalServerError && refusal.Status != http.StatusTooManyRequests:
			return d.stands(err, was)
		case !told:
			told = true
			fmt.Fprintf(d.err, "waygate: the window cannot be lifted yet: %v; trying for %s\n", err, roughly(d.liftFor))
		}
		select {
		case <-limit.Done():
			return d.stands(err, was)
		case <-tick.C:
		}
	}
}

// stands is the error of a window that could not be lifted.
func (d *down) stands(err, was error) error {
	after := ""
	if was != nil {
		after = fmt.Sprintf(" (before that: %v)", was)
	}
	return &exitError{
		code: exitUnconfirmed,
		err:  fmt.Errorf("the window could not be lifted: %w; it ends by itself at %s%s", err, d.clock(*d.window.End), after),
		next: "waygate window end " + d.window.ID,
	}
}
