package api

import (
	"cmp"
	"context"
	"errors"
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

// WindowNamed names a window in an address.
type WindowNamed struct {
	ID string `path:"id" doc:"The window's id"`
}

// onWindow is the input of a change of one window.
type onWindow[B any] struct {
	WindowNamed
	Retried
	Body B
}

// cancelWindow is the input of the cancelling of a window, or of one of its occurrences.
type cancelWindow struct {
	WindowNamed
	Retried
	Occurrence string `query:"occurrence" doc:"The start of the one occurrence to cancel; without it, the whole window"`
}

// Resolve implements huma.Resolver: an occurrence that is named and empty does not stand for the whole window.
func (c *cancelWindow) Resolve(ctx huma.Context) []error {
	if at := ctx.URL(); c.Occurrence == "" && at.Query().Has("occurrence") {
		return []error{&huma.ErrorDetail{Message: isEmpty, Location: "query.occurrence"}}
	}
	return nil
}

// WhichWindows says the windows of what are meant.
type WhichWindows struct {
	Path    string `query:"path" doc:"Only those on this key, in plain text, or on the switch of this sentinel path"`
	Service string `query:"service" doc:"Only those on this service's keys and switch"`
}

type listWindows struct {
	WhichWindows
	Ended bool `query:"ended" doc:"Those too that are over and still known"`
}

// How many occurrences of a recurring window are told, at most.
const (
	occurrencesInLists = 20
	occurrencesOfOne   = 100
)

// windowCalls registers the calls on windows.
func (s *server) windowCalls(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/windows", "list-windows", "windows", "The windows that run or are to come, by their start"),
		people.ScopeRead, s.listWindows)
	handle(s, d, operation(http.MethodPost, "/windows", "add-window", "windows",
		"Add a window: a span, or one that recurs (every and at, rrule, or cron; and for or to)"), people.ScopeChange, s.addWindow)
	handle(s, d, operation(http.MethodGet, "/windows/{id}", "get-window", "windows", "One window"),
		people.ScopeRead, s.getWindow)
	handle(s, d, operation(http.MethodPatch, "/windows/{id}", "change-window", "windows",
		"Change the times of a window, or of one occurrence; its reason; its ticket"), people.ScopeChange, s.amendWindow)
	handle(s, d, operation(http.MethodPost, "/windows/{id}/end", "end-window", "windows", "End now what runs of a window; later occurrences stay"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *onWindow[wire.ReasonBody]) (wire.ChangedWindow, error) {
			return s.changeWindow(ctx, who, admin.Retry{Key: in.Retry, Asked: asked("end", in.ID, in.Body)},
				state.Command{Verb: state.VerbEndWindow, WindowID: in.ID, Reason: in.Body.Reason})
		})
	handle(s, d, operation(http.MethodDelete, "/windows/{id}", "cancel-window", "windows", "Cancel a window, pending or running; or one of its occurrences"),
		people.ScopeChange, s.dropWindow)
}

// asked is what a change of a window is known by: that it is the same when its key is sent again.
func asked(how, id string, body any) any {
	return struct {
		How, ID string
		Body    any
	}{how, id, body}
}

func (s *server) listWindows(_ context.Context, _ people.Principal, in *listWindows) ([]wire.WindowDetail, error) {
	view, found, err := s.windowsOf(&in.WhichWindows)
	if err != nil {
		return nil, err
	}
	out := make([]wire.WindowDetail, 0, len(found))
	for i := range found {
		if in.Ended || !found[i].Over(view.Now) {
			out = append(out, windowDetail(view, &found[i], occurrencesInLists, view.Place()))
		}
	}
	slices.SortFunc(out, func(a, b wire.WindowDetail) int { return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID)) })
	return out, nil
}

