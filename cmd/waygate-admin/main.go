// Command waygate-admin is where people and scripts change what is true: it serves the REST API and keeps the store.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

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
	return app.Main(ctx, app.Process{
		Args: os.Args[1:], Environ: os.Environ(), Dir: dir, In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
	})
}
