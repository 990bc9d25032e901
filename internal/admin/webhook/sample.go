package webhook

import (
	"encoding/json"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// sampleEpoch is the epoch of events that nothing happened for.
const sampleEpoch = "TEST"

// sampleAt is when samples happened, until somebody sends them.
var sampleAt = time.Date(2025, 6, 1, 2, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a constant

// samples are one event of each action, for templates to be tried on and for tests of an endpoint.
func samples(endpoint string) []Event {
	var all []Event
	for i, action := range Actions() {
		ev := Event{
			ID: messageID(sampleEpoch, uint64(i)+1, 0, endpoint), Epoch: sampleEpoch, Rev: uint64(i) + 1,
			Action: action, Path: "orders:GET:/payments", Service: "orders", Reason: "DB migration", At: sampleAt,
			Actor: "alice", Platform: state.PlatformCLI, Before: state.Active, After: state.Active, Test: true,
		}
		switch action {
		case state.ActionGlobalOn, state.ActionGlobalOff:
			ev.Path, ev.Service = state.GlobalPath, ""
		case state.ActionServiceOn, state.ActionServiceOff:
			ev.Path = state.ServicePath("orders")
		case state.ActionSchedule, state.ActionScheduleChange, state.ActionUpcoming:
			ev.Start, ev.Until = sampleAt.Add(time.Hour), sampleAt.Add(3*time.Hour)
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

// sampleState is the state that a sample carries.
func sampleState(ev *Event) json.RawMessage {
	members := map[string]any{"path": ev.Path, "status": ev.After, "reason": ev.Reason}
	if ev.Path == state.GlobalPath || ev.Path == state.ServicePath(ev.Service) {
		members = map[string]any{"enabled": ev.After == state.Maintenance, "reason": ev.Reason, "exempt_paths": []string{}, "include_force_active": false}
	}
	text, _ := json.Marshal(members) // strings and a boolean can be written
	return text
}
