package admin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/crash"
	"github.com/waygate/waygate/internal/state"
)

// Result is what a change came to.
type Result struct {
	// View is this admin's view with the change in it.
	View
	// Changed is false when everything was already so.
	Changed bool
	// Duplicate is true when the idempotency key was used before and nothing was done now.
	Duplicate bool
	// At is where the change stands in the log: revision and epoch.
	At state.Meta
	// Outcomes are those of the commands, in their order.
	Outcomes []state.Outcome
}

// Retries of a commit that met another one.
const (
	commitTries = 40
	settleFor   = 1500 * time.Millisecond // a head that nobody told of is asked for once a second
	settleLate  = 300 * time.Millisecond  // for a call that has used up its time: who made it gives up soon
	// How soon an answer that was lost is asked for again: soon at first, and not often where it stays away, as it does
	// until the next start when a file could not be synced.
	askAgain, askSlowly = 50 * time.Millisecond, time.Second
	// A change that a store has less time for than this is not sent: who made it would not hear what came of it.
	commitWithin = 300 * time.Millisecond
)

// Do executes the commands as one commit: all or nothing.
//
// The errors are those of state.Execute and of Store.Commit, people.ErrForbidden, and ErrKeyReused.
func (s *Service) Do(ctx context.Context, who people.Principal, retry Retry, commands ...state.Command) (Result, error) {
	if err := who.May(people.ScopeChange); err != nil {
		return Result{}, err
	}
	if err := s.checkReasons(commands); err != nil {
		return Result{}, err
	}
	once, err := newOnce(who, retry)
	if err != nil {
		return Result{}, err
	}
	return s.commit(ctx, once, func(doc *state.Document, now time.Time) (state.Change, []state.Outcome, error) {
		bounded, err := s.cfg.Overrides.bound(doc, now, commands)
		if err != nil {
			return state.Change{}, nil, err
		}
		expanded, err := s.expand(bounded, now)
		if err != nil {
			return state.Change{}, nil, err
		}
		return state.Execute(doc, s.author(ctx, who, now), expanded...)
	}, commands)
}

// plan makes a change of the document as it is at an instant of the store's clock.
type plan func(doc *state.Document, now time.Time) (state.Change, []state.Outcome, error)

// commit makes the planned change, again and again while others are faster.
func (s *Service) commit(ctx context.Context, once *once, plan plan, commands []state.Command) (Result, error) {
	if once != nil {
		// What was done before is kept in the store: one that is being repaired is waited for.
		if _, err := s.head(ctx); err != nil {
			return Result{}, err
		}
	}
	if done, err := s.doneBefore(ctx, once); err != nil || done != nil {
		if err != nil {
			return Result{}, err
		}
		return s.again(ctx, *done, commands)
	}
	for try := range commitTries {
		view, err := s.upToDate(ctx)
		if err != nil {
			return Result{}, err
		}
		change, outcomes, err := plan(view.Document(), view.Now)
		if err != nil {
			return Result{}, err
		}
		if len(change.Patch) == 0 && len(change.Records) == 0 {
			// Not remembered under its key either: nothing was done that a retry could do twice.
			return Result{View: view, At: view.Place(), Outcomes: outcomes}, nil
		}
		once.mark(&change, view, outcomes)
		receipt, err := s.deliver(ctx, view.Place(), change)
		switch {
		case errors.Is(err, state.ErrConflict):
			s.cfg.Log.Debug("another change came first; trying again", zap.Int("try", try+1))
			if err := pause(ctx, time.Duration(rand.IntN(try+1))*time.Millisecond); err != nil {
				return Result{}, err
			}
			continue
		case err != nil:
			return Result{}, err //nolint:wrapcheck // the store says what was being done
		case receipt.Duplicate:
			return s.raced(ctx, once, receipt, commands)
		}
		crash.Point("committed")
		s.tell(&receipt.Frame, &change)
		at := state.Meta{Epoch: receipt.Frame.Epoch, Rev: receipt.Frame.Rev, Head: receipt.Frame.Head, Gen: view.Place().Gen}
		return Result{View: s.settled(ctx, view, receipt.Frame), Changed: true, At: at, Outcomes: outcomes}, nil
	}
	return Result{}, fmt.Errorf("%d other changes came first: %w", commitTries, state.ErrConflict)
}

