package admin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// endingLead is how long before its end a window is announced to end.
const endingLead = 10 * time.Minute

// The pace of the announcer.
const (
	// It looks at least this often: what it waits for may move without the document, with the clocks.
	lookEvery = time.Second
	// After a failure it waits so long, give or take half: the store is away, or another admin was faster.
	lookAgain = 300 * time.Millisecond
	// An announcement that comes so much later than it was due is late: no admin was there.
	lateAfter = 5 * time.Second
)

// Announcements counts what this admin announced.
type Announcements struct {
	made, late atomic.Uint64
}

// Made is how many things that windows did by themselves this admin put into the log, and Late how many of them were
// put there more than five seconds after they were due.
func (a *Announcements) Made() uint64 { return a.made.Load() }

// Late is the part of Made that was late.
func (a *Announcements) Late() uint64 { return a.late.Load() }

// Announcements counts what this admin announced since its start.
func (s *Service) Announcements() *Announcements { return &s.announcements }

// leads are how long ahead windows are announced.
func (s *Service) leads() state.Leads {
	return state.Leads{Upcoming: s.cfg.UpcomingLead, Ending: endingLead}
}

// Tend puts into the log what windows do by themselves, and keeps the occurrences of those that recur known far ahead,
// until ctx ends. Every admin runs it: a commit names the document that it was made on, so exactly one of several makes
// each announcement, and none is needed for what a window does.
func (s *Service) Tend(ctx context.Context) {
	said := ""
	for ctx.Err() == nil {
		wait, err := s.tend(ctx)
		switch {
		case err == nil:
			said = ""
		case ctx.Err() != nil:
			return
		default:
			wait = lookAgain/2 + rand.N(lookAgain)
			if now := err.Error(); said != now && !errors.Is(err, state.ErrConflict) {
				said = now
				s.cfg.Log.Warn("what windows do cannot be put into the log at the moment; no verdict depends on it", zap.Error(err))
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-s.moved:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

// tend does what is due, and tells how long until there may be more.
func (s *Service) tend(ctx context.Context) (time.Duration, error) {
	view, err := s.View()
	if err != nil {
		return lookEvery, nil //nolint:nilerr // nothing is known yet: nothing is due
	}
	if s.due(view) || s.short(view) {
		if view, err = s.upToDate(ctx); err != nil {
			return 0, err
		}
		if view, err = s.extend(ctx, view); err != nil {
			return 0, err
		}
	}
	next := s.lookAt(view.Document()).next
	if next.IsZero() {
		return lookEvery, nil
	}
	return min(max(next.Sub(s.Now()), time.Millisecond), lookEvery), nil
}

// outlook is what there is to tend of one document.
type outlook struct {
	doc *state.Document
	// next is when something is next to be announced, and horizon up to when all occurrences are known.
	next, horizon time.Time
}

// lookAt looks at a document, once.
func (s *Service) lookAt(doc *state.Document) *outlook {
	if o := s.outlook.Load(); o != nil && o.doc == doc {
		return o
	}
	o := &outlook{doc: doc, next: doc.NextMoment(s.leads()), horizon: doc.Horizon()}
	s.outlook.Store(o)
	return o
}

// due reports whether something is to be announced, or nobody announces yet.
func (s *Service) due(view View) bool {
	doc := view.Document()
	if doc.Announced().IsZero() {
		return doc.WindowCount() > 0
	}
	next := s.lookAt(doc).next
	return !next.IsZero() && !next.After(view.Now)
}

// catchUp announces what is due at the view, which must be at the head of the store, and reports whether there was
// anything. What a command does to a window comes after what the window did by itself.
func (s *Service) catchUp(ctx context.Context, view View) (bool, error) {
	if !s.due(view) {
		return false, nil
	}
	change, err := state.Announce(view.Document(), s.leads(), view.Now)
	if err != nil {
		return false, fmt.Errorf("announce what windows did: %w", err)
	}
	if len(change.Patch) == 0 {
		return false, nil
	}
	receipt, err := s.deliver(ctx, view.Place(), change)
	if err != nil {
		return false, fmt.Errorf("announce what windows did: %w", err)
	}
	for _, r := range change.Records {
		s.announcements.made.Add(1)
		if view.Now.Sub(r.Due) > lateAfter {
			s.announcements.late.Add(1)
		}
	}
	s.tell(&receipt.Frame, &change)
	s.settled(ctx, view, receipt.Frame)
	return true, nil
}
