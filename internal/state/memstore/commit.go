package memstore

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// enter waits until no other change is under way. The caller must leave when it gives no error.
func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.writer <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Store) leave() { <-s.writer }

// Commit implements state.Store. A patch that cannot be read is refused with state.ErrDamaged: no document holding it
// could ever be loaded.
func (s *Store) Commit(ctx context.Context, base state.Meta, c state.Change) (state.Receipt, error) {
	if err := s.enter(ctx); err != nil {
		return state.Receipt{}, fmt.Errorf("commit: %w", err)
	}
	defer s.leave()
	made, again, err := s.prepare(base, c)
	if err != nil {
		return state.Receipt{}, fmt.Errorf("commit: %w", err)
	}
	if again {
		return state.Receipt{Frame: made.Frame, Duplicate: true}, nil
	}
	if s.journal != nil {
		if err := s.journal.Append(made); err != nil {
			return state.Receipt{}, fmt.Errorf("commit: %w", err)
		}
	}
	s.show(made, c.Patch)
	return state.Receipt{Frame: made.Frame}, nil
}

// prepare checks everything there is to check and builds the commit, or finds the one that was made under the same id.
// Only the writer calls it, so nothing changes between here and show.
func (s *Store) prepare(base state.Meta, c state.Change) (made Committed, again bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(); err != nil {
		return Committed{}, false, err
	}
	now := time.Now()
	s.forgetBefore(now.Add(-idempotent))
	if known, ok := s.ids[c.ID]; ok && c.ID != "" {
		return known, true, nil
	}
	if base != s.meta {
		return Committed{}, false, state.ErrConflict
	}
	if _, err := state.NewDocument(s.meta).With(c.Patch, s.meta); err != nil {
		return Committed{}, false, err
	}
	frame, err := c.Frame(s.meta)
	if err != nil {
		return Committed{}, false, err
	}
	return Committed{Frame: frame, ID: c.ID, At: now, Private: s.privateAfter(c.Private)}, false, nil
}

// privateAfter is the private part after a change, nil when the change leaves it alone. The caller holds mu.
func (s *Store) privateAfter(change map[string][]byte) map[string][]byte {
	if len(change) == 0 {
		return nil
	}
	next := make(map[string][]byte, len(s.private)+len(change))
	maps.Copy(next, s.private)
	for field, value := range change {
		if len(value) == 0 {
			delete(next, field)
			continue
		}
		next[field] = append([]byte(nil), value...)
	}
	return next
}

// show makes a commit visible to readers and watchers, in one step.
func (s *Store) show(made Committed, patch state.Patch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for field, value := range patch {
		if len(value) == 0 || string(value) == "null" {
			delete(s.fields, field)
			continue
		}
		s.fields[field] = append([]byte(nil), value...)
	}
	if made.Private != nil {
		s.private = made.Private
	}
	s.meta.Rev, s.meta.Head = made.Frame.Rev, made.Frame.Head
	s.tail = append(s.tail, made.Frame)
	if over := len(s.tail) - s.keep; over > 0 {
		s.tail = s.tail[over:]
	}
	made.Private = nil
	s.remember(made)
	s.broadcast()
}

// remember keeps a commit under its idempotency id. The caller holds mu.
func (s *Store) remember(made Committed) {
	if made.ID == "" {
		return
	}
	s.ids[made.ID] = made
	s.made = append(s.made, made.ID)
}

// forgetBefore drops the idempotency ids of commits made before t. The caller holds mu.
func (s *Store) forgetBefore(t time.Time) {
	for len(s.made) > 0 && s.ids[s.made[0]].At.Before(t) {
		delete(s.ids, s.made[0])
		s.made = s.made[1:]
	}
}

// Seed implements state.Seeder. Idempotency ids of the history that is replaced are forgotten with it.
func (s *Store) Seed(ctx context.Context, seen state.Meta, doc *state.Document, private map[string][]byte) error {
	fields, err := doc.Fields()
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	if doc.Epoch == "" {
		return fmt.Errorf("seed: %w", state.Invalid("epoch", "a document without an epoch cannot be seeded"))
	}
	if err := s.enter(ctx); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	defer s.leave()
	if err := s.standsAt(seen); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	kept := Kept{Meta: doc.Meta, Fields: fields, Private: map[string][]byte{}}
	for field, value := range private {
		kept.Private[field] = append([]byte(nil), value...)
	}
	if s.journal != nil {
		if err := s.journal.Replace(kept); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meta, s.fields, s.private, s.tail = kept.Meta, kept.Fields, kept.Private, nil
	s.ids, s.made = map[string]Committed{}, nil
	s.broadcast()
	return nil
}

// standsAt is nil if the store stands at seen, the zero Meta being an empty store, else state.ErrConflict.
func (s *Store) standsAt(seen state.Meta) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return s.readable()
	}
	if s.meta != seen {
		return state.ErrConflict
	}
	return nil
}

// Beat implements state.Seeder. An empty store stays empty: state.ErrEmpty.
func (s *Store) Beat(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.readable(); err != nil {
		return fmt.Errorf("beat: %w", err)
	}
	s.beat = time.Now()
	return nil
}
