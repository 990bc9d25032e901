package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/redisstore"
)

// opened is a store, and how a new document in it begins.
type opened struct {
	state.Backend
	close func() error
	// gen is the generation under which the store is created.
	gen uint64
	// shared says that others may write to it: what it lost is given back with care.
	shared bool
	// warnings are sentences about it for the operator.
	warnings func() []string
}

// open gives the store that the configuration names.
func (c *Config) open(ctx context.Context, log *zap.Logger) (*opened, error) {
	none := func() []string { return nil }
	switch c.Backend {
	case "memory":
		s := memstore.New()
		o := &opened{Backend: s, close: func() error { s.Close(); return nil }, gen: s.Gen(), warnings: none}
		if c.SnapshotDir == "" {
			o.warnings = func() []string {
				return []string{"the memory backend forgets every block when this process ends: use file or redis, or --snapshot-dir"}
			}
		}
		return o, nil
	case "redis":
		redisstore.LogTo(func(message string) { log.Debug(message, zap.String("from", "go-redis")) })
		s, err := redisstore.Open(ctx, c.RedisURL, c.Namespace, redisstore.Options{Name: "waygate-admin"})
		if err != nil {
			return nil, fmt.Errorf("open the store: %w", err)
		}
		return &opened{Backend: s, close: s.Close, gen: 1, shared: true, warnings: func() []string {
			var all []string
			for _, w := range s.Warnings() {
				all = append(all, w.Text)
			}
			return all
		}}, nil
	default:
		return c.openFile(log)
	}
}

// errLost is what a store is left alone with that is empty while there was a document once.
var errLost = errors.New("the store is empty, and what it held cannot be told")

// errHistory is what a store is left alone with that is empty while instances enforce a document this admin lacks.
var errHistory = errors.New("the store is empty, but instances enforce a document that this admin does not know")

// Founding: how often an empty store is looked at, and for how long instances may report before it counts as new.
const (
	foundEvery   = time.Second
	reportWithin = 3 * time.Second
)

// found gives an empty store its first document: what the disk kept, or nothing. A shared store that lost what the disk
// kept is the repairer's; and one is only new when no instance enforces anything in it.
func (o *opened) found(ctx context.Context, kept *state.Saved, damaged bool, log *zap.Logger) error {
	_, err := o.Pulse(ctx)
	if !errors.Is(err, state.ErrEmpty) {
		return err //nolint:wrapcheck // nil, or the store cannot be asked
	}
	if damaged {
		return fmt.Errorf("%w: the snapshots on disk were damaged; decide with waygate-admin init", errLost)
	}
	if kept != nil && o.shared {
		return nil
	}
	doc, private := state.Genesis(o.gen), map[string][]byte(nil)
	if kept != nil {
		was := kept.Document.Meta
		doc, err = kept.Document.With(nil, state.Meta{Epoch: state.NewEpoch(), Gen: max(o.gen, was.Gen+1), Rev: was.Rev + keptStep, Head: was.Head})
		if err != nil {
			return fmt.Errorf("take the document from disk: %w", err)
		}
		private = kept.Private
	} else if o.shared {
		if err := o.vacant(ctx); err != nil {
			return err
		}
	}
	if err := o.Seed(ctx, state.Meta{}, doc, private); err != nil && !errors.Is(err, state.ErrConflict) {
		return fmt.Errorf("create the store's document: %w", err)
	}
	log.Info("the store was empty and has a document now", zap.String("epoch", doc.Epoch), zap.Bool("from_disk", kept != nil))
	return nil
}

// keptStep is how much higher the revision of a document from disk is, so that nobody takes it for one of the history
// that was lost.
const keptStep = state.EpochStep

// vacant waits for reports and tells whether anybody enforces something; errHistory then.
func (o *opened) vacant(ctx context.Context) error {
	timer := time.NewTimer(reportWithin)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err() //nolint:wrapcheck // the start was given up
	}
	reports, err := o.Reports(ctx)
	if err != nil {
		return err //nolint:wrapcheck // the store says what was being done
	}
	for _, r := range reports {
		if r.Epoch != "" && r.Rev > 0 && r.Presence() == state.Live {
			return fmt.Errorf("%w: %s is at revision %d; start an admin with the snapshots of that history, or decide with waygate-admin init",
				errHistory, r.ID, r.Rev)
		}
	}
	return nil
}
