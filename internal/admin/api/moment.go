package api

import (
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// zone finds the time zone of a request by its name.
func (r *reader) zone(name string) *time.Location {
	zone, err := schedule.Zone(name)
	if err != nil && r.err == nil {
		r.err = renamed(err, map[string]string{"zone": "timezone"})
	}
	if zone == nil {
		zone = time.UTC
	}
	return zone
}

// moment reads a time as [wire.ParseTime] does, but one without a zone is wall time in zone.
func (r *reader) moment(name, text string, zone *time.Location) time.Time {
	return r.time(name, text, func(text string, now time.Time) (time.Time, error) {
		if wall, part, ok := wallOf(text); ok {
			return wire.Stamp(schedule.Place(wall, zone).Add(part)), nil
		}
		return wire.ParseTime(text, now)
	})
}

// wall reads a time as what a clock in zone shows then, to the second.
func (r *reader) wall(name, text string, zone *time.Location) schedule.Wall {
	if wall, _, ok := wallOf(text); ok {
		return wall
	}
	if t := r.moment(name, text, zone); !t.IsZero() {
		return schedule.WallAt(t, zone)
	}
	return schedule.Wall{}
}

// wallOf reads a time that has no zone of its own, to the second, and the part of a second beside it.
func wallOf(text string) (schedule.Wall, time.Duration, bool) {
	// With a zone at its end it is a time only if it had none.
	t, err := wire.ParseTime(strings.TrimSpace(text)+"Z", time.Time{})
	if err != nil {
		return schedule.Wall{}, 0, false
	}
	return schedule.WallAt(t, time.UTC), t.Sub(t.Truncate(time.Second)), true
}

// elapsed reads how long something lasts.
func (r *reader) elapsed(name, text string) time.Duration {
	if text == "" || r.err != nil {
		return 0
	}
	d, err := wire.ParseDuration(text)
	if err != nil {
		r.err = state.Invalid(name, "%s: %.60q is not a duration: write 90m, 2h or 1d", name, text)
	}
	return d
}

// shift reads by how much something moves: later, or earlier with a - before it.
func (r *reader) shift(name, text string) time.Duration {
	text = strings.TrimSpace(text)
	if by, earlier := strings.CutPrefix(text, "-"); earlier && by != "" {
		return -r.elapsed(name, by)
	}
	if by, signed := strings.CutPrefix(text, "+"); signed && by != "" {
		text = by
	}
	return r.elapsed(name, text)
}

// keys reads route keys.
func (r *reader) keys(name string, texts []string) []state.Key {
	var all []state.Key
	for _, e := range r.exemptions(name, texts) {
		all = append(all, e.Key)
	}
	return all
}
