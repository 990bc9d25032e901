package admin_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/state"
)

// daily is a window that recurs every day at a wall time in a zone where the clocks change.
type daily struct {
	path, at string
	zone     *time.Location
	lasts    time.Duration
	spans    []state.Occurrence
}

// firstAt is the first instant at which the clock in a zone shows a wall time or a later one, found by looking at it.
func firstAt(t *testing.T, zone *time.Location, wall string) time.Time {
	t.Helper()
	const form = "2006-01-02T15:04"
	at, err := time.Parse(form, wall)
	require.NoError(t, err)
	for at = at.Add(-15 * time.Hour); at.In(zone).Format(form) < wall; {
		at = at.Add(time.Minute)
	}
	return at
}

func dailies(t *testing.T, began time.Time, days int) (all []*daily) {
	t.Helper()
	for i, name := range []string{
		"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Tehran", "America/St_Johns", "UTC",
	} {
		zone, err := time.LoadLocation(name)
		require.NoError(t, err)
		for j, at := range []string{"00:00", "02:15", "23:30"} {
			d := &daily{path: fmt.Sprintf("/%d/%d", i, j), at: at, zone: zone, lasts: time.Duration(30+60*j) * time.Minute}
			for day := range days {
				start := firstAt(t, zone, began.In(zone).AddDate(0, 0, day-1).Format(time.DateOnly)+"T"+at)
				if end := start.Add(d.lasts); end.After(began) {
					d.spans = append(d.spans, state.Occurrence{Start: start, End: end})
				}
			}
			all = append(all, d)
		}
	}
	return all
}

// blocks reports whether the window must block at an instant.
func (d *daily) blocks(at time.Time) bool {
	return slices.ContainsFunc(d.spans, func(o state.Occurrence) bool { return !at.Before(o.Start) && at.Before(o.End) })
}

func (d *daily) command(t *testing.T, now time.Time) state.Command {
	t.Helper()
	first := now.In(d.zone).AddDate(0, 0, -1).Format(time.DateOnly) + "T" + d.at + ":00"
	return state.Command{Verb: state.VerbAddWindow, Target: key(t, d.path), Window: &state.Window{
		Zone: d.zone.String(), Recurs: &state.Recurrence{Rule: "RRULE:FREQ=DAILY", First: first, For: d.lasts.String()},
	}}
}

// A year of windows that recur in zones whose clocks change, with two admins that are there for a moment each day, and
// not at all for ten days: every window is right at every instant that is looked at, is known far enough ahead, and is
// announced once.
func TestAYearOfWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const days = 400
		time.Sleep(time.Until(time.Date(2027, time.January, 5, 0, 0, 0, 0, time.UTC)))
		store := newStore(t)
		began := time.Now()
		windows := dailies(t, began, days+40)
		first := newNode(t, store, admin.Config{})
		for _, d := range windows {
			first.do(t, d.command(t, began))
		}
		first.stop()
		random := rand.New(rand.NewPCG(3, 1))
		for day := range days {
			time.Sleep(time.Duration(23*3600+random.IntN(7200)) * time.Second)
			lookAtWindows(t, random, store, windows)
			if day > 200 && day < 211 {
				continue
			}
			nodes := []*node{newNode(t, store, admin.Config{}), newNode(t, store, admin.Config{})}
			time.Sleep(time.Duration(1+random.IntN(3)) * time.Second)
			nodes[0].stop()
			nodes[1].stop()
			doc := lookAtWindows(t, random, store, windows)
			require.GreaterOrEqual(t, time.Until(doc.Horizon()), 14*24*time.Hour)
		}
		requireToldOnce(t, store, windows, began)
	})
}

// lookAtWindows compares verdicts with what the clocks on the walls say, at instants near now.
func lookAtWindows(t *testing.T, random *rand.Rand, store state.Store, windows []*daily) *state.Document {
	t.Helper()
	doc, err := store.Load(t.Context())
	require.NoError(t, err)
	snap, err := state.Compile(doc)
	require.NoError(t, err)
	for range 100 {
		d := windows[random.IntN(len(windows))]
		at := time.Now().Add(time.Duration(random.Int64N(int64(72 * time.Hour))))
		decision := snap.Decide(&state.Request{Method: "GET", Target: d.path}, at)
		require.Equal(t, d.blocks(at), decision.Refused(), "%s daily at %s in %s, asked at %s", d.path, d.at, d.zone, at.In(d.zone))
	}
	return doc
}

func requireToldOnce(t *testing.T, store state.Store, windows []*daily, began time.Time) {
	t.Helper()
	want := map[string]bool{}
	for _, d := range windows {
		for _, o := range d.spans {
			for at, action := range map[time.Time]state.Action{o.Start: state.ActionMaintenanceOn, o.End: state.ActionMaintenanceOff} {
				if at.After(began) && at.Before(time.Now().Add(-10*time.Second)) {
					want[fmt.Sprint(action, d.path, at.UTC())] = true
				}
			}
		}
	}
	total := len(want)
	records, _ := told(t, store)
	for _, r := range records {
		if r.Action == state.ActionEnding || r.Due.After(time.Now().Add(-10*time.Second)) {
			continue
		}
		what := fmt.Sprint(r.Action, r.Path, r.Due.UTC())
		require.True(t, want[what], "%s is announced twice, or should not be", what)
		delete(want, what)
	}
	require.Empty(t, want)
	require.Greater(t, total, 15_000)
}
