package memstore

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// fleet holds the last report of each instance.
type fleet struct {
	mu   sync.Mutex
	last map[string]state.Report
}

// Report implements state.Fleet.
func (s *Store) Report(ctx context.Context, r state.Report) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	if r.ID == "" {
		return state.Invalid("id", "a report names its instance")
	}
	r.Hits, r.Unseen = maps.Clone(r.Hits), maps.Clone(r.Unseen)
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	r.Seen, r.Age = time.Now(), 0
	s.fleet.last[r.ID] = r
	return nil
}

// Reports implements state.Fleet; the reports are sorted by id.
func (s *Store) Reports(ctx context.Context) ([]state.Report, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the reports: %w", err)
	}
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(s.fleet.last, func(_ string, r state.Report) bool { return now.Sub(r.Seen) > state.GoneAfter })
	out := make([]state.Report, 0, len(s.fleet.last))
	for _, r := range s.fleet.last {
		r.Age = now.Sub(r.Seen)
		r.Hits, r.Unseen = maps.Clone(r.Hits), maps.Clone(r.Unseen)
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b state.Report) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// Forget implements state.Fleet.
func (s *Store) Forget(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("forget: %w", err)
	}
	s.fleet.mu.Lock()
	defer s.fleet.mu.Unlock()
	if _, ok := s.fleet.last[id]; !ok {
		return fmt.Errorf("instance %q: %w", id, state.ErrNotFound)
	}
	delete(s.fleet.last, id)
	return nil
}
