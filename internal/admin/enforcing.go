package admin

import (
	"context"
	"sync"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Enforcing gives what tells of a report whether its instance enforces what was true at a place, as far as that can be
// seen from a view. It is meant for waiting: what cannot be told yet is not so.
func (s *Service) Enforcing(ctx context.Context, view View, asked state.Meta) func(*state.Report) bool {
	ours := view.Place()
	before := asked.Epoch != ours.Epoch && s.cameBefore(ctx, ours, asked.Rev)
	return func(r *state.Report) bool {
		if r.Epoch == asked.Epoch {
			return r.Rev >= asked.Rev && !s.strays(r, ours)
		}
		return before && r.Epoch == ours.Epoch
	}
}

// strays reports whether an instance in our epoch may have come to its revision by another history than ours: then it
// lacks what we have, whatever its revision. That happens where a store lost its last changes and others were made since.
func (s *Service) strays(r *state.Report, ours state.Meta) bool {
	switch {
	case r.Head == "" || r.Epoch != ours.Epoch:
		return false // nobody can tell
	case r.Rev > ours.Rev:
		return true // or it is ahead of us for a moment
	case r.Rev == ours.Rev:
		return r.Head != ours.Head.String()
	default:
		head, known := s.recent.headAt(r.Epoch, r.Rev)
		return known && r.Head != head.String()
	}
}

// cameBefore reports whether a revision of another epoch is part of ours: our epoch began higher than whatever was known
// then, by state.EpochStep. What was lost when it began is not part of it, and neither is what comes from an epoch that
// we have yet to hear of.
func (s *Service) cameBefore(ctx context.Context, ours state.Meta, rev uint64) bool {
	start, err := s.begun.at(ctx, s.cfg.Store, ours)
	if err != nil {
		s.cfg.Log.Debug("where the epoch began cannot be told", zap.Error(err))
		return false
	}
	return start >= state.EpochStep && rev <= start-state.EpochStep
}

// begun remembers the revision with which an epoch began.
type begun struct {
	mu    sync.Mutex
	epoch string
	rev   uint64
}

func (b *begun) at(ctx context.Context, source state.Source, at state.Meta) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.epoch == at.Epoch {
		return b.rev, nil
	}
	rev, err := state.LogStart(ctx, source, at)
	if err != nil {
		return 0, err //nolint:wrapcheck // the store says what was being done
	}
	b.epoch, b.rev = at.Epoch, rev
	return rev, nil
}
