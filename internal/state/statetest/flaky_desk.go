package statetest

import (
	"context"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Lease implements state.Desk.
func (f *Flaky) Lease(ctx context.Context, desk, owner string, ttl time.Duration) (state.Lease, error) {
	return through(ctx, f, func(s state.Backend) (state.Lease, error) { return s.Lease(ctx, desk, owner, ttl) })
}

// ReadDesk implements state.Desk.
func (f *Flaky) ReadDesk(ctx context.Context, desk string) (map[string][]byte, error) {
	return through(ctx, f, func(s state.Backend) (map[string][]byte, error) { return s.ReadDesk(ctx, desk) })
}

// WriteDesk implements state.Desk.
func (f *Flaky) WriteDesk(ctx context.Context, lease state.Lease, fields map[string][]byte) error {
	return f.do(ctx, func(s state.Backend) error { return s.WriteDesk(ctx, lease, fields) })
}

// Release implements state.Desk.
func (f *Flaky) Release(ctx context.Context, lease state.Lease) error {
	return f.do(ctx, func(s state.Backend) error { return s.Release(ctx, lease) })
}
