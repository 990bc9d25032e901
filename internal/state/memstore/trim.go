package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Trim implements state.Trimmer for what is in memory. A store with a journal has the journal trimmed first.
func (s *Store) Trim(ctx context.Context, epoch string, before uint64) error {
	if err := s.enter(ctx); err != nil {
		return fmt.Errorf("trim the log: %w", err)
	}
	defer s.leave()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(); err != nil {
		return fmt.Errorf("trim the log: %w", err)
	}
	if s.meta.Epoch != epoch {
		return fmt.Errorf("trim the log of epoch %s: %w", epoch, state.ErrConflict)
	}
	before = min(before, s.meta.Rev)
	if n := slices.IndexFunc(s.tail, func(f state.Frame) bool { return f.Rev >= before }); n > 0 {
		s.tail = slices.Clone(s.tail[n:])
	}
	return nil
}
