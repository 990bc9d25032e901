package admin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// logBatch is how many frames are read from the store at a time.
const logBatch = 1000

// LogSpan names a part of the log.
type LogSpan struct {
	// Epoch is that of the log; empty is the present one.
	Epoch string
	// After is the revision that the part follows; nil is the beginning of the log.
	After *uint64
	// Limit is how many frames at most; zero is all there are now.
	Limit uint64
}

// EachFrame gives the frames of a part of the log to each, in order and in batches, while more are being read. It is
// state.ErrGap where the log does not reach back that far, or is of another epoch.
func (s *Service) EachFrame(ctx context.Context, span LogSpan, each func([]state.Frame) error) error {
	at, err := s.logPlace(ctx)
	if err != nil {
		return err
	}
	if span.Epoch != "" && span.Epoch != at.Epoch {
		return fmt.Errorf("the log is of epoch %s: %w", at.Epoch, state.ErrGap)
	}
	var after uint64
	if span.After != nil {
		after = *span.After
	} else if after, err = state.LogStart(ctx, s.cfg.Store, at); err != nil {
		return err //nolint:wrapcheck // the store says what was being done
	}
	upto := at.Rev
	if span.Limit > 0 && after < at.Rev {
		upto = after + min(span.Limit, at.Rev-after)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for b := range s.batches(ctx, at.Epoch, after, upto) {
		if b.err != nil {
			return b.err
		}
		if err := each(b.frames); err != nil {
			return err
		}
	}
	return nil
}

// logPlace is where the store stands, found without waiting for our own view.
func (s *Service) logPlace(ctx context.Context) (state.Meta, error) {
	p, err := s.pulse(ctx)
	if errors.Is(err, state.ErrEmpty) {
		err = fmt.Errorf("the store lost everything and is being repaired: %w", state.ErrUnavailable)
	}
	return p.Meta, err
}

// batch is a run of frames, or why there is none.
type batch struct {
	frames []state.Frame
	err    error
}

// batches reads ahead by one batch. It ends with ctx.
func (s *Service) batches(ctx context.Context, epoch string, after, upto uint64) <-chan batch {
	out := make(chan batch, 1)
	go func() {
		defer close(out)
		for after < upto {
			var b batch
			b.frames, b.err = s.cfg.Store.Frames(ctx, epoch, after, int(min(logBatch, upto-after)))
			if b.err == nil && len(b.frames) == 0 {
				b.err = fmt.Errorf("the log ends after %d: %w", after, state.ErrGap)
			}
			select {
			case out <- b:
			case <-ctx.Done():
				return
			}
			if b.err != nil {
				return
			}
			after = b.frames[len(b.frames)-1].Rev
		}
	}()
	return out
}

// revisionAt is the last revision that was recorded before an instant; zero where the log begins later. Times of entries
// rise but for what a clock was set, so it is found by halves.
func (s *Service) revisionAt(ctx context.Context, at state.Meta, t time.Time) (uint64, error) {
	low, err := state.LogStart(ctx, s.cfg.Store, at)
	if err != nil {
		return 0, err //nolint:wrapcheck // the store says what was being done
	}
	start, high := low, at.Rev // what is at low is before t, what is after high is not
	for low < high {
		middle := low + (high-low+1)/2
		frames, err := s.cfg.Store.Frames(ctx, at.Epoch, middle-1, 1)
		if err != nil {
			return 0, err //nolint:wrapcheck // the store says what was being done
		}
		e, err := frames[0].Entry()
		if err != nil {
			return 0, err //nolint:wrapcheck // it names the frame
		}
		if e.At.Before(t) {
			low = middle
		} else {
			high = middle - 1
		}
	}
	if low == start {
		return 0, nil
	}
	return low, nil
}

// ExportAudit gives every line of the audit that a filter lets through, oldest first.
func (s *Service) ExportAudit(ctx context.Context, f AuditFilter, each func([]AuditLine) error) error {
	wanted, err := f.compile()
	if err != nil {
		return err
	}
	var span LogSpan
	if !f.From.IsZero() {
		at, err := s.logPlace(ctx)
		if err != nil {
			return err
		}
		after, err := s.revisionAt(ctx, at, f.From.Add(-clockSlack))
		if err != nil {
			return err
		}
		if after > 0 {
			span.After = &after
		}
	}
	return s.EachFrame(ctx, span, func(frames []state.Frame) error {
		for i := range frames {
			lines, err := wanted.linesOf(&frames[i])
			if err != nil {
				return err
			}
			if len(lines) == 0 {
				continue
			}
			if err := each(lines); err != nil {
				return err
			}
		}
		return nil
	})
}
