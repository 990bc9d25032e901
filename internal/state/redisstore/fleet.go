package redisstore

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// Report stores what an instance says of itself under a key of its own, for 24 h. The server stamps it with its own
// clock: when a report expires tells when it came.
func (r *Reader) Report(ctx context.Context, report state.Report) error {
	if report.ID == "" {
		return state.Invalid("id", "a report names its instance")
	}
	report.Seen, report.Age = time.Time{}, 0
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	_, err = ask(ctx, r, quickTimeout, "report", func(ctx context.Context, node *redis.Client) (string, error) {
		return node.Set(ctx, r.keys.fleet(report.ID), text, state.GoneAfter).Result()
	})
	return err
}

// Reports implements state.Fleet; the reports are sorted by id.
//
// Instances may write no key but their own, so there is no list of them: admins look for the keys with SCAN. The first
// call looks through the whole keyspace; each later one goes on by at most some 16,000 keys from where the one before
// stopped, which is the whole keyspace again where Redis is Waygate's own, and bounded work where it is not. What was
// found once is read directly from then on.
func (s *Store) Reports(ctx context.Context) ([]state.Report, error) {
	return ask(ctx, s.Reader, quickTimeout, "read the reports", func(ctx context.Context, node *redis.Client) ([]state.Report, error) {
		if err := s.walk.on(ctx, node, s.keys); err != nil {
			return nil, err
		}
		return s.readReports(ctx, node, s.walk.names(time.Now()))
	})
}

// readReports reads the reports of instances that may be there, and the server's clock.
func (s *Store) readReports(ctx context.Context, node *redis.Client, ids []string) ([]state.Report, error) {
	var clock *redis.TimeCmd
	values := make([]*redis.StringCmd, len(ids))
	expire := make([]*redis.DurationCmd, len(ids))
	_, err := node.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		clock = pipe.Time(ctx)
		for i, id := range ids {
			expire[i] = pipe.PExpireTime(ctx, s.keys.fleet(id))
			values[i] = pipe.Get(ctx, s.keys.fleet(id))
		}
		return nil
	})
	if err != nil && err != redis.Nil { //nolint:errorlint // go-redis gives this very value
		return nil, err
	}
	out := make([]state.Report, 0, len(ids))
	for i, id := range ids {
		text, err := values[i].Result()
		if err != nil {
			continue // it expired, or was forgotten
		}
		var r state.Report
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, fmt.Errorf("report of %q: %w: %w", id, state.ErrDamaged, err)
		}
		r.ID = id
		r.Seen = time.UnixMilli(expire[i].Val().Milliseconds()).Add(-state.GoneAfter)
		r.Age = max(0, clock.Val().Sub(r.Seen))
		out = append(out, r)
		s.walk.found(id, time.Now())
	}
	slices.SortFunc(out, func(a, b state.Report) int { return cmp.Compare(a.ID, b.ID) })
	return out, nil
}

// Forget implements state.Fleet.
func (s *Store) Forget(ctx context.Context, id string) error {
	_, err := ask(ctx, s.Reader, quickTimeout, "forget an instance", func(ctx context.Context, node *redis.Client) (int64, error) {
		n, err := node.Unlink(ctx, s.keys.fleet(id)).Result()
		if err == nil && n == 0 {
			err = fmt.Errorf("instance %q: %w", id, state.ErrNotFound)
		}
		return n, err
	})
	return err
}

const (
	// How many keys the server looks at for one SCAN, and how many of those one call makes.
	walkPortion = 1000
	walkSteps   = 16
)

// walk is a way through the keyspace that goes on with every call, and what was found on it.
type walk struct {
	mu     sync.Mutex
	cursor uint64
	// whole is set once the first way through came to its end.
	whole bool
	// seen are the ids found, with when they last were there.
	seen map[string]time.Time
}

// on takes the next steps.
func (w *walk) on(ctx context.Context, node *redis.Client, names keys) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for step := 0; step < walkSteps || !w.whole; step++ {
		found, next, err := node.ScanType(ctx, w.cursor, names.fleetPattern(), walkPortion, "string").Result()
		if err != nil {
			return err
		}
		for _, key := range found {
			w.note(strings.TrimPrefix(key, names.fleetPrefix()), time.Now())
		}
		w.cursor = next
		if next == 0 {
			w.whole = true
			return nil
		}
	}
	return nil
}

// found notes that an instance is there.
func (w *walk) found(id string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.note(id, now)
}

func (w *walk) note(id string, now time.Time) {
	if w.seen == nil {
		w.seen = map[string]time.Time{}
	}
	w.seen[id] = now
}

// names are the ids found within the last day. One whose report is gone is asked for all the same: after a wipe every
// instance reports again within a second, and a repair must hear of all of them.
func (w *walk) names(now time.Time) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]string, 0, len(w.seen))
	for id, at := range w.seen {
		if now.Sub(at) > state.GoneAfter {
			delete(w.seen, id)
			continue
		}
		out = append(out, id)
	}
	return out
}
