package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Route is the state of the key that a spelling means. Known counts what live traffic knows. The errors are
// *state.AmbiguousError, and state.ErrUnknownKey where routes are strict.
func (s *Service) Route(ctx context.Context, spelled state.Spelling) (View, state.RouteState, error) {
	view, err := s.View()
	if err != nil {
		return View{}, state.RouteState{}, err
	}
	key, shown, err := view.Document().Resolve(spelled)
	if err != nil {
		return View{}, state.RouteState{}, err //nolint:wrapcheck // it says what is ambiguous
	}
	st := view.Document().State(key, view.Now)
	st.Path = shown
	if !st.Known {
		st.Known = s.fleet.seen(ctx, s).key(key)
	}
	if !st.Known && s.cfg.Strict {
		return View{}, state.RouteState{}, fmt.Errorf("%s: %w", shown, state.ErrUnknownKey)
	}
	return view, st, nil
}

// Routes are the states of all known keys, or of those of one service, by key.
func (s *Service) Routes(service string) (View, []state.RouteState, error) {
	view, err := s.View()
	if err != nil {
		return View{}, nil, err
	}
	var keep func(state.Key) bool
	if service != "" {
		keep = func(k state.Key) bool { return k.Service == service }
	}
	return view, view.Document().States(view.Now, keep), nil
}

// Window is a window by its id, for a change that depends on what it says: one that this admin does not know yet is
// looked for at the store's head. The error is state.ErrNotFound where there is none.
func (s *Service) Window(ctx context.Context, id string) (state.Window, error) {
	view, err := s.View()
	if err != nil {
		return state.Window{}, err
	}
	w, ok := view.Document().Window(id)
	if !ok {
		if view, err = s.head(ctx); err != nil {
			return state.Window{}, err
		}
		w, ok = view.Document().Window(id)
	}
	if !ok {
		return state.Window{}, fmt.Errorf("window %q: %w", id, state.ErrNotFound)
	}
	return w, nil
}

// Services are the names that a key, a switch or an instance gives, sorted.
func (s *Service) Services(ctx context.Context) ([]string, error) {
	view, err := s.View()
	if err != nil {
		return nil, err
	}
	names := map[string]struct{}{}
	for r := range view.Document().Routes() {
		names[r.Key.Service] = struct{}{}
	}
	for name := range view.Document().Switches() {
		names[name] = struct{}{}
	}
	for w := range view.Document().Windows() {
		names[w.Target.Service] = struct{}{}
	}
	for _, r := range s.fleet.seen(ctx, s).reports {
		names[r.Service] = struct{}{}
	}
	delete(names, "")
	sorted := slices.AppendSeq(make([]string, 0, len(names)), maps.Keys(names)) // none are an empty list, not nil
	slices.Sort(sorted)
	return sorted, nil
}

// SwitchScope is what there is to know of a service beside its switch.
type SwitchScope struct {
	// Known is whether a key, a switch or an instance names the service.
	Known bool
	// Unscoped are the ids of the instances, not gone, that have no service: every service's switch shuts them.
	Unscoped []string
}

// Scope looks at a service in the document and the fleet.
func (s *Service) Scope(ctx context.Context, view View, service string) SwitchScope {
	seen := s.fleet.seen(ctx, s)
	scope := SwitchScope{Known: view.Document().KnowsService(service) || seen.service(service)}
	for _, r := range seen.reports {
		if r.Service == "" && r.Presence() != state.Gone {
			scope.Unscoped = append(scope.Unscoped, r.ID)
		}
	}
	return scope
}

// present is what can be told of a command's target without carrying it out.
func (s *Service) present(view View, c state.Command) state.Outcome {
	out := state.Outcome{Target: c.Target, Shown: c.Target.String(), Known: true}
	if c.Target.Key.Path == "" {
		return out
	}
	key, shown, err := view.Document().Resolve(state.Spelling{Key: c.Target.Key, Shown: c.Shown, AnyMethod: c.AnyMethod})
	if err == nil {
		out.Target, out.Shown = state.Target{Key: key}, shown
	}
	out.Known = view.Document().Knows(out.Target.Key)
	return out
}

// Decide answers for a request as every instance does.
func (s *Service) Decide(req *state.Request) (View, state.Decision, error) {
	view, err := s.View()
	if err != nil {
		return View{}, state.Decision{}, err
	}
	return view, view.Decide(req, view.Now), nil
}
