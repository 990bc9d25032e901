package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/api"
	"github.com/waygate/waygate/internal/admin/stream"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/serve"
)

// Bounds of a connection: one that is slow holds up nobody else, and not for long.
const (
	headerWithin = 5 * time.Second
	readWithin   = 30 * time.Second
	writeWithin  = 30 * time.Second
	idleFor      = 90 * time.Second
	maxHeader    = 64 << 10
)

// listen binds the addresses and serves on them.
func (a *app) listen(ctx context.Context) error {
	follows := stream.New(stream.Config{
		Source: a.store, Cache: &a.cache, Follower: a.follower, Namespace: a.cfg.Namespace, Log: a.log.Named("stream"),
	})
	described := api.Config{
		Service: a.service, People: a.people, Endpoints: a.endpoints, Stream: follows, BasePath: a.cfg.BasePath,
		LocalOnly: !a.cfg.users() && !a.cfg.AllowOpen, Version: config.Version(), Security: a.security, Log: a.log.Named("api"),
	}
	calls, err := api.New(described)
	if err != nil {
		return err //nolint:wrapcheck // it names the setting
	}
	main := a.meters.count(calls)
	operations := api.Operations(described, a.follower, a.store.warnings, a.meters.registry, nil)
	if a.cfg.OpsListen == "" {
		main = api.Operations(described, a.follower, a.store.warnings, a.meters.registry, main)
	}
	secure, err := a.cfg.Config(a.log.Named("tls"), "h2", "http/1.1")
	if err != nil {
		return err //nolint:wrapcheck // it names the files
	}
	for _, text := range a.cfg.Listen {
		l, err := a.bind(ctx, text)
		if err != nil {
			return err
		}
		if err := a.cfg.checkOpen(l); err != nil {
			return errors.Join(err, l.Close())
		}
		a.listeners = append(a.listeners, l)
		a.serve(l, tlsOver(l, secure), main)
	}
	// The streams end first: they have no end of their own.
	defer a.teardown.Push("end the streams", func(context.Context) error { follows.Close(); return nil })
	if a.cfg.OpsListen == "" {
		return nil
	}
	if a.ops, err = a.bind(ctx, a.cfg.OpsListen); err != nil {
		return err
	}
	a.serve(a.ops, a.ops, operations)
	return nil
}

func (a *app) bind(ctx context.Context, text string) (*serve.Listener, error) {
	address, err := serve.ParseAddress(text)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the address
	}
	return serve.Listen(ctx, address)
}

// serve answers on a listener until the teardown. Calls under way may finish then.
func (a *app) serve(l *serve.Listener, over net.Listener, handler http.Handler) {
	ctx, cancel := context.WithCancel(context.Background())
	server := newServer(ctx, handler, a.log)
	go func() {
		if err := server.Serve(over); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve on %s: %w", l, err)
		}
	}()
	a.teardown.Push("stop serving on "+l.String(), func(last context.Context) error {
		defer cancel()
		soon, done := context.WithTimeout(last, stopWithin/2)
		defer done()
		if err := server.Shutdown(soon); err != nil {
			a.log.Warn("some calls did not end in time", zap.Error(err))
			return server.Close()
		}
		return nil
	})
}

func newServer(ctx context.Context, handler http.Handler, log *zap.Logger) *http.Server {
	said, err := zap.NewStdLogAt(log.Named("http"), zap.DebugLevel)
	if err != nil {
		said = nil // the standard logger then; it cannot happen with a level that exists
	}
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerWithin, ReadTimeout: readWithin, WriteTimeout: writeWithin,
		IdleTimeout: idleFor, MaxHeaderBytes: maxHeader, ErrorLog: said,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
}

// tlsOver puts TLS over a listener, where it is configured.
func tlsOver(l *serve.Listener, secure *tls.Config) net.Listener {
	if secure == nil {
		return l
	}
	return tls.NewListener(l, secure)
}
