package api

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// newWindow translates what is asked for at an instant that durations count from.
func newWindow(b *wire.NewWindow, now time.Time) (state.Command, error) {
	t, spelled, err := target(b.Path)
	if err != nil {
		return state.Command{}, err
	}
	r := reader{now: now}
	zone := r.zone(b.Timezone)
	w := &state.Window{
		Effect: state.Effect(b.Effect), Ticket: b.Ticket, Except: r.keys("except", b.Except), IncludeProtected: b.IncludeForceActive,
	}
	if b.Timezone != "UTC" {
		w.Zone = b.Timezone
	}
	switch {
	case r.err != nil:
	case b.Every != "" || b.RRule != "" || b.Cron != "":
		w.Recurs, r.err = r.recurrence(b, zone)
	default:
		r.span(b, zone, w)
	}
	return state.Command{
		Verb: state.VerbAddWindow, Target: t, Shown: spelled.Shown, AnyMethod: spelled.AnyMethod, Reason: b.Reason, Window: w,
	}, r.err
}

// span reads the start and the end of a window that does not recur.
func (r *reader) span(b *wire.NewWindow, zone *time.Location, w *state.Window) {
	switch {
	case b.At != "":
		r.err = state.Invalid("at", `at is the time of day of a window that recurs: add every, as in {"every":"sunday","at":"02:00","for":"2h"}, or send start`)
	case b.To != "":
		r.err = state.Invalid("to", `to is the time of day at which a window that recurs ends: add every, as in {"every":"sunday","at":"02:00","to":"04:00"}, or send end`)
	case b.End != "" && b.For != "":
		r.err = state.Invalid("for", `end and for both say when it ends: send one of them, as in {"start":"2026-12-06T02:00","for":"2h"}`)
	}
	w.Start, w.End = r.moment("start", b.Start, zone), r.moment("end", b.End, zone)
	if lasts := r.elapsed("for", b.For); lasts > 0 {
		from := w.Start
		if from.IsZero() {
			from = r.now
		}
		w.End = wire.Stamp(from.Add(lasts))
	}
}

// recurrence reads when a window recurs. Whether it ever does is seen when it is added.
func (r *reader) recurrence(b *wire.NewWindow, zone *time.Location) (*state.Recurrence, error) {
	if err := checkRecurrence(b); err != nil {
		return nil, err
	}
	s := schedule.Series{Zone: b.Timezone}
	var err error
	switch {
	case b.Every != "":
		s.Rule, err = schedule.Every(b.Every)
	case b.RRule != "":
		s.Rule, err = schedule.Parse(b.RRule)
	default:
		s.Rule, err = schedule.Parse("CRON:" + b.Cron)
	}
	if err == nil && b.To != "" {
		s.To, err = schedule.ParseClock(b.To)
	}
	if err != nil {
		return nil, renamed(err, members(b))
	}
	s.For, s.First = r.elapsed("for", b.For).Truncate(time.Second), r.first(b, s.Rule, zone)
	return admin.RecurrenceOf(s), r.err
}

func checkRecurrence(b *wire.NewWindow) error {
	ways := 0
	for _, way := range []string{b.Every, b.RRule, b.Cron} {
		if way != "" {
			ways++
		}
	}
	switch {
	case ways > 1:
		return state.Invalid(rule(b), `every, rrule and cron each say when it recurs: send one of them, as in {"every":"sunday","at":"02:00","for":"2h"}`)
	case b.End != "":
		return state.Invalid("end", `a window that recurs has no end of its own: for or to say how long each occurrence lasts, as in {"every":"sunday","at":"02:00","for":"2h"}; an UNTIL or COUNT in rrule says which is the last`)
	case b.For != "" && b.To != "":
		return state.Invalid("to", `for and to both say when an occurrence ends: send one of them, as in {"at":"02:00","to":"04:00"}`)
	case b.For == "" && b.To == "":
		return state.Invalid("for", `a window that recurs needs to say how long each occurrence lasts: "for":"2h", or "to":"04:00" for the time of day at which it ends`)
	case b.Cron != "" && b.At != "":
		return state.Invalid("at", `cron says the time of day itself: leave at out, as in {"cron":"0 2 * * 0","for":"2h"}`)
	case b.At != "" && (strings.Contains(strings.ToUpper(b.RRule), "BYHOUR") || strings.Contains(strings.ToUpper(b.RRule), "BYMINUTE")):
		return state.Invalid("at", `the rrule says the time of day itself: leave at out, or BYHOUR and BYMINUTE, as in {"rrule":"FREQ=WEEKLY;BYDAY=SU","at":"02:00"}`)
	}
	return nil
}

