package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
	// State is the route or switch as the API answers it, by the names of its members.
	State any
	Test  bool
}

// errTooLong ends a template that writes without end.
var errTooLong = errors.New("the template writes more than 64 KiB")

// parseTemplate reads the text of FormatTemplate and tries it on a sample; what it refuses is an *state.InvalidError.
func parseTemplate(text string) (*template.Template, error) {
	if text == "" {
		return nil, state.Invalid("template", "the format %q needs a template that yields JSON", FormatTemplate)
	}
	t, err := compile(text)
	if err != nil {
		return nil, state.Invalid("template", "the template cannot be read: %s", err)
	}
	for _, ev := range samples("sample") {
		if _, err := fill(text, &ev); err != nil {
			return nil, state.Invalid("template", "the template fails on %s: %s", ev.Action, err)
		}
	}
	return t, nil
}

func compile(text string) (*template.Template, error) {
	return template.New("template").Option("missingkey=zero").
		Funcs(template.FuncMap{"json": asJSON, "upper": strings.ToUpper, "lower": strings.ToLower}).Parse(text)
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

// bounded takes at most 64 KiB.
type bounded struct{ bytes.Buffer }

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > 64<<10 {
		return 0, errTooLong
	}
	return b.Buffer.Write(p)
}

// asJSON writes a value as JSON, for templates.
func asJSON(v any) (string, error) {
	text, err := json.Marshal(v)
	return string(text), err //nolint:wrapcheck // the template says where
}
