package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// Instances lists the fleet by id.
func (s *Service) Instances(ctx context.Context) ([]state.Report, error) {
	reports, err := s.cfg.Fleet.Reports(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // the store says what was being done
	}
	slices.SortFunc(reports, func(a, b state.Report) int { return cmp.Compare(a.ID, b.ID) })
	s.fleet.keep(reports)
	return reports, nil
}

// Bounds of an instance's report.
const (
	maxInstanceID = 256
	maxWord       = 256  // bytes of its other names
	maxAlarm      = 1024 // bytes
	maxCounters   = 5000 // of each kind
	maxCounterKey = 2200 // bytes
)

// Report takes what an instance says of itself. What is too long is cut, and counters that are too many are left out:
// that the instance is there, and what it enforces, matters more.
func (s *Service) Report(ctx context.Context, who people.Principal, r state.Report) error {
	if err := who.May(people.ScopeReport); err != nil {
		return err
	}
	if r.ID == "" || len(r.ID) > maxInstanceID {
		return state.Invalid("id", "an instance's id has between 1 and %d bytes", maxInstanceID)
	}
	if r.Service != "" {
		if err := state.CheckService(r.Service); err != nil {
			return err //nolint:wrapcheck // it says what is wrong with the name
		}
	}
	for _, word := range []*string{&r.Boot, &r.Version, &r.Env, &r.Epoch, &r.Head, &r.Link} {
		*word = cut(*word, maxWord)
	}
	r.Alarm = cut(r.Alarm, maxAlarm)
	r.Hits, r.Unseen = bounded(r.Hits), bounded(r.Unseen)
	if err := s.cfg.Fleet.Report(ctx, r); err != nil {
		return fmt.Errorf("keep the report: %w", err)
	}
	return nil
}

func cut(text string, n int) string {
	if len(text) > n {
		text = text[:n]
	}
	return strings.ToValidUTF8(text, "")
}

func bounded(counters map[string]uint64) map[string]uint64 {
	if len(counters) > maxCounters {
		return nil
	}
	maps.DeleteFunc(counters, func(key string, _ uint64) bool { return len(key) > maxCounterKey })
	return counters
}

// Forget drops an instance: nobody waits for it any more. It is state.ErrNotFound when nobody reported under that id.
func (s *Service) Forget(ctx context.Context, who people.Principal, id string) error {
	if err := who.May(people.ScopeChange); err != nil {
		return err
	}
	switch err := s.cfg.Fleet.Forget(ctx, id); {
	case errors.Is(err, state.ErrNotFound):
		return fmt.Errorf("instance %.64q: %w", id, state.ErrNotFound)
	case err != nil:
		return fmt.Errorf("forget instance %.64q: %w", id, err)
	}
	s.fleet.keep(nil)
	return nil
}

// freshFor is how long a look at the fleet serves to tell what live traffic knows.
const freshFor = time.Second

// fleetView is the last look at the fleet.
type fleetView struct {
	mu   sync.Mutex
	at   time.Time
	last *seen
}

func (f *fleetView) keep(reports []state.Report) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at, f.last = time.Now(), nil
	if reports != nil {
		f.last = &seen{reports: reports}
	}
}

// seen is what live traffic knows; a fleet that cannot be read knows nothing.
func (f *fleetView) seen(ctx context.Context, s *Service) *seen {
	f.mu.Lock()
	last := f.last
	fresh := time.Since(f.at) < freshFor
	f.mu.Unlock()
	if last != nil && fresh {
		return last
	}
	soon, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	reports, err := s.Instances(soon)
	if err != nil {
		s.cfg.Log.Debug("what live traffic knows cannot be told", zap.Error(err))
	}
	return &seen{reports: reports}
}

// seen answers what live traffic knows.
type seen struct {
	reports []state.Report
	once    sync.Once
	keys    []state.Key
}

// key reports whether traffic for the key was seen, or for one inside it.
func (s *seen) key(k state.Key) bool {
	s.once.Do(s.read)
	return slices.ContainsFunc(s.keys, func(hit state.Key) bool { return hit == k || k.Contains(hit) })
}

func (s *seen) read() {
	for _, r := range s.reports {
		for _, counters := range []map[string]uint64{r.Hits, r.Unseen} {
			for text := range counters {
				if k, _, err := state.ParseKey(text); err == nil {
					s.keys = append(s.keys, k)
				}
			}
		}
	}
}

// service reports whether an instance names the service.
func (s *seen) service(name string) bool {
	return slices.ContainsFunc(s.reports, func(r state.Report) bool { return r.Service == name })
}
