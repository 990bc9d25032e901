package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/authz"
	"github.com/waygate/waygate/internal/config"
	"github.com/waygate/waygate/internal/serve"
	"github.com/waygate/waygate/internal/state"
)

// serveOps answers orchestrators and Prometheus, from before there is a snapshot until the process ends.
func (a *app) serveOps(ctx context.Context) error {
	if a.opsAt == nil {
		return nil
	}
	var err error
	if a.ops, err = serve.Listen(ctx, *a.opsAt, serve.Shared()); err != nil {
		return fmt.Errorf("--ops-listen: %w", err)
	}
	if err := a.ops.Publish(); err != nil {
		return fmt.Errorf("--ops-listen: %w", err)
	}
	handler, err := a.opsHandler()
	if err != nil {
		return err
	}
	said, err := zap.NewStdLogAt(a.log.Named("ops"), zap.DebugLevel)
	if err != nil {
		return fmt.Errorf("log of the ops listener: %w", err)
	}
	server := &http.Server{
		Handler: handler, ReadTimeout: 5 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 90 * time.Second,
		MaxHeaderBytes: 16 << 10, ErrorLog: said,
	}
	go func() {
		if err := server.Serve(a.ops); !errors.Is(err, http.ErrServerClosed) {
			a.failed <- fmt.Errorf("serve on %s: %w", a.ops, err)
		}
	}()
	a.teardown.Push("stop the ops listener", func(context.Context) error { return server.Close() })
	return nil
}

func (a *app) opsHandler() (http.Handler, error) {
	registry := prometheus.NewRegistry()
	for _, c := range []prometheus.Collector{
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		authz.NewMetrics(a.server, a.follower.Status, config.Version()),
	} {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]bool{"live": true}) })
	mux.HandleFunc("GET /readyz", a.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return mux, nil
}

// readiness is the body of /readyz.
type readiness struct {
	Ready    bool       `json:"ready"`
	Why      string     `json:"why,omitempty"` // it is not
	Revision uint64     `json:"revision"`
	Epoch    string     `json:"epoch"`
	Link     state.Link `json:"link"`
	Alarm    string     `json:"alarm,omitempty"`
	Trouble  string     `json:"trouble,omitempty"`
	// SkewMS is the store's clock minus this machine's, in milliseconds.
	SkewMS int64 `json:"skew_ms"`
	// Confirmed is when the source last confirmed what is enforced; absent before the first time.
	Confirmed time.Time `json:"confirmed,omitzero"`
}

// readyz tells whether gateways should ask this instance. Being cut off from the source does not make it unready: it
// goes on enforcing what it knows.
func (a *app) readyz(w http.ResponseWriter, _ *http.Request) {
	at := a.follower.Status()
	r := readiness{
		Revision: at.Rev, Epoch: at.Epoch, Link: at.Link, Alarm: at.Alarms(), Trouble: at.Trouble, Confirmed: at.LastInStep.UTC(),
		SkewMS: at.Clock.Skew.Milliseconds(),
	}
	if at.LastInStep.IsZero() {
		r.Confirmed = time.Time{}
	}
	switch {
	case a.draining.Load():
		r.Why = "it is stopping"
	case a.cache.Load() == nil:
		r.Why = "there is no snapshot yet, neither from the source nor from disk"
	case a.server.TakenAway():
		r.Why = "the snapshot is older than --max-stale"
	case !a.answering.Load():
		r.Why = "it does not listen yet"
	default:
		r.Ready = true
	}
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, r)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("content-type", "application/json")
	w.Header().Set("cache-control", "no-store")
	w.WriteHeader(status)
	// The only error is that of a client that has gone.
	_ = json.NewEncoder(w).Encode(body)
}
