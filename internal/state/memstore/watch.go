package memstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Frames implements state.Source.
func (s *Store) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	s.mu.RLock()
	frames, err := s.since(epoch, after, limit)
	tooOld := err == nil && frames == nil
	s.mu.RUnlock()
	if !tooOld {
		return frames, err
	}
	if s.journal == nil {
		return nil, fmt.Errorf("read the log after %d: %w", after, state.ErrGap)
	}
	frames, err = s.journal.Frames(after, limit)
	if err != nil {
		return nil, err
	}
	// A Seed may have replaced the log between the two looks.
	if len(frames) > 0 && frames[0].Epoch != epoch {
		return nil, fmt.Errorf("read the log of epoch %s: %w", epoch, state.ErrGap)
	}
	return frames, nil
}

// since gives the frames after a revision as far as memory reaches: nil without an error when it does not reach back
// that far, an empty slice when there are none. The caller holds mu; the slice stays valid without it.
func (s *Store) since(epoch string, after uint64, limit int) ([]state.Frame, error) {
	if err := s.readable(); err != nil {
		return nil, err
	}
	if epoch != s.meta.Epoch {
		return nil, fmt.Errorf("read the log of epoch %s: %w", epoch, state.ErrGap)
	}
	if after >= s.meta.Rev {
		return []state.Frame{}, nil
	}
	missing := s.meta.Rev - after
	if missing > uint64(len(s.tail)) {
		return nil, nil
	}
	frames := s.tail[uint64(len(s.tail))-missing:]
	frames = frames[:min(len(frames), limit)]
	return slices.Clip(frames), nil
}

// watchBatch bounds how many frames are handed to a watcher between two looks at the store.
const watchBatch = 256

// Watch implements state.Source. A watcher reads the log from its own place, so nothing is buffered for it: one that
// falls behind what memory holds is ended with state.ErrGap. A seeded document shows as the frames that follow it.
func (s *Store) Watch(ctx context.Context, w state.Watcher) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	s.mu.RLock()
	closed, epoch, rev := s.closed, s.meta.Epoch, s.meta.Rev
	s.mu.RUnlock()
	if closed {
		return fmt.Errorf("watch: the store is closed: %w", state.ErrUnavailable)
	}
	w.Subscribed()
	for {
		frames, changed, err := s.follow(&epoch, &rev)
		if err != nil {
			return fmt.Errorf("watch: %w", err)
		}
		for _, f := range frames {
			if ctx.Err() != nil {
				break
			}
			w.Frame(f)
			rev = f.Rev
		}
		if len(frames) > 0 && ctx.Err() == nil {
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("watch: %w", ctx.Err())
		}
	}
}

// follow gives the next frames after the watcher's place, or what to wait for. It moves the place where the store
// was seeded.
func (s *Store) follow(epoch *string, rev *uint64) ([]state.Frame, <-chan struct{}, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, nil, s.readable()
	}
	if s.meta.Epoch != *epoch || s.meta.Rev < *rev {
		*epoch, *rev = s.meta.Epoch, s.meta.Rev-uint64(len(s.tail))
	}
	if s.meta.Epoch == "" {
		return nil, s.changed, nil
	}
	frames, err := s.since(*epoch, *rev, watchBatch)
	if err == nil && frames == nil {
		err = fmt.Errorf("the watcher is too slow: %w", state.ErrGap)
	}
	return frames, s.changed, err
}