// upToDate is the view at the store's head, after everything is in the log that windows did by themselves until then:
// what a command ends was there, and what it finds had begun.
func (s *Service) upToDate(ctx context.Context) (View, error) {
	for {
		view, err := s.head(ctx)
		if err != nil {
			return View{}, err
		}
		told, err := s.catchUp(ctx, view)
		switch {
		case errors.Is(err, state.ErrConflict):
			if err := pause(ctx, rand.N(2*time.Millisecond)); err != nil {
				return View{}, err
			}
		case err != nil:
			return View{}, err
		case !told:
			return view, nil
		}
	}
}

// deliver commits, if there is time for it: a call may have waited for a store that was being repaired. Where the answer
// is lost, it asks again: the change carries an id, so that it is made once only, and the receipt of a change that was made
// without our hearing of it is no duplicate to us.
func (s *Service) deliver(ctx context.Context, base state.Meta, change state.Change) (state.Receipt, error) {
	if change.ID == "" {
		change.ID = "call:" + newID()
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) < commitWithin {
		return state.Receipt{}, fmt.Errorf("the store was not ready in time, and nothing was changed: %w", state.ErrUnavailable)
	}
	receipt, err := s.cfg.Store.Commit(ctx, base, change)
	if !errors.Is(err, state.ErrUnknownOutcome) {
		return receipt, err //nolint:wrapcheck // the caller wraps
	}
	s.cfg.Log.Warn("the answer to a change was lost; asking again", zap.Error(err))
	for wait := askAgain; ; wait = min(2*wait, askSlowly) {
		if pause(ctx, wait) != nil {
			return state.Receipt{}, err //nolint:wrapcheck // the caller wraps
		}
		retried, failed := s.cfg.Store.Commit(ctx, base, change)
		if failed == nil || errors.Is(failed, state.ErrConflict) {
			retried.Duplicate = false
			return retried, failed //nolint:wrapcheck // the caller wraps
		}
	}
}

// Stands is where the store stands, as head has it, for those who commit what no document shows.
func (s *Service) Stands(ctx context.Context) (state.Pulse, error) {
	view, err := s.head(ctx)
	if err != nil {
		return state.Pulse{}, err
	}
	return state.Pulse{Meta: view.Place(), Now: view.Now}, nil
}

// head is the view at the store's head: it waits until our own is there. A store that is of another history than ours
// (wiped, gone back, about to be repaired) is waited for, and never written to: what is written there is lost when it is
// given ours back. What is said now is dated by our corrected clock and not by the pulse, so that whoever reads from this
// admin next does not find that it begins in a moment.
func (s *Service) head(ctx context.Context) (View, error) {
	for {
		own := s.cfg.Cache.Load() // before the store is asked: what it has lost since is not just late
		p, err := s.pulse(ctx)
		switch {
		case errors.Is(err, state.ErrEmpty):
			err = fmt.Errorf("the store lost everything and is being repaired: %w", state.ErrUnavailable)
		case err != nil:
			return View{}, err
		case wentBack(own, p.Meta):
			err = fmt.Errorf("the store went back to revision %d and is being repaired: %w", p.Rev, state.ErrUnavailable)
		default:
			snap, failed := s.reach(ctx, p)
			if failed == nil {
				return s.viewOf(snap), nil
			}
			err = failed
		}
		if waited := pause(ctx, 20*time.Millisecond); waited != nil {
			return View{}, err
		}
	}
}

// wentBack reports whether a store lacks what was our own view before it was asked.
func wentBack(own *state.Snapshot, p state.Meta) bool {
	if own == nil {
		return false
	}
	is := own.Document().Meta
	return p.Epoch == is.Epoch && (p.Rev < is.Rev || p.Rev == is.Rev && p.Head != is.Head)
}

