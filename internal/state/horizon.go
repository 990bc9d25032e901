package state

import (
	"fmt"
	"slices"
	"time"
)

// Expansion are the occurrences of a recurring window from an instant on.
type Expansion struct {
	// Occurrences in rising order: all that start before Through.
	Occurrences []Occurrence
	Through     time.Time
	// Finished says that there are none later.
	Finished bool
}

// Horizon is how far the occurrences of all recurring windows are known: the least Through of those that have later
// ones. Beyond it they would be missed. Zero when none has.
func (d *Document) Horizon() time.Time {
	var least time.Time
	for w := range d.Windows() {
		if w.Recurs != nil && !w.Finished && (least.IsZero() || w.Through.Before(least)) {
			least = w.Through
		}
	}
	return least
}

// horizonLeast is how far ahead occurrences are known at the very least while an admin is there to see to it. Below it
// something is wrong, and a person has that long to mend it.
const horizonLeast = 7 * 24 * time.Hour

// horizonAlarm says that a horizon came too near; empty while it did not.
func horizonAlarm(h, now time.Time) string {
	if h.IsZero() || h.Sub(now) >= horizonLeast {
		return ""
	}
	return fmt.Sprintf("windows that recur are known only until %s: no admin extends them; after that they are missed", h.Format(time.RFC3339))
}

// Extend is the change that makes more occurrences known of every recurring window whose Through is before need, and
// forgets those that are over and announced; no patch when there is nothing to do. What expand cannot do is given back
// by window, and keeps none of the others waiting.
func Extend(d *Document, now, need time.Time, expand func(*Window) (Expansion, error)) (Change, map[string]error) {
	now = canonicalTime(now)
	c := Change{Entry: Entry{Kind: KindHorizon, At: now, Actor: ActorSystem, Platform: PlatformSystem, Patch: Patch{}}}
	var failed map[string]error
	fail := func(id string, err error) {
		if failed == nil {
			failed = map[string]error{}
		}
		failed[id] = err
	}
	for w := range d.Windows() {
		if w.Recurs == nil || w.Finished || !w.Through.Before(need) {
			continue
		}
		more, err := expand(&w)
		if err == nil {
			w.Extend(more, d.announced)
			err = c.Patch.SetWindow(w)
		}
		if err != nil {
			fail(w.ID, err)
		}
	}
	return c, failed
}

// Extend adds occurrences, without those that were cancelled ahead, and forgets those that were over at an instant.
func (w *Window) Extend(more Expansion, over time.Time) {
	w.changeOccurrences(func(o *Occurrence) bool { return o.End.After(over) })
	var later []time.Time
	for _, at := range w.Skipped {
		if !at.Before(more.Through) {
			later = append(later, at)
		}
	}
	for _, o := range more.Occurrences {
		o.Start, o.End = canonicalTime(o.Start), canonicalTime(o.End)
		if !o.Start.Before(w.Through) && !slices.ContainsFunc(w.Skipped, o.Start.Equal) {
			w.Occurrences = append(w.Occurrences, o)
		}
	}
	w.Skipped, w.Through, w.Finished = later, canonicalTime(more.Through), more.Finished
}
