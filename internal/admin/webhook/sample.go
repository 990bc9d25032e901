package webhook

import (
	"cmp"
	"encoding/json"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// sampleEpoch is the epoch of events that nothing happened for.
const sampleEpoch = "TEST"

// sampleService is the service of samples, where nothing asks for another one.
const sampleService = "orders"

// sampleAt is when samples happened, until somebody sends them.
var sampleAt = time.Date(2025, 6, 1, 2, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// samples are one event of each action at an instant, for templates to be tried on and for tests of an endpoint: about
// what its filter lists, or what it is for could not be tested.
func samples(e *Endpoint, at time.Time) []Event {
	key := e.Filter.sampleKey()
	service := cmp.Or(key.Service, sampleService)
	var all []Event
	for i, action := range Actions() {
		ev := Event{
			ID: messageID(sampleEpoch, uint64(i)+1, 0, e.ID), Epoch: sampleEpoch, Rev: uint64(i) + 1,
			Action: action, Path: key.String(), Service: key.Service, Reason: "DB migration", At: at,
			Actor: "alice", Platform: state.PlatformCLI, Before: state.Active, After: state.Active, Test: true,
		}
		switch action {
		case state.ActionGlobalOn, state.ActionGlobalOff:
			ev.Path, ev.Service = state.GlobalPath, ""
		case state.ActionServiceOn, state.ActionServiceOff:
			ev.Path, ev.Service = state.ServicePath(service), service
		case state.ActionSchedule, state.ActionScheduleChange, state.ActionUpcoming:
			ev.Start, ev.Until = at.Add(time.Hour), at.Add(3*time.Hour)
		}
		switch action {
		case state.ActionDisable:
			ev.After = state.Disabled
		case state.ActionMaintenanceOn, state.ActionGlobalOn, state.ActionServiceOn, state.ActionEnding:
			ev.After = state.Maintenance
		case state.ActionEnable, state.ActionMaintenanceOff, state.ActionGlobalOff, state.ActionServiceOff:
			ev.Before = state.Maintenance
		case state.ActionEnvGate:
			ev.After = state.EnvGated
		case state.ActionDeprecate:
			ev.After = state.Deprecated
		}
		ev.State = sampleState(&ev)
		all = append(all, ev)
	}
	return all
}

// sampleKey is a route that the filter lets pass: the first that it lists, of the first service that it lists.
func (f *Filter) sampleKey() state.Key {
	key := state.Key{Service: sampleService, Method: "GET", Path: "/payments"}
	if len(f.Services) > 0 {
		key.Service = f.Services[0]
	}
	listed, err := f.targets()
	if err != nil {
		return key
	}
	for _, t := range listed {
		switch {
		case t.Key.Path != "" && t.Key.Service == "" && len(f.Services) > 0:
			t.Key.Service = key.Service
			return t.Key
		case t.Key.Path != "":
			return t.Key
		case t.Service != "":
			key.Service = t.Service
		}
	}
	return key
}

// sampleState is the state that a sample carries, with every member that receivers may rely on.
func sampleState(ev *Event) json.RawMessage {
	members := sampleRoute(ev)
	if ev.Path == state.GlobalPath || ev.Path == state.ServicePath(ev.Service) {
		members = map[string]any{"enabled": ev.After == state.Maintenance, "reason": ev.Reason, "exempt_paths": []string{}, "include_force_active": false}
	}
	text, _ := json.Marshal(members) // texts, times and the like can be written
	return text
}

func sampleRoute(ev *Event) map[string]any {
	members := map[string]any{
		"path": ev.Path, "service": nil, "status": ev.After, "reason": ev.Reason, "allowed_envs": []string{}, "allowed_roles": []string{},
		"allowed_ips": []string{}, "window": nil, "sunset_date": nil, "successor_path": nil, "rollout_percentage": 100,
		"force_active": ev.Action == state.ActionProtect,
	}
	if ev.Service != "" {
		members["service"] = ev.Service
	}
	if ev.After == state.EnvGated {
		members["allowed_envs"] = []string{"staging"}
	}
	if !ev.Start.IsZero() {
		members["window"] = map[string]any{"start": ev.Start, "end": ev.Until, "reason": ev.Reason}
	}
	return members
}