// first is the wall time that a rule counts from: the start; else the next time that a clock in zone shows at; else now.
func (r *reader) first(b *wire.NewWindow, is schedule.Rule, zone *time.Location) schedule.Wall {
	if b.At != "" {
		return r.firstAt(b, zone)
	}
	switch {
	case r.err != nil:
		return schedule.Wall{}
	case b.Start != "":
		return r.wall("start", b.Start, zone)
	case !namesTime(is.String()):
		r.err = state.Invalid("at", `%s at what time? Add at, as in {%q:%q,"at":"02:00","for":"2h"}, or a start`,
			cmp.Or(b.Every, b.RRule), rule(b), cmp.Or(b.Every, b.RRule))
		return schedule.Wall{}
	}
	return onTheMinute(schedule.WallAt(r.now, zone))
}

// firstAt is the first time at a time of day: on the date of the start, or the next from now on.
func (r *reader) firstAt(b *wire.NewWindow, zone *time.Location) schedule.Wall {
	at, err := schedule.ParseClock(b.At)
	if b.At == "24:00" {
		err = state.Invalid("to", "24:00 is the end of a day: write 00:00, and the day after")
	}
	if err != nil {
		r.err = cmp.Or(r.err, renamed(err, map[string]string{"to": "at"}))
		return schedule.Wall{}
	}
	date := strings.TrimSpace(b.Start)
	if date != "" {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			r.err = cmp.Or(r.err, state.Invalid("at", `start and at both give a time of day: send the date alone with at, as in {"start":"2026-12-06","at":"02:00"}`))
			return schedule.Wall{}
		}
		return onDate(date, at)
	}
	now := schedule.WallAt(r.now, zone)
	if today := onDate(dateOf(now), at); today.Compare(now) > 0 {
		return today
	}
	year, month, day := now.Date()
	return onDate(dateOf(schedule.WallOf(year, month, day+1, 0, 0, 0)), at)
}

func onDate(date string, at schedule.Clock) schedule.Wall {
	w, _ := schedule.ParseWall(date + "T" + at.String()) // a date and a time of day are one
	return w
}

func dateOf(w schedule.Wall) string { date, _, _ := strings.Cut(w.String(), "T"); return date }

func onTheMinute(w schedule.Wall) schedule.Wall {
	year, month, day := w.Date()
	hour, minute, _ := w.Clock()
	return schedule.WallOf(year, month, day, hour, minute, 0)
}

// namesTime reports whether a rule says itself at what time of day it comes.
func namesTime(rule string) bool {
	has := func(part string) bool { return strings.Contains(rule, part) }
	switch {
	case strings.HasPrefix(rule, "CRON:"), has("FREQ=MINUTELY"):
		return true
	case has("FREQ=HOURLY"):
		return has("BYMINUTE=")
	default:
		return has("BYHOUR=") && has("BYMINUTE=")
	}
}

// rule is the member that says when a window recurs.
func rule(b *wire.NewWindow) string {
	switch {
	case b.Every != "":
		return "every"
	case b.RRule != "":
		return "rrule"
	default:
		return "cron"
	}
}

// members are those of the request that the parts of a series came from.
func members(b *wire.NewWindow) map[string]string {
	names := map[string]string{"rule": rule(b), "recurrence": rule(b), "first": "start", "zone": "timezone"}
	if b.At != "" {
		names["first"] = "at"
	}
	return names
}

// renamed is an error about a member of the request, where it names another thing.
func renamed(err error, names map[string]string) error {
	if is, ok := errors.AsType[*state.InvalidError](err); ok && names[is.Field] != "" {
		return &state.InvalidError{Field: names[is.Field], Problem: is.Problem}
	}
	return err
}