// windowsOf finds the windows that are meant, those that are over among them.
func (s *server) windowsOf(which *WhichWindows) (admin.View, []state.Window, error) {
	view, err := s.cfg.Service.View()
	if err != nil {
		return admin.View{}, nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	all := view.Document().Windows()
	if which.Path != "" {
		t, spelled, err := target(which.Path)
		if err == nil && t.Key.Path != "" {
			t.Key, _, err = view.Document().Resolve(spelled)
		}
		if err != nil {
			return admin.View{}, nil, err
		}
		all = view.Document().WindowsOn(t)
	}
	var found []state.Window
	for w := range all {
		if which.Service == "" || cmp.Or(w.Target.Service, w.Target.Key.Service) == which.Service {
			found = append(found, w)
		}
	}
	return view, found, nil
}

func (s *server) getWindow(_ context.Context, _ people.Principal, in *WindowNamed) (wire.WindowDetail, error) {
	view, err := s.cfg.Service.View()
	if err != nil {
		return wire.WindowDetail{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	w, ok := view.Document().Window(in.ID)
	if !ok {
		return wire.WindowDetail{}, fmt.Errorf("window %q: %w", in.ID, state.ErrNotFound)
	}
	return windowDetail(view, &w, occurrencesOfOne, view.Place()), nil
}

func (s *server) addWindow(ctx context.Context, who people.Principal, in *global[wire.NewWindow]) (wire.ChangedWindow, error) {
	c, err := newWindow(&in.Body, s.cfg.Service.Now())
	if err != nil {
		return wire.ChangedWindow{}, err
	}
	out, err := s.changeWindow(ctx, who, admin.Retry{Key: in.Retry, Asked: in.Body}, c)
	if c.Window.Recurs != nil {
		err = renamed(err, members(&in.Body))
	}
	return out, err
}

func (s *server) amendWindow(ctx context.Context, who people.Principal, in *onWindow[wire.WindowChange]) (wire.ChangedWindow, error) {
	w, err := s.windowNow(ctx, in.ID)
	if err != nil {
		return wire.ChangedWindow{}, err
	}
	c, err := windowChange(&w, &in.Body, s.cfg.Service.Now())
	if err != nil {
		return wire.ChangedWindow{}, err
	}
	return s.changeWindow(ctx, who, admin.Retry{Key: in.Retry, Asked: asked("change", in.ID, in.Body)}, c)
}

// windowNow is the window that a change is about. One that is gone has its id alone: the change itself tells, unless it
// was made before under the same key.
func (s *server) windowNow(ctx context.Context, id string) (state.Window, error) {
	w, err := s.cfg.Service.Window(ctx, id)
	if errors.Is(err, state.ErrNotFound) {
		return state.Window{ID: id}, nil
	}
	return w, err //nolint:wrapcheck // the use case's errors are the call's
}

// windowChange translates what is asked for of a window.
func windowChange(w *state.Window, b *wire.WindowChange, now time.Time) (state.Command, error) {
	r := reader{now: now}
	zone := r.zone(cmp.Or(b.Timezone, w.Zone))
	c := state.Command{
		Verb: state.VerbChangeWindow, WindowID: w.ID, Start: r.moment("start", b.Start, zone), End: r.moment("end", b.End, zone),
		Amend:      state.Amendment{Reason: b.Reason, Ticket: b.Ticket},
		Occurrence: startOf(w, r.moment("occurrence", b.Occurrence, zone)),
	}
	c.Amend.By = r.shift("by", b.By)
	switch {
	case r.err != nil:
		return state.Command{}, r.err
	case b.End != "" && b.By != "":
		return state.Command{}, state.Invalid("by", `end sets the end, and by moves it: send one of them, as in {"by":"30m"}`)
	case b.Occurrence != "" && b.Start+b.End+b.By == "":
		return state.Command{}, state.Invalid("occurrence", `occurrence says whose times change: send end or by with it, as in {"occurrence":"2026-12-06T01:00Z","by":"30m"}`)
	}
	return c, nil
}

// startOf is the exact start of the occurrence that an answer told to begin at an instant.
func startOf(w *state.Window, at time.Time) time.Time {
	for _, o := range w.Spans() {
		if wire.Stamp(o.Start).Equal(at) {
			return o.Start
		}
	}
	return at
}

func (s *server) dropWindow(ctx context.Context, who people.Principal, in *cancelWindow) (wire.ChangedWindow, error) {
	c := state.Command{Verb: state.VerbCancelWindow, WindowID: in.ID}
	retry := admin.Retry{Key: in.Retry, Asked: asked("cancel", in.ID, in.Occurrence)}
	if in.Occurrence == "" {
		return s.changeWindow(ctx, who, retry, c)
	}
	w, err := s.windowNow(ctx, in.ID)
	if err != nil {
		return wire.ChangedWindow{}, err
	}
	r := reader{now: s.cfg.Service.Now()}
	c.Occurrence = startOf(&w, r.moment("occurrence", in.Occurrence, r.zone(w.Zone)))
	switch {
	case r.err != nil:
		return wire.ChangedWindow{}, r.err
	case !admin.MayStart(&w, c.Occurrence):
		return wire.ChangedWindow{}, fmt.Errorf("window %s has no occurrence that starts at %s: %w", w.ID, c.Occurrence.Format(time.RFC3339), state.ErrNotFound)
	}
	return s.changeWindow(ctx, who, retry, c)
}

func (s *server) changeWindow(ctx context.Context, who people.Principal, retry admin.Retry, c state.Command) (wire.ChangedWindow, error) {
	r, err := s.cfg.Service.Do(ctx, who, retry, c)
	if err != nil {
		return wire.ChangedWindow{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	o := &r.Outcomes[0]
	out := wire.ChangedWindow{Place: place(r.At), Changed: r.Changed, Duplicate: r.Duplicate, ChangeResult: s.changeResult(ctx, &r, o)}
	if w, ok := r.Document().Window(o.WindowID); ok {
		detail := windowDetail(r.View, &w, occurrencesInLists, r.At)
		out.Window = &detail
	}
	return out, nil
}
