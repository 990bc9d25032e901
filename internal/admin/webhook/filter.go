package webhook

import (
	"encoding/json"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Filter says which events an endpoint is sent. Each member that is empty asks for everything; an event passes when it
// passes every member.
//
// Services and Routes let pass whatever touches a request of what they list: a block on a set that contains the route, a
// key of every service, the switches above it.
type Filter struct {
	// Actions are the names of events.
	Actions []state.Action `json:"actions,omitempty"`
	// Services are names of services.
	Services []string `json:"services,omitempty"`
	// Routes are route keys or sets, in any spelling, or sentinel paths of switches.
	Routes []string `json:"routes,omitempty"`
	// Envs are names of environments. An event about an environment gate passes unless each of them is admitted by the
	// gate; other events are about every environment and pass.
	Envs []string `json:"envs,omitempty"`
}

// Actions are the names of events that a filter can list.
func Actions() []state.Action {
	return []state.Action{
		state.ActionEnable, state.ActionDisable, state.ActionMaintenanceOn, state.ActionMaintenanceOff, state.ActionEnvGate,
		state.ActionSchedule, state.ActionScheduleChange, state.ActionScheduleCancel, state.ActionUpcoming, state.ActionEnding,
		state.ActionGlobalOn, state.ActionGlobalOff, state.ActionServiceOn, state.ActionServiceOff, state.ActionDeprecate,
		state.ActionProtect, state.ActionUnprotect, state.ActionForget, state.ActionExempt, state.ActionAdopt, state.ActionImport, state.ActionRestore,
	}
}

// Validate says what is wrong with a filter, in an *state.InvalidError.
func (f *Filter) Validate() error {
	if len(f.Actions) > maxFilter || len(f.Services) > maxFilter || len(f.Routes) > maxFilter || len(f.Envs) > maxFilter {
		return state.Invalid("filter", "a filter lists at most %d of a kind", maxFilter)
	}
	for _, a := range f.Actions {
		if !slices.Contains(Actions(), a) {
			return state.Invalid("actions", "%q is no event: one of %v", a, Actions())
		}
	}
	for _, s := range f.Services {
		if err := state.CheckService(s); err != nil {
			return err //nolint:wrapcheck // it says what is wrong with the name
		}
	}
	_, err := f.targets()
	return err
}

func (f *Filter) targets() ([]state.Target, error) {
	var all []state.Target
	for _, text := range f.Routes {
		var t state.Target
		if err := t.UnmarshalText([]byte(text)); err != nil {
			return nil, err //nolint:wrapcheck // it says what is wrong with the key
		}
		all = append(all, t)
	}
	return all, nil
}

// passes reports whether the endpoint is sent a record. A record whose path nobody can read passes: nothing happens in
// silence.
func (f *Filter) passes(r *state.Record, patch state.Patch) bool {
	if !slices.Contains(Actions(), r.Action) {
		return false // it is about the log itself
	}
	if len(f.Actions) > 0 && !slices.Contains(f.Actions, r.Action) {
		return false
	}
	var t state.Target
	if err := t.UnmarshalText([]byte(r.Path)); err != nil {
		return true
	}
	return f.passesServices(t) && f.passesRoutes(t) && f.passesEnvs(r.Action, t, patch)
}

func (f *Filter) passesServices(t state.Target) bool {
	of := t.Key.Service + t.Service // one of them at most
	return len(f.Services) == 0 || of == "" || slices.Contains(f.Services, of)
}

func (f *Filter) passesRoutes(t state.Target) bool {
	if len(f.Routes) == 0 {
		return true
	}
	listed, err := f.targets()
	if err != nil {
		return true
	}
	return slices.ContainsFunc(listed, func(l state.Target) bool {
		switch {
		case l == t || t.Global && l.Service == "":
			return true
		case l.Key.Path == "":
			return false
		case t.Service != "":
			return l.Key.Service == "" || l.Key.Service == t.Service
		default:
			return l.Key.Overlaps(t.Key)
		}
	})
}

func (f *Filter) passesEnvs(a state.Action, t state.Target, patch state.Patch) bool {
	if len(f.Envs) == 0 || a != state.ActionEnvGate {
		return true
	}
	var route state.Route
	if err := json.Unmarshal(patch["r:"+t.Key.String()], &route); err != nil || route.Gate == nil {
		return true // the gate was cleared
	}
	return slices.ContainsFunc(f.Envs, func(env string) bool { return !slices.Contains(route.Gate.Envs, env) })
}
