package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// RouteChange is one commit that changed what was said of a key.
type RouteChange struct {
	At       time.Time
	Actor    string
	Platform state.Platform
	Epoch    string
	Rev      uint64
	// Records are those of the key; of a commit that changed it by the way, all of them.
	Records []state.Record
	// Changes are the key's own field and those of its windows.
	Changes []state.Told
}

// History lists the commits that changed what was said of a key, newest first, and gives the before that asks for what
// follows; zero at the end. The errors are those of Route.
func (s *Service) History(ctx context.Context, spelled state.Spelling, limit int, before uint64) ([]RouteChange, uint64, error) {
	view, err := s.View()
	if err != nil {
		return nil, 0, err
	}
	key, _, err := view.Document().Resolve(spelled)
	if err != nil {
		return nil, 0, err //nolint:wrapcheck // it says what is ambiguous
	}
	limit = min(max(limit, 0), MaxAudit)
	upper := view.Place().Rev
	if before > 0 {
		upper = min(upper, before-1)
	}
	var all []RouteChange
	next, err := s.backwards(ctx, view.Place().Epoch, upper, func(f *state.Frame) (bool, error) {
		if len(all) == limit {
			return true, nil
		}
		c, err := changeOf(f, key)
		if err == nil && c != nil {
			all = append(all, *c)
		}
		return false, err
	})
	return all, next, err
}

// backwards gives the frames up to a revision to each, newest first, until it says that it has enough, the log ends, or
// the time of one call is over. Next is where to go on; zero at the end.
func (s *Service) backwards(ctx context.Context, epoch string, upper uint64, each func(*state.Frame) (bool, error)) (next uint64, err error) {
	deadline := time.Now().Add(searchFor)
	for upper > 0 && time.Now().Before(deadline) {
		frames, err := s.framesUpTo(ctx, epoch, upper)
		if err != nil || len(frames) == 0 {
			return 0, err
		}
		for i := range slices.Backward(frames) {
			enough, err := each(&frames[i])
			if err != nil {
				return 0, err
			}
			if enough {
				return frames[i].Rev + 1, nil
			}
		}
		upper = frames[0].Rev - 1
	}
	if upper == 0 {
		return 0, nil
	}
	return upper + 1, nil
}

// changeOf is what a frame did to a key, nil for nothing.
func changeOf(f *state.Frame, key state.Key) (*RouteChange, error) {
	e, err := f.Entry()
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the frame
	}
	if e.Kind != state.KindChange && e.Kind != state.KindRegister {
		return nil, nil //nolint:nilnil // nothing, which is no error
	}
	own := state.Target{Key: key}
	c := &RouteChange{At: e.At, Actor: e.Actor, Platform: e.Platform, Epoch: f.Epoch, Rev: f.Rev}
	c.Changes = slices.DeleteFunc(e.Told(), func(t state.Told) bool { return t.Target != own })
	if len(c.Changes) == 0 {
		return nil, nil //nolint:nilnil // nothing, which is no error
	}
	for _, r := range e.Records {
		var t state.Target
		if t.UnmarshalText([]byte(r.Path)) == nil && t == own {
			c.Records = append(c.Records, r)
		}
	}
	if len(c.Records) == 0 {
		c.Records = e.Records
	}
	return c, nil
}

// RestoreOrder asks to have a key as it was.
type RestoreOrder struct {
	Spelled state.Spelling
	// To is a revision of the present epoch.
	To     uint64
	Reason string
	DryRun bool
}

// Restore gives a key what was said of it at a revision, as a new commit, and tells what that changes. It needs
// people.ScopeChange. The errors are those of Do, and *state.InvalidError where nobody can tell any more.
func (s *Service) Restore(ctx context.Context, who people.Principal, retry Retry, order RestoreOrder) (Result, []state.Told, error) {
	if err := who.May(people.ScopeChange); err != nil {
		return Result{}, nil, err
	}
	once, err := newOnce(who, retry)
	if err != nil {
		return Result{}, nil, err
	}
	view, err := s.head(ctx)
	if err != nil {
		return Result{}, nil, err
	}
	cmd, err := s.restoring(ctx, view, &order)
	if err != nil {
		return Result{}, nil, err
	}
	if err := s.checkReasons([]state.Command{cmd}); err != nil {
		return Result{}, nil, err
	}
	var told []state.Told
	planned := func(doc *state.Document, now time.Time) (state.Change, []state.Outcome, error) {
		c, out, err := state.Execute(doc, s.author(ctx, who, now), cmd)
		told = c.Told()
		return c, out, err //nolint:wrapcheck // the errors of Execute are the use case's
	}
	if !order.DryRun {
		r, err := s.commit(ctx, once, planned, []state.Command{cmd})
		return r, told, err
	}
	change, out, err := planned(view.Document(), view.Now)
	if err != nil {
		return Result{}, nil, err
	}
	return Result{View: view, At: view.Place(), Changed: len(change.Patch) > 0, Outcomes: out}, told, nil
}

// restoring is the command that brings back what was said of a key.
func (s *Service) restoring(ctx context.Context, view View, order *RestoreOrder) (state.Command, error) {
	key, shown, err := view.Document().Resolve(order.Spelled)
	if err != nil {
		return state.Command{}, err //nolint:wrapcheck // it says what is ambiguous
	}
	past, err := s.past(ctx, view, key, order.To)
	if err != nil {
		return state.Command{}, err
	}
	for i := range past.Windows {
		w := &past.Windows[i]
		if w.Recurs == nil || w.Finished {
			continue
		}
		more, err := expandOn(w, view.Now.Add(expandAhead))
		if err != nil {
			return state.Command{}, err
		}
		w.Extend(more, view.Now)
	}
	return state.Command{
		Verb: state.VerbRestore, Target: state.Target{Key: key}, Shown: shown, AnyMethod: true, Reason: order.Reason, Past: &past,
	}, nil
}

// past finds in the log what was said of a key at a revision.
func (s *Service) past(ctx context.Context, view View, key state.Key, to uint64) (state.Past, error) {
	r, err := state.NewRewind(view.Document(), key, to)
	if err != nil {
		return state.Past{}, err //nolint:wrapcheck // it says what is wrong with the revision
	}
	_, err = s.backwards(ctx, view.Place().Epoch, view.Place().Rev, func(f *state.Frame) (bool, error) {
		if r.Done() {
			return true, nil
		}
		return false, r.Back(f)
	})
	if err != nil {
		return state.Past{}, err
	}
	p, err := r.Past()
	if errors.Is(err, state.ErrGap) {
		return p, state.Invalid("revision", "what %s was at revision %d cannot be told: this log does not reach back that far, or not within the time of a call", key, to)
	}
	if err != nil {
		return p, fmt.Errorf("restore: %w", err)
	}
	return p, nil
}
