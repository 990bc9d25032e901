//go:build unix

package main

import (
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// passedOn are the signals that the command gets as well.
func passedOn() []os.Signal {
	all := []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2}
	if !signal.Ignored(syscall.SIGHUP) { // it is under nohup
		all = append(all, syscall.SIGHUP)
	}
	return all
}

// survived are the signals that must not end us before the window is lifted: a reader of what we print may be gone. They
// are caught and not ignored, because what is ignored the command would inherit.
func survived() []os.Signal { return []os.Signal{syscall.SIGPIPE} }

// apart gives the command a process group of its own, so that what is sent to our group does not reach it twice, unless
// we are in the foreground of a terminal: then it has to be as well, to read from it and to be stopped with us. It
// reports whether the group is shared.
func apart(cmd *exec.Cmd) (shared bool) {
	if foreground() {
		return true
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return false
}

func foreground() bool {
	tty, err := os.Open("/dev/tty")
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// passOn sends a signal on: to the whole group of the command, so that a shell does not die and leave behind what it
// started. What is typed at a terminal has reached a shared group already.
func passOn(p *os.Process, s os.Signal, shared bool) {
	if !shared {
		if n, ok := s.(syscall.Signal); ok {
			_ = syscall.Kill(-p.Pid, n) // it may be over by now
		}
		return
	}
	if s != syscall.SIGINT && s != syscall.SIGQUIT {
		_ = p.Signal(s) // it may be over by now
	}
}
