package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/template"

	"github.com/waygate/waygate/internal/state"
)

// Fields are what a template sees. Write values with the function json, which quotes them: {"text": {{json .Reason}}}.
type Fields struct {
	ID, Event, Path, Service, Reason, Timestamp  string
	Actor, Platform, Before, After, Start, Until string
	// Revision and Epoch are the event's place in the log.
	Revision uint64
	Epoch    string
	// State is the route or switch as the API answers it, by the names of its members; none where it is not known.
	State map[string]any
	Test  bool
}

// parseTemplate reads the text of FormatTemplate and tries it on a sample; what it refuses is an *state.InvalidError.
func parseTemplate(text string) (*template.Template, error) {
	if text == "" {
		return nil, state.Invalid("template", "the format %q needs a template that yields JSON", FormatTemplate)
	}
	t, err := compile(text)
	if err != nil {
		return nil, state.Invalid("template", "the template cannot be read: %s", err)
	}
	for _, ev := range samples(&Endpoint{ID: "sample"}, sampleAt) {
		if _, err := fill(text, &ev); err != nil {
			return nil, state.Invalid("template", "the template fails on %s: %s", ev.Action, err)
		}
	}
	return t, nil
}

// fill writes an event by a template.
func fill(text string, ev *Event) ([]byte, error) {
	t, err := compile(text)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	var out bounded
	if err := t.Execute(&out, fieldsOf(ev)); err != nil {
		return nil, fmt.Errorf("fill the template: %w", err)
	}
	if !json.Valid(out.Bytes()) {
		return nil, errors.New("what the template yields is not JSON")
	}
	return out.Bytes(), nil
}

func fieldsOf(ev *Event) Fields {
	f := Fields{
		ID: ev.ID, Event: string(ev.Action), Path: ev.Path, Service: ev.Service, Reason: ev.Reason, Timestamp: stamp(ev.At),
		Actor: ev.Actor, Platform: string(ev.Platform), Before: string(ev.Before), After: string(ev.After),
		Revision: ev.Rev, Epoch: ev.Epoch, Test: ev.Test,
	}
	if !ev.Start.IsZero() {
		f.Start = stamp(ev.Start)
	}
	if !ev.Until.IsZero() {
		f.Until = stamp(ev.Until)
	}
	_ = json.Unmarshal(ev.State, &f.State) // what is no JSON is nothing
	return f
}
