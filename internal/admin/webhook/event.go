package webhook

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Event is one audit record on its way to one endpoint. It is what is kept until it is delivered.
type Event struct {
	// ID is the webhook-id: the same for every attempt, by whichever admin.
	ID string `json:"id"`
	// Epoch, Rev and Index are the place of the record in the log.
	Epoch string `json:"epoch"`
	Rev   uint64 `json:"rev"`
	Index int    `json:"index"`

	Action state.Action `json:"event"`
	// Path is the key as shown, or the sentinel path of a switch.
	Path    string `json:"path"`
	Service string `json:"service,omitempty"`
	Reason  string `json:"reason"`
	// At is when it happened: the time of the commit, and for what windows do by themselves the time it was due.
	At       time.Time      `json:"at"`
	Actor    string         `json:"actor,omitempty"`
	Platform state.Platform `json:"platform,omitempty"`
	Before   state.Status   `json:"before,omitempty"`
	After    state.Status   `json:"after,omitempty"`
	Start    time.Time      `json:"start,omitzero"`
	Until    time.Time      `json:"until,omitzero"`
	// State is the route or switch as the API answers it, at the event's revision or, where this admin had none so old, at
	// a later one; the revision in it tells.
	State json.RawMessage `json:"state,omitempty"`
	// Test marks a sample that nothing happened for.
	Test bool `json:"test,omitempty"`
}

// eventOf makes the event of a record.
func eventOf(endpoint string, f *state.Frame, e *state.Entry, index int) Event {
	r := e.Records[index]
	at := e.At
	if !r.Due.IsZero() {
		at = r.Due
	}
	return Event{
		ID:    messageID(f.Epoch, f.Rev, index, endpoint),
		Epoch: f.Epoch, Rev: f.Rev, Index: index, Action: r.Action, Path: r.Path, Service: r.Service, Reason: r.Reason,
		At: at, Actor: e.Actor, Platform: e.Platform, Before: r.Before, After: r.After, Start: r.Start, Until: r.Until,
	}
}

// messageID names a delivery: the same for every attempt and on every admin, and of no other delivery.
func messageID(epoch string, rev uint64, index int, endpoint string) string {
	return "msg_" + epoch + "." + strconv.FormatUint(rev, 10) + "." + strconv.Itoa(index) + "." + endpoint
}

// lane names what the event must keep its order with: the route key in canonical form, or the switch.
func (e *Event) lane() string {
	var t state.Target
	if err := t.UnmarshalText([]byte(e.Path)); err != nil {
		return e.Path
	}
	return t.String()
}

// passes reports whether requests pass after the event, as far as its own target goes.
func (e *Event) passes() bool { return e.After == state.Active || e.After == state.Deprecated }

// stamp writes an instant as clients read it: RFC 3339 in UTC, whole seconds without a fraction.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.999999Z07:00") }
