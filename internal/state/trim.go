package state

import (
	"context"
	"errors"
)

// Trimmer is a store whose log can be shortened at its beginning. Nothing is trimmed unless somebody asks for it.
type Trimmer interface {
	// Trim removes the entries of epoch from the log that are older than revision before, or fewer of them where a store
	// can only remove them in portions; never the newest. ErrConflict: the store is of another epoch. What was removed is
	// ErrGap to readers; no document depends on it.
	Trim(ctx context.Context, epoch string, before uint64) error
}

// LogStart is the revision after which the log of a source that stands at a place begins: the first entry that can be
// read is the next one. It asks some sixty times at most.
func LogStart(ctx context.Context, source Source, at Meta) (uint64, error) {
	gap, there := uint64(0), at.Rev
	for middle := uint64(0); ; middle = gap + (there-gap)/2 {
		_, err := source.Frames(ctx, at.Epoch, middle, 1)
		switch {
		case err == nil:
			there = middle
		case errors.Is(err, ErrGap):
			gap = middle
		default:
			return 0, err
		}
		if there == 0 || gap+1 >= there {
			return there, nil
		}
	}
}
