package state

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Told is one field that an entry set: its name, and its value before and after; null is none.
type Told struct {
	Field         string
	Target        Target
	Before, After json.RawMessage
}

// Told lists what the entry set, but for the mark of what is announced, with the target that each field is about.
func (e *Entry) Told() []Told {
	var all []Told
	for field, after := range e.Patch {
		if field == fieldAnnounced {
			continue
		}
		t := Told{Field: field, Before: orNull(e.Was[field]), After: orNull(after)}
		switch name := ""; {
		case field == fieldGlobal:
			t.Target.Global = true
		case cutField(field, fieldService, &name):
			t.Target.Service = name
		case cutField(field, fieldRoute, &name):
			t.Target.Key, _, _ = ParseKey(name) // a field that was committed has a name that can be read
		default:
			t.Target = targetIn(t.After, t.Before)
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b Told) int { return cmp.Compare(a.Field, b.Field) })
	return all
}

func cutField(field, prefix string, name *string) bool {
	rest, ok := strings.CutPrefix(field, prefix)
	*name = rest
	return ok
}

// targetIn is the target of a window, from the first value that is one.
func targetIn(values ...json.RawMessage) Target {
	for _, v := range values {
		var w struct {
			Target Target `json:"target"`
		}
		if string(v) != "null" && json.Unmarshal(v, &w) == nil {
			return w.Target
		}
	}
	return Target{}
}

func orNull(v json.RawMessage) json.RawMessage {
	if len(v) == 0 {
		return json.RawMessage("null")
	}
	return v
}
