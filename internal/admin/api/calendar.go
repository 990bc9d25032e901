package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

type calendarQuery struct {
	WhichWindows
	From string `query:"from" doc:"A time, a date, or a duration from now; default now" example:"2026-12-01"`
	To   string `query:"to" doc:"The same; at most 400 days later, default 31" example:"2027-01-01"`
}

// Bounds of a calendar.
const (
	calendarDays    = 31 * 24 * time.Hour
	longestCalendar = 400 * 24 * time.Hour
	maxCalendar     = 50_000
)

// calendarCalls registers the calls that tell when windows are.
func (s *server) calendarCalls(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/calendar", "get-calendar", "windows",
		"The occurrences of all windows that have a part between two instants; of what is over, only what is still known"),
		people.ScopeRead, s.getCalendar)
	s.mux.HandleFunc("GET "+feedPath, s.feed)
	d.OpenAPI().AddOperation(feedOperation())
}

func (s *server) getCalendar(ctx context.Context, _ people.Principal, in *calendarQuery) ([]wire.CalendarEntry, error) {
	r := reader{now: s.cfg.Service.Now()}
	from, to := r.time("from", in.From, wire.ParseDate), r.time("to", in.To, wire.ParseDate)
	if from.IsZero() {
		from = r.now
	}
	if to.IsZero() {
		to = from.Add(calendarDays)
	}
	switch {
	case r.err != nil:
		return nil, r.err
	case !to.After(from):
		return nil, state.Invalid("to", "the calendar ends at %s, which is not after its start %s", to.Format(time.RFC3339), from.Format(time.RFC3339))
	case to.Sub(from) > longestCalendar:
		return nil, state.Invalid("to", "a calendar is at most 400 days long: ask for it in parts")
	}
	view, found, err := s.calendar(ctx, &in.WhichWindows, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]wire.CalendarEntry, len(found))
	for i, e := range found {
		w := e.window
		out[i] = wire.CalendarEntry{
			Window: w.ID, Path: pathOf(view, w.Target), Service: serviceOf(w.Target), Start: wire.Stamp(e.Start), End: wire.StampOrNil(e.End),
			State: string(phase(e.Occurrence, view.Now)), Effect: string(w.Effect), Reason: w.Reason, Ticket: w.Ticket,
			Origin: string(w.Origin), Recurs: w.Recurs != nil, Timezone: w.Zone,
		}
	}
	return out, nil
}

// dated is one occurrence of a window.
type dated struct {
	state.Occurrence
	window *state.Window
}

// calendar finds the occurrences that have a part in [from, to), by their start.
func (s *server) calendar(ctx context.Context, which *WhichWindows, from, to time.Time) (admin.View, []dated, error) {
	view, windows, err := s.windowsOf(which)
	if err != nil {
		return admin.View{}, nil, err
	}
	var all []dated
	for i := range windows {
		for _, o := range admin.Occurrences(&windows[i], from, to, maxCalendar+1) {
			all = append(all, dated{o, &windows[i]})
		}
		if len(all) > maxCalendar {
			return admin.View{}, nil, state.Invalid("to", "more than %d occurrences are between these instants: ask for less time, or for one path or service", maxCalendar)
		}
		if err := ctx.Err(); err != nil {
			return admin.View{}, nil, fmt.Errorf("looking at all windows: %w", err)
		}
	}
	slices.SortFunc(all, func(a, b dated) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.window.ID, b.window.ID))
	})
	return view, all, nil
}
