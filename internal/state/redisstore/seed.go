package redisstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

const (
	// How many fields of a document are staged at a time.
	stageFields = 2_000
	// How long a document may lie staged; one that nobody came back for is gone then.
	stageLife = 10 * time.Minute
	// A seed of any size.
	seedTimeout = 5 * time.Minute
)

// Seed implements state.Seeder. The document is staged beside the store in portions, so that the server has time for
// others; then one script compares what was seen and puts it in place. Followers notice at once, because their watches
// end.
func (s *Store) Seed(ctx context.Context, seen state.Meta, doc *state.Document, private map[string][]byte) error {
	fields, err := doc.Fields()
	if err == nil && doc.Epoch == "" {
		err = state.Invalid("epoch", "a document without an epoch cannot be seeded")
	}
	if err == nil {
		err = checkPrivate(private)
	}
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	once := newOnce()
	staged := s.keys.staged(once.nonce)
	_, err = ask(ctx, s.Reader, seedTimeout, "stage the document", func(ctx context.Context, node *redis.Client) (int, error) {
		return len(fields), stage(ctx, node, staged, fields, doc.Meta)
	})
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}

	args := append(placeArgs(seen), doc.Epoch, doc.Gen, doc.Rev, doc.Head.String(), once, s.keys.events(), seededMessage, len(fields)+2)
	for field, value := range private {
		args = append(args, field, value)
	}
	names := []string{s.keys.meta(), s.keys.state(), s.keys.log(), s.keys.private(), staged}
	a, err := s.send(ctx, "seed", commitTimeout, call{script: seedScript, keys: names, args: args, once: once})
	switch {
	case err != nil:
		return err
	case a.said == saidOK:
		return a.unsynced()
	case a.said == saidConflict && a.lost:
		return fmt.Errorf("seed: then the store moved on: %w", state.ErrUnknownOutcome)
	case a.said == saidConflict:
		return fmt.Errorf("seed: the store is at %s.%s: %w", a.rest(0), a.rest(1), state.ErrConflict)
	case a.said == saidGap:
		return fmt.Errorf("seed: what was staged is gone: %w", state.ErrUnavailable)
	default:
		return fmt.Errorf("seed: %w", a.denied())
	}
}

// stage writes the fields of a document, and its stamps, into a hash of its own that goes away by itself.
func stage(ctx context.Context, node *redis.Client, staged string, fields state.Patch, at state.Meta) error {
	if err := stagePortion(ctx, node, staged, []any{stampEpoch, at.Epoch, stampRev, at.Rev}); err != nil {
		return err
	}
	for portion := range slices.Chunk(slices.Collect(maps.Keys(fields)), stageFields) {
		pairs := make([]any, 0, 2*len(portion))
		for _, field := range portion {
			pairs = append(pairs, field, []byte(fields[field]))
		}
		if err := stagePortion(ctx, node, staged, pairs); err != nil {
			return err
		}
	}
	return nil
}

// stagePortion adds pairs of field and value, and gives the whole its time again.
func stagePortion(ctx context.Context, node *redis.Client, staged string, pairs []any) error {
	_, err := node.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.HSet(ctx, staged, pairs...)
		pipe.PExpire(ctx, staged, stageLife)
		return nil
	})
	return err
}

// placeArgs are the four arguments of a place; all empty for an empty store.
func placeArgs(m state.Meta) []any {
	if m == (state.Meta{}) {
		return []any{"", "", "", ""}
	}
	return []any{m.Epoch, m.Gen, m.Rev, m.Head.String()}
}
