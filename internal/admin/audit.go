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
	// Before asks for the lines before that mark; zero begins at the newest.
	Before Mark
}

// Mark is a place between two lines of the audit: before it are the lines of all earlier revisions, and those of Rev with
// a lower index. The zero Mark is no place.
type Mark struct {
	Rev   uint64
	Index int
}

// upper is the last revision that has lines before the mark.
func (m Mark) upper() uint64 {
	if m.Index > 0 {
		return m.Rev
	}
	return m.Rev - 1
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
func (s *Service) Audit(ctx context.Context, q AuditQuery) (lines []AuditLine, next Mark, err error) {
	wanted, err := q.compile()
	if err != nil {
		return nil, Mark{}, err
	}
	view, err := s.View()
	if err != nil {
		return nil, Mark{}, err
	}
	upper, err := s.upper(ctx, view, &q)
	if err != nil {
		return nil, Mark{}, err
	}
	if q.Before.Index > 0 && q.Before.Rev == upper {
		wanted.before = q.Before
	}
	return s.search(ctx, view.Place().Epoch, upper, wanted, min(max(q.Limit, 0), MaxAudit))
}

// search looks for lines from a revision on back.
func (s *Service) search(ctx context.Context, epoch string, upper uint64, wanted *sieve, limit int) (lines []AuditLine, next Mark, err error) {
	deadline := time.Now().Add(searchFor)
	for searched := 0; upper > 0 && len(lines) < limit; {
		if searched >= maxSearched || time.Now().After(deadline) {
			break
		}
		frames, err := s.framesUpTo(ctx, epoch, upper)
		if errors.Is(err, state.ErrUnavailable) && len(lines) > 0 {
			break // as far as memory goes
		}
		if err != nil || len(frames) == 0 {
			return lines, Mark{}, err
		}
		more, rest, err := collect(frames, wanted, limit-len(lines))
		if err != nil {
			return nil, Mark{}, err
		}
		lines = append(lines, more...)
		if rest != (Mark{}) {
			return lines, rest, nil
		}
		if wanted.tooOld(&frames[0]) {
			return lines, Mark{}, nil
		}
		searched += len(frames)
		upper = frames[0].Rev - 1
	}
	if upper == 0 {
		return lines, Mark{}, nil
	}
	return lines, wanted.after(upper), nil
}

// upper is the revision at which a search begins.
func (s *Service) upper(ctx context.Context, view View, q *AuditQuery) (uint64, error) {
	upper := view.Place().Rev
	if q.Before != (Mark{}) {
		upper = min(upper, q.Before.upper())
	}
	if q.To.IsZero() || upper == 0 {
		return upper, nil
	}
	at, err := s.revisionAt(ctx, view.Place(), q.To.Add(clockSlack))
	return min(upper, at), err
}

// collect gives the lines of frames, newest first, and the mark before which those are that are left over; zero when all
// fit.
func collect(frames []state.Frame, wanted *sieve, limit int) (lines []AuditLine, rest Mark, err error) {
	for i := range slices.Backward(frames) {
		f := &frames[i]
		found, err := wanted.linesOf(f)
		if err != nil {
			return nil, Mark{}, err
		}
		room := limit - len(lines)
		switch {
		case len(found) <= room:
			lines = append(lines, found...)
		case room == 0:
			return lines, wanted.after(f.Rev), nil
		default:
			return append(lines, found[:room]...), Mark{Rev: f.Rev, Index: found[room-1].Index}, nil
		}
	}
	return lines, Mark{}, nil
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

// headAt is the head of a revision, as far as it is known.
func (r *recent) headAt(epoch string, rev uint64) (state.Head, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.frames) == 0 || r.frames[0].Epoch != epoch {
		return state.Head{}, false
	}
	first := &r.frames[0]
	switch n := rev - first.Rev; {
	case rev+1 == first.Rev:
		return first.Prev, true
	case rev < first.Rev || n >= uint64(len(r.frames)):
		return state.Head{}, false
	default:
		return r.frames[n].Head, true
	}
}

func (r *recent) upTo(epoch string, upper uint64) []state.Frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.frames) == 0 || r.frames[0].Epoch != epoch || upper < r.frames[0].Rev {
		return nil
	}
	n := upper - r.frames[0].Rev + 1
	if n > uint64(len(r.frames)) { // the view is told of a frame before we are
		return nil
	}
	return slices.Clone(r.frames[max(0, int(n)-auditBatch):n])
}
