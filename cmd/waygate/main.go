// Command waygate is the command line: it takes routes down and up again, tells what is down and why, and waits until
// every gateway enforces what was said.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"
)

func main() { os.Exit(run()) }

// run is main with an exit status, so that tests can call it.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	t := &tool{
		in: os.Stdin, typed: typed{ctx: ctx, from: os.Stdin}, out: os.Stdout, err: os.Stderr,
		env: os.Getenv, home: home, dir: dir,
		terminal:     term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
		readPassword: func() ([]byte, error) { return password(ctx, int(os.Stdin.Fd())) },
	}
	return t.exit(newRoot(t).ExecuteContext(ctx))
}
