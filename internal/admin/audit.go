package admin

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// AuditQuery asks for lines of the audit.
type AuditQuery struct {
	AuditFilter
	// Limit is how many lines at most; more than MaxAudit counts as that.
	Limit int
	// Before asks for what was done before that revision; zero begins at the newest.
	Before uint64
}

// MaxAudit is the largest number of lines in one answer.
const MaxAudit = 10_000

// AuditLine is one thing that was done.
type AuditLine struct {
	state.Record
	At       time.Time
	Actor    string
	Platform state.Platform
	Epoch    string
	Rev      uint64
	// Index tells the lines of one commit apart.
	Index int
	// Changes are the fields that were set for what the line is about.
	Changes []state.Told
}

// Bounds of one search.
const (
	auditBatch  = 500
	searchFor   = 2500 * time.Millisecond
	keepRecent  = 2000
	maxSearched = 500_000
)

// Audit lists what was done, newest first, and gives the Before that asks for what follows (zero: there is no more).
// Only commands of people and scripts, changes of endpoints and the ends of windows are listed. A search that takes too long ends early; its
// next is then not zero.
func (s *Service) Audit(ctx context.Context, q AuditQuery) (lines []AuditLine, next uint64, err error) {
	wanted, err := q.compile()
	if err != nil {
		return nil, 0, err
	}
	view, err := s.View()
	if err != nil {
		return nil, 0, err
	}
	upper, err := s.upper(ctx, view, &q)
	if err != nil {
		return nil, 0, err
	}
	return s.search(ctx, view.Place().Epoch, upper, wanted, min(max(q.Limit, 0), MaxAudit))
}

// search looks for lines from a revision on back.
func (s *Service) search(ctx context.Context, epoch string, upper uint64, wanted *sieve, limit int) (lines []AuditLine, next uint64, err error) {
	deadline := time.Now().Add(searchFor)
	for searched := 0; upper > 0 && len(lines) < limit; {
		if searched >= maxSearched || time.Now().After(deadline) {
			return lines, upper + 1, nil
		}
		frames, err := s.framesUpTo(ctx, epoch, upper)
		if errors.Is(err, state.ErrUnavailable) && len(lines) > 0 {
			return lines, upper + 1, nil // as far as memory goes
		}
		if err != nil || len(frames) == 0 {
			return lines, 0, err
		}
		more, rest, err := collect(frames, wanted, limit-len(lines), len(lines) == 0)
		if err != nil {
			return nil, 0, err
		}
		lines = append(lines, more...)
		if rest > 0 {
			return lines, rest, nil
		}
		if wanted.tooOld(&frames[0]) {
			return lines, 0, nil
		}
		searched += len(frames)
		upper = frames[0].Rev - 1
	}
	if upper == 0 {
		return lines, 0, nil
	}
	return lines, upper + 1, nil
}

// upper is the revision at which a search begins.
func (s *Service) upper(ctx context.Context, view View, q *AuditQuery) (uint64, error) {
	upper := view.Place().Rev
	if q.Before > 0 {
		upper = min(upper, q.Before-1)
	}
	if q.To.IsZero() || upper == 0 {
		return upper, nil
	}
	at, err := s.revisionAt(ctx, view.Place(), q.To.Add(clockSlack))
	return min(upper, at), err
}

// collect gives the lines of frames, newest first, and the Before that asks for those left over; zero when all fit. The
// lines of one commit are not parted, but for a first one that alone is longer than the limit.
func collect(frames []state.Frame, wanted *sieve, limit int, first bool) (lines []AuditLine, rest uint64, err error) {
	for i := range slices.Backward(frames) {
		found, err := wanted.linesOf(&frames[i])
		if err != nil {
			return nil, 0, err
		}
		if len(lines)+len(found) > limit {
			if first && len(lines) == 0 {
				return found[:limit], frames[i].Rev, nil
			}
			return lines, frames[i].Rev + 1, nil
		}
		lines = append(lines, found...)
	}
	return lines, 0, nil
}

// framesUpTo reads a batch of frames that ends with revision upper: from memory while they are there, then from the
// store. It is empty when the log does not reach back to any of them.
func (s *Service) framesUpTo(ctx context.Context, epoch string, upper uint64) ([]state.Frame, error) {
	if frames := s.recent.upTo(epoch, upper); len(frames) > 0 {
		return frames, nil
	}
	after := uint64(0)
	if upper > auditBatch {
		after = upper - auditBatch
	}
	frames, err := s.frames(ctx, epoch, after, upper)
	if !errors.Is(err, state.ErrGap) {
		return frames, err
	}
	// The log begins somewhere after that. Find where, by halves.
	gap, there := after, upper
	for gap+1 < there {
		middle := gap + (there-gap)/2
		_, err := s.cfg.Store.Frames(ctx, epoch, middle, 1)
		switch {
		case err == nil:
			there = middle
		case errors.Is(err, state.ErrGap):
			gap = middle
		default:
			return nil, err //nolint:wrapcheck // the store says what was being done
		}
	}
	if there >= upper {
		return nil, nil
	}
	return s.frames(ctx, epoch, there, upper)
}

func (s *Service) frames(ctx context.Context, epoch string, after, upper uint64) ([]state.Frame, error) {
	frames, err := s.cfg.Store.Frames(ctx, epoch, after, int(upper-after))
	if err != nil {
		return nil, err //nolint:wrapcheck // the store says what was being done
	}
	return slices.DeleteFunc(frames, func(f state.Frame) bool { return f.Rev > upper }), nil
}

// recent are the last frames of the log without a gap between them, for reading while the store is away.
type recent struct {
	mu     sync.Mutex
	frames []state.Frame
}

// Applied takes what the follower applied; the follower calls it.
func (s *Service) Applied(snap *state.Snapshot, frames []state.Frame) {
	select {
	case s.moved <- struct{}{}:
	default:
	}
	r := &s.recent
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(frames) == 0 || len(r.frames) > 0 && r.frames[len(r.frames)-1].Head != frames[0].Prev {
		r.frames = nil
	}
	r.frames = append(r.frames, frames...)
	if extra := len(r.frames) - keepRecent; extra > 0 {
		r.frames = slices.Delete(r.frames, 0, extra)
	}
	if n := len(r.frames); n > 0 && r.frames[n-1].Head != snap.Document().Head {
		r.frames = nil
	}
}

func (r *recent) upTo(epoch string, upper uint64) []state.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.frames) == 0 || r.frames[0].Epoch != epoch || upper < r.frames[0].Rev {
		return nil
	}
	n := min(uint64(len(r.frames)), upper-r.frames[0].Rev+1)
	return slices.Clone(r.frames[max(0, int(n)-auditBatch):n])
}
