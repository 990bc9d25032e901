// Command demo is a service to put Waygate in front of: the one behind Envoy in "make run" and in docker-compose.yaml.
//
// It answers every path with 200 and a small JSON document that repeats the request as it arrived: method, target and
// headers. So a person who tries a block sees at a glance whether an answer came from the service or from Waygate, and
// which headers reach the service (none of x-waygate-*, for one).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/google/renameio/v2"
)

// stopPatience is how long requests in progress may take after SIGTERM.
const stopPatience = 5 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "waygate-demo:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("waygate-demo", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:8081", "`address` to listen on")
	readyFile := flags.String("ready-file", "", "`file` that gets one JSON line, {\"listen\":[\"…\"]}, once requests are answered")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("read the arguments: %w", err)
	}

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", *listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: http.HandlerFunc(echo), ReadHeaderTimeout: 10 * time.Second}
	defer server.Close()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if *readyFile != "" {
		line := fmt.Sprintf("{\"listen\":[%q]}\n", listener.Addr())
		if err := renameio.WriteFile(*readyFile, []byte(line), 0o644); err != nil {
			return fmt.Errorf("write the ready file: %w", err)
		}
	}
	fmt.Println("waygate-demo: listening on", listener.Addr())

	select {
	case err := <-served:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := server.Shutdown(stopping); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("stop: %w", err)
	}
	return nil
}

// reply is what the service saw of a request.
type reply struct {
	Service string      `json:"service"`
	Method  string      `json:"method"`
	Path    string      `json:"path"` // as it stood in the request line, with the query
	Headers http.Header `json:"headers"`
}

// echo answers any request with what arrived.
func echo(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	// The only error is that of a client that has gone.
	_ = encoder.Encode(reply{Service: "demo", Method: r.Method, Path: r.RequestURI, Headers: r.Header})
}
