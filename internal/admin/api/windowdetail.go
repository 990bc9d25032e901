package api

import (
	"cmp"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/schedule"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// windowDetail renders a window with so many occurrences at most.
func windowDetail(view admin.View, w *state.Window, most int, at state.Meta) wire.WindowDetail {
	out := wire.WindowDetail{
		ID: w.ID, Path: pathOf(view, w.Target), Service: serviceOf(w.Target), Effect: string(w.Effect), Reason: w.Reason, Ticket: w.Ticket,
		Origin: string(w.Origin), Except: shownKeys(view, w.Except), IncludeForceActive: w.IncludeProtected, Timezone: w.Zone,
		Occurrences: []wire.Occurrence{}, By: w.By, At: wire.StampOrNil(w.At), Made: wire.StampOrNil(w.Made), Place: place(at),
	}
	if w.Recurs != nil {
		out.Recurrence = recurrence(w)
	}
	told := toldOf(w, view.Now, most)
	for _, o := range told {
		out.Occurrences = append(out.Occurrences, wire.Occurrence{
			Start: wire.Stamp(o.Start), End: wire.StampOrNil(o.End), State: string(phase(o, view.Now)), Except: nonEmpty(shownKeys(view, o.Except)),
		})
	}
	is := state.Occurrence{Start: w.Start, End: w.End}
	if o, ok := w.Running(view.Now); ok {
		is = o
	} else if len(told) > 0 {
		is = told[0]
	}
	out.Start, out.End, out.State = wire.Stamp(is.Start), wire.StampOrNil(is.End), string(phase(is, view.Now))
	return out
}

// toldOf are the occurrences that are told: those that run and, of the later ones, the first that are known; in the
// answer about one window, as many as the rule has. Of a window that is over it is the last.
func toldOf(w *state.Window, now time.Time, most int) []state.Occurrence {
	to := w.Through
	if w.Finished || w.Recurs == nil || most > occurrencesInLists {
		to = admin.Never()
	}
	told := admin.Occurrences(w, now, to, most)
	if len(told) == 0 && !w.Finished {
		told = admin.Occurrences(w, now, admin.Never(), 1)
	}
	if all := w.Spans(); len(told) == 0 && len(all) > 0 {
		told = all[len(all)-1:]
	}
	return told
}

func recurrence(w *state.Window) *wire.Recurrence {
	out := &wire.Recurrence{
		Rule: w.Recurs.Rule, First: short(w.Recurs.First), For: schedule.Brief(w.Recurs.For), To: short(w.Recurs.To), Description: w.Recurs.Rule,
	}
	if series, err := admin.SeriesOf(w); err == nil {
		out.Description = series.Describe()
	}
	if !w.Finished {
		out.Through = wire.StampOrNil(w.Through)
	}
	return out
}

// short is a wall time without seconds that are zero.
func short(text string) string {
	if strings.Count(text, ":") == 2 {
		return strings.TrimSuffix(text, ":00")
	}
	return text
}

// phase says where an instant lies in an occurrence.
func phase(o state.Occurrence, now time.Time) state.Phase {
	switch {
	case now.Before(o.Start):
		return state.PhasePending
	case o.End.IsZero() || now.Before(o.End):
		return state.PhaseActive
	default:
		return state.PhaseEnded
	}
}

// pathOf is a key as it is shown, or the sentinel path of a switch.
func pathOf(view admin.View, t state.Target) string {
	if r, ok := view.Document().Route(t.Key); ok && t.Key.Path != "" {
		return cmp.Or(r.Shown, t.String())
	}
	return t.String()
}

func serviceOf(t state.Target) *string { return orNil(cmp.Or(t.Service, t.Key.Service)) }

func shownKeys(view admin.View, keys []state.Key) []string {
	out := make([]string, 0, len(keys))
	for _, k := range keys {
		out = append(out, pathOf(view, state.Target{Key: k}))
	}
	return out
}

func nonEmpty(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	return list
}
