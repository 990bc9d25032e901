// Command waygate-authz answers Envoy's external-authorization calls from memory.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/waygate/waygate/internal/authz/app"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	dir, err := os.Getwd()
	if err != nil {
		dir = "."
	}
	return app.Main(ctx, app.Process{Args: os.Args[1:], Environ: os.Environ(), Dir: dir, Out: os.Stdout, Err: os.Stderr})
}
