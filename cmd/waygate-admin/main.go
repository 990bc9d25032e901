// Command waygate-admin is where people and scripts change what is true: it serves the REST API and keeps the store.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/waygate/waygate/internal/admin/app"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	p := app.Process{
		Args: os.Args[1:], Environ: os.Environ(), Dir: dir, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	}
	if terminal := int(os.Stdin.Fd()); term.IsTerminal(terminal) {
		p.Secret = func() (string, error) { return secret(ctx, terminal) }
	}
	return app.Main(ctx, p)
}

// secret reads a line from a terminal that does not show it. Reading does not end with ctx: the process does.
func secret(ctx context.Context, terminal int) (string, error) {
	before, err := term.GetState(terminal)
	if err != nil {
		return "", err //nolint:wrapcheck // there is nothing to add
	}
	defer context.AfterFunc(ctx, func() {
		_ = term.Restore(terminal, before) // the process ends all the same
		os.Exit(interrupted)
	})()
	password, err := term.ReadPassword(terminal)
	return string(password), err //nolint:wrapcheck // there is nothing to add
}

// interrupted is the status that shells give a program that SIGINT ended.
const interrupted = 130
