package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// TrimOrder asks to remove old entries from the store's log.
type TrimOrder struct {
	// Before is the first revision that stays; or At is the instant from which on everything stays.
	Before uint64
	At     time.Time
	// Head is the head of the archive's last entry before that: the proof that somebody holds what goes.
	Head *state.Head
	// WithoutArchive waives the proof.
	WithoutArchive bool
	Reason         string
	// DryRun removes nothing and tells what would be.
	DryRun bool
}

// Trimmed is what a trim came to.
type Trimmed struct {
	At state.Meta
	// Before is the first revision that stays, and Prev the head before it; Entries is how many go.
	Before  uint64
	Prev    state.Head
	Entries uint64
}

// Trim records that old entries are removed from the log, and removes them. It needs people.ScopeAdmin. Where it fails
// after it was recorded, some or all of them are still there, and it is asked for again.
func (s *Service) Trim(ctx context.Context, who people.Principal, order TrimOrder) (Trimmed, error) {
	if err := who.May(people.ScopeAdmin); err != nil {
		return Trimmed{}, err
	}
	if s.cfg.Trimmer == nil {
		return Trimmed{}, state.Invalid("before", "the log of this store cannot be trimmed")
	}
	plan, err := s.planTrim(ctx, &order)
	if err != nil || plan.Entries == 0 {
		return plan, err
	}
	if s.unread != nil {
		if err := s.unread(ctx, plan.At.Epoch, plan.Before); err != nil {
			return plan, err
		}
	}
	if order.DryRun {
		return plan, nil
	}
	switch {
	case order.WithoutArchive:
	case order.Head == nil:
		return plan, state.Invalid("head", "what goes must be in an archive: send the head of its last entry before revision %d, or waive it (without_archive)", plan.Before)
	case *order.Head != plan.Prev:
		return plan, state.Invalid("head", "the archive does not hold what the log has before revision %d: its head there is %.16s…, not %.16s…",
			plan.Before, plan.Prev, order.Head)
	}
	done, err := s.recordTrim(ctx, who, &order, &plan)
	if err != nil {
		return plan, err
	}
	plan.At = done.At
	if err := s.cfg.Trimmer.Trim(ctx, plan.At.Epoch, plan.Before); err != nil {
		return plan, fmt.Errorf("revision %d says that the log was trimmed, and it was not to the end, ask again: %w", plan.At.Rev, err)
	}
	return plan, nil
}

// planTrim finds out what would go.
func (s *Service) planTrim(ctx context.Context, order *TrimOrder) (Trimmed, error) {
	at, err := s.logPlace(ctx)
	if err != nil {
		return Trimmed{}, err
	}
	before := order.Before
	if !order.At.IsZero() {
		if before, err = s.revisionAt(ctx, at, order.At); err != nil {
			return Trimmed{}, err
		}
		before++
	}
	if before = min(before, at.Rev); before == 0 {
		return Trimmed{At: at}, nil
	}
	start, err := state.LogStart(ctx, s.cfg.Store, at)
	if err != nil {
		return Trimmed{}, err //nolint:wrapcheck // the store says what was being done
	}
	if before <= start+1 {
		return Trimmed{At: at, Before: start + 1}, nil
	}
	frames, err := s.cfg.Store.Frames(ctx, at.Epoch, before-1, 1)
	if err != nil {
		return Trimmed{}, err //nolint:wrapcheck // the store says what was being done
	}
	return Trimmed{At: at, Before: before, Prev: frames[0].Prev, Entries: before - start - 1}, nil
}

func (s *Service) recordTrim(ctx context.Context, who people.Principal, order *TrimOrder, plan *Trimmed) (Result, error) {
	archived := fmt.Sprintf("an archive holds them, up to head %s", plan.Prev)
	if order.WithoutArchive {
		archived = "without an archive"
	}
	note := fmt.Sprintf("the %d entries before revision %d go: %s", plan.Entries, plan.Before, archived)
	epoch := plan.At.Epoch
	return s.commit(ctx, nil, func(doc *state.Document, now time.Time) (state.Change, []state.Outcome, error) {
		if doc.Epoch != epoch {
			return state.Change{}, nil, fmt.Errorf("the store changed its history: %w", state.ErrUnavailable)
		}
		return state.Change{Entry: state.Entry{
			Kind: state.KindChange, At: now.UTC().Round(0), Actor: who.Name, Platform: who.Platform,
			Records: []state.Record{{Action: state.ActionAuditTrim, Path: state.AuditPath, Reason: order.Reason, Note: note}},
		}}, nil, nil
	}, nil)
}
