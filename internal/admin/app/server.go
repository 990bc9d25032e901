package app

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"

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
