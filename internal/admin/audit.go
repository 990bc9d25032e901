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
	// Limit is how many lines at most; more than MaxAudit counts as that.
	Limit int
	// Before asks for what was done before that revision; zero begins at the newest.
	Before uint64
	// Route asks for the lines of one key, spelled in any way, or of a switch or an endpoint by its sentinel path; empty
	// for all. A key without a method stands for its METHOD:path keys too.
	Route string
	// Service asks for the lines of one service's keys and switch; empty for all.
	Service string
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
	wanted, err := q.filter()
	if err != nil {
		return nil, 0, err
	}
	view, err := s.View()
	if err != nil {
		return nil, 0, err
	}
	limit := min(max(q.Limit, 0), MaxAudit)
	upper := view.Place().Rev
	if q.Before > 0 {
		upper = min(upper, q.Before-1)
	}
	deadline := time.Now().Add(searchFor)
	for searched := 0; upper > 0 && len(lines) < limit; {
		if searched >= maxSearched || time.Now().After(deadline) {
			return lines, upper + 1, nil
		}
		frames, err := s.framesUpTo(ctx, view.Place().Epoch, upper)
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
		searched += len(frames)
		upper = frames[0].Rev - 1
	}
	if upper == 0 {
		return lines, 0, nil
	}
	return lines, upper + 1, nil
}

// collect gives the lines of frames, newest first, and the Before that asks for those left over; zero when all fit. The
// lines of one commit are not parted, but for a first one that alone is longer than the limit.
func collect(frames []state.Frame, wanted func(state.Record) bool, limit int, first bool) (lines []AuditLine, rest uint64, err error) {
	for i := range slices.Backward(frames) {
		found, err := linesOf(&frames[i], wanted)
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

// filter reads what the query asks for.
func (q AuditQuery) filter() (func(state.Record) bool, error) {
	target, anyOf, err := q.target()
	if err != nil {
		return nil, err
	}
	return func(r state.Record) bool {
		if q.Route == r.Path && state.IsWebhookPath(r.Path) {
			return q.Service == ""
		}
		var t state.Target
		if err := t.UnmarshalText([]byte(r.Path)); err != nil {
			return q.Route == "" && q.Service == ""
		}
		if q.Service != "" && t.Key.Service != q.Service && t.Service != q.Service {
			return false
		}
		if q.Route == "" || t == target {
			return true
		}
		t.Key.Method = ""
		return anyOf && t == target
	}, nil
}

// target reads what Route names, and whether it stands for every METHOD:path key of its path.
func (q AuditQuery) target() (t state.Target, anyOf bool, err error) {
	if q.Route == "" || state.IsWebhookPath(q.Route) {
		return t, false, nil
	}
	if err := t.UnmarshalText([]byte(q.Route)); err != nil || t.Key.Path == "" {
		return t, false, err //nolint:wrapcheck // it says what is wrong with the key
	}
	spelled, err := state.ParseSpelling(q.Route)
	return t, spelled.Key.Method == "" && !spelled.AnyMethod, err //nolint:wrapcheck // it says what is wrong with the key
}

func linesOf(f *state.Frame, wanted func(state.Record) bool) ([]AuditLine, error) {
	e, err := f.Entry()
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the frame
	}
	if e.Kind != state.KindChange && e.Kind != state.KindAnnounce && e.Kind != state.KindPrivate {
		return nil, nil
	}
	var lines []AuditLine
	for i, r := range slices.Backward(e.Records) {
		if wanted(r) {
			lines = append(lines, AuditLine{
				Record: r, At: e.At, Actor: e.Actor, Platform: e.Platform, Epoch: f.Epoch, Rev: f.Rev, Index: i,
			})
		}
	}
	return lines, nil
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
