package api

import (
	"time"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

func copiedWindows(list []state.Window) []wire.CopiedWindow {
	var out []wire.CopiedWindow
	for _, w := range list {
		c := wire.CopiedWindow{
			Timezone: w.Zone, Effect: string(w.Effect), Reason: w.Reason, Ticket: w.Ticket, Origin: string(w.Origin),
			Except: texts(w.Except), Exact: true, IncludeForceActive: w.IncludeProtected,
		}
		if w.Recurs == nil {
			c.Start, c.End = wire.StampOrNil(w.Start), wire.StampOrNil(w.End)
		} else {
			c.Recurs = copiedRecurrence(&w)
		}
		out = append(out, c)
	}
	return out
}

func copiedRecurrence(w *state.Window) *wire.CopiedRecurrence {
	out := &wire.CopiedRecurrence{
		Rule: w.Recurs.Rule, First: short(w.Recurs.First), For: schedule.Brief(w.Recurs.For), To: short(w.Recurs.To),
	}
	for _, at := range w.Skipped {
		out.Cancelled = append(out.Cancelled, wire.Stamp(at))
	}
	for _, o := range w.Occurrences {
		out.Changed = append(out.Changed, wire.CopiedOccurrence{Start: wire.Stamp(o.Start), End: wire.Stamp(o.End), Except: texts(o.Except)})
	}
	return out
}

func readWindows(list []wire.CopiedWindow) ([]state.Window, error) {
	var out []state.Window
	for _, c := range list {
		w, err := readWindow(&c)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func readWindow(c *wire.CopiedWindow) (state.Window, error) {
	except, err := readExcept(c.Except, c.Exact)
	if err != nil {
		return state.Window{}, err
	}
	w := state.Window{
		Start: orZero(c.Start), End: orZero(c.End), Effect: effect(c.Effect), Reason: c.Reason, Ticket: c.Ticket,
		Origin: state.WindowOrigin(c.Origin), Except: except, IncludeProtected: c.IncludeForceActive, Zone: c.Timezone,
	}
	if w.Origin == "" {
		w.Origin = state.OriginWindow
		if c.Start == nil && c.Recurs == nil {
			w.Origin = state.OriginUntil
		}
	}
	if _, err := schedule.Zone(c.Timezone); err != nil {
		return state.Window{}, renamed(err, map[string]string{"zone": "timezone"})
	}
	switch {
	case c.Recurs == nil:
		return w, nil
	case c.Start != nil || c.End != nil || w.Origin != state.OriginWindow:
		return state.Window{}, state.Invalid("recurs", "a window that recurs has no start or end of its own, and is no until")
	}
	return w, readRecurrence(c.Recurs, &w)
}

func readRecurrence(c *wire.CopiedRecurrence, w *state.Window) error {
	w.Recurs = &state.Recurrence{Rule: c.Rule, First: c.First, To: c.To}
	if c.For != "" {
		lasts, err := wire.ParseDuration(c.For)
		if err != nil {
			return state.Invalid("for", "%.60q is not a duration: write 90m, 2h or 1d", c.For)
		}
		w.Recurs.For = lasts.String()
	}
	series, err := admin.SeriesOf(w)
	if err != nil {
		return err //nolint:wrapcheck // it says what is wrong with which part
	}
	w.Recurs = admin.RecurrenceOf(series)
	for _, at := range c.Cancelled {
		w.Skipped = append(w.Skipped, at.UTC().Truncate(time.Second))
	}
	for _, o := range c.Changed {
		except, err := readExcept(o.Except, false)
		if err != nil {
			return err
		}
		w.Occurrences = append(w.Occurrences, state.Occurrence{Start: o.Start, End: o.End, Except: except})
	}
	return nil
}