// reach gives a snapshot at the pulse or later. Where our own lags behind in the same history, the document is loaded
// from the store itself.
func (s *Service) reach(ctx context.Context, p state.Pulse) (*state.Snapshot, error) {
	soon, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	if err := s.cfg.Follower.Wait(soon, p.Epoch, p.Rev); err == nil {
		return s.cfg.Cache.Load(), nil
	}
	own := s.cfg.Cache.Load()
	if own != nil && own.Document().Epoch != p.Epoch {
		return nil, fmt.Errorf("the store has another history than this admin knows, and is being repaired: %w", state.ErrUnavailable)
	}
	if own != nil {
		if err := s.leadsOn(ctx, own.Document().Meta); err != nil {
			return nil, err
		}
	}
	doc, err := s.cfg.Store.Load(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the store says what was being done
	}
	if own != nil && doc.Epoch != own.Document().Epoch {
		return nil, fmt.Errorf("the store changed its history: %w", state.ErrUnavailable)
	}
	return state.Compile(doc)
}

// leadsOn is nil unless the store's log tells that it did not come from where we are. A log that does not reach back tells
// nothing.
func (s *Service) leadsOn(ctx context.Context, from state.Meta) error {
	frames, err := s.cfg.Store.Frames(ctx, from.Epoch, from.Rev, 1)
	switch {
	case errors.Is(err, state.ErrGap):
		return nil
	case err != nil:
		return err //nolint:wrapcheck // the store says what was being done
	case len(frames) > 0 && frames[0].Prev != from.Head:
		return fmt.Errorf("the store went on from another revision %d than ours, and is being repaired: %w", from.Rev, state.ErrUnavailable)
	default:
		return nil
	}
}

// settled is our own view with the frame in it; where our own view lags, the frame is applied to what it was made on.
// The change is made: a call that has used up its time is waited for a little all the same, so that whoever reads next
// from this admin finds what was answered.
func (s *Service) settled(ctx context.Context, base View, f state.Frame) View {
	wait := settleFor
	if end, ok := ctx.Deadline(); ok {
		wait = min(wait, max(time.Until(end), settleLate))
	}
	soon, cancel := context.WithTimeout(context.WithoutCancel(ctx), wait)
	defer cancel()
	if err := s.cfg.Follower.Wait(soon, f.Epoch, f.Rev); err == nil {
		return s.viewOf(s.cfg.Cache.Load())
	}
	snap, err := base.Apply(f)
	if err != nil {
		snap = base.Snapshot
	}
	return s.viewOf(snap)
}

// tell logs what was changed.
func (s *Service) tell(f *state.Frame, c *state.Change) {
	done := make([]string, 0, len(c.Records))
	for _, r := range c.Records[:min(len(c.Records), 20)] {
		done = append(done, string(r.Action)+" "+r.Path)
	}
	s.cfg.Log.Info("changed", zap.Uint64("revision", f.Rev), zap.String("actor", c.Actor),
		zap.String("platform", string(c.Platform)), zap.Strings("done", done), zap.Int("records", len(c.Records)))
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the store: %w", ctx.Err())
	}
}

// author is who gives commands, with the policy in force and what live traffic shows.
func (s *Service) author(ctx context.Context, who people.Principal, now time.Time) state.Author {
	seen := s.fleet.seen(ctx, s)
	return state.Author{
		Actor: who.Name, Platform: who.Platform, At: now, Strict: s.cfg.Strict,
		Seen: seen.key, SeenService: seen.service, NewID: newID,
	}
}

func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.NewString()
	}
	return id.String()
}

// checkReasons refuses commands without a reason where policy demands one: those that shut, and the enable of a route.
func (s *Service) checkReasons(commands []state.Command) error {
	if !s.cfg.RequireReason {
		return nil
	}
	for _, c := range commands {
		onSwitch := c.Target.Global || c.Target.Service != ""
		shuts := c.Verb == state.VerbMaintenance || c.Verb == state.VerbSchedule || c.Verb == state.VerbEnable ||
			c.Verb == state.VerbAddWindow || c.Verb == state.VerbRestore || c.Verb == state.VerbDisable && !onSwitch
		if shuts && strings.TrimSpace(c.Reason) == "" {
			return state.Invalid("reason", "a reason is required here (WAYGATE_REQUIRE_REASON): say why")
		}
	}
	return nil
}
