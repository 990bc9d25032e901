package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// pagerDutyEvent is what the Events API v2 takes: https://developer.pagerduty.com/docs/send-alert-event.
type pagerDutyEvent struct {
	RoutingKey  string            `json:"routing_key"`
	EventAction string            `json:"event_action"`
	DedupKey    string            `json:"dedup_key"`
	Client      string            `json:"client,omitempty"`
	Payload     *pagerDutyPayload `json:"payload,omitempty"`
}

type pagerDutyPayload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp"`
	Component string            `json:"component,omitempty"`
	Class     string            `json:"class,omitempty"`
	Details   map[string]string `json:"custom_details,omitempty"`
}

// Bounds of the Events API v2, in characters.
const (
	maxDedupKey = 255
	maxSummary  = 1024
)

// notIncidents are events after which what is refused is what was refused before.
var notIncidents = []state.Action{ //nolint:gochecknoglobals // a table
	state.ActionUpcoming, state.ActionEnding, state.ActionSchedule, state.ActionScheduleChange, state.ActionProtect,
	state.ActionUnprotect, state.ActionExempt, state.ActionAdopt,
}

// opening are events that block nothing: where requests are refused after one, something else blocked them before.
var opening = []state.Action{ //nolint:gochecknoglobals // a table
	state.ActionEnable, state.ActionMaintenanceOff, state.ActionScheduleCancel, state.ActionDeprecate, state.ActionForget,
	state.ActionGlobalOff, state.ActionServiceOff,
}

// incident reports whether an event opens, changes or ends an incident.
func incident(ev *Event) bool {
	return ev.After != "" && !slices.Contains(notIncidents, ev.Action) && (ev.passes() || !slices.Contains(opening, ev.Action))
}

// pagerDutyOf triggers while requests are refused and resolves only once they pass: an enable under a block that is still
// there resolves nothing.
func pagerDutyOf(routingKey string, ev *Event) pagerDutyEvent {
	out := pagerDutyEvent{RoutingKey: routingKey, EventAction: "trigger", DedupKey: dedupKey(ev), Client: "waygate"}
	if ev.passes() {
		out.EventAction = "resolve"
		return out
	}
	summary := string(ev.Action) + " " + ev.Path
	if ev.Test {
		summary = "[test] " + summary
	}
	if ev.Reason != "" {
		summary += ": " + ev.Reason
	}
	p := pagerDutyPayload{
		Summary: cut(summary, maxSummary), Source: "waygate", Severity: "warning", Timestamp: stamp(ev.At),
		Component: ev.Service, Class: string(ev.Action), Details: map[string]string{},
	}
	if ev.After == state.Disabled {
		p.Severity = "error"
	}
	for _, f := range ev.facts() {
		p.Details[f.name] = f.value
	}
	out.Payload = &p
	return out
}

// dedupKey names the incident of a route key: the same for its trigger and its resolve.
func dedupKey(ev *Event) string {
	key := "waygate:" + ev.lane()
	if ev.Test {
		key = "waygate-test:" + ev.lane()
	}
	if len(key) <= maxDedupKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "waygate:" + hex.EncodeToString(sum[:])
}
