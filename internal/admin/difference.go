package admin

import (
	"cmp"
	"slices"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// differences tells what a change does to the targets it touches.
func differences(doc *state.Document, change *state.Change) []Difference {
	after, err := doc.With(change.Patch, doc.Meta)
	if err != nil {
		return nil
	}
	var all []Difference
	for t := range touched(doc, after, change.Patch) {
		d := Difference{Path: t.String(), How: "changed"}
		if t.Key.Path == "" {
			d.Before, d.After = switchStatus(doc, t, change), switchStatus(after, t, change)
		} else {
			was, is := doc.State(t.Key, change.At), after.State(t.Key, change.At)
			d.Path, d.Before, d.After = is.Path, was.Status, is.Status
			_, had := doc.Route(t.Key)
			_, has := after.Route(t.Key)
			if !had {
				d.How = "added"
			} else if !has {
				d.How, d.Path = "removed", was.Path
			}
		}
		all = append(all, d)
	}
	slices.SortFunc(all, func(a, b Difference) int { return cmp.Compare(a.Path, b.Path) })
	return all
}

func switchStatus(doc *state.Document, t state.Target, change *state.Change) state.Status {
	st := doc.GlobalState(change.At)
	if !t.Global {
		st = doc.ServiceState(t.Service, change.At)
	}
	if st.Enabled {
		return state.Maintenance
	}
	return state.Active
}

// touched are the targets that a patch says something about. Its fields are named "g", "s:" and the service, "r:" and
// the key, "w:" and the window's id.
func touched(doc, after *state.Document, patch state.Patch) map[state.Target]struct{} {
	all := map[state.Target]struct{}{}
	for field := range patch {
		kind, name, _ := strings.Cut(field, ":")
		var t state.Target
		switch kind {
		case "g":
			t.Global = true
		case "s":
			t.Service = name
		case "r":
			if k, _, err := state.ParseKey(name); err == nil {
				t.Key = k
			}
		case "w":
			w, ok := after.Window(name)
			if !ok {
				w, _ = doc.Window(name)
			}
			t = w.Target
		}
		if t != (state.Target{}) {
			all[t] = struct{}{}
		}
	}
	return all
}

func actionOf(d Difference) state.Action {
	var t state.Target
	if err := t.UnmarshalText([]byte(d.Path)); err != nil {
		return state.ActionImport
	}
	on := d.After == state.Maintenance
	switch {
	case t.Global && on:
		return state.ActionGlobalOn
	case t.Global:
		return state.ActionGlobalOff
	case t.Service != "" && on:
		return state.ActionServiceOn
	case t.Service != "":
		return state.ActionServiceOff
	case d.How == "removed":
		return state.ActionForget
	default:
		return state.ActionImport
	}
}

func serviceOf(path string) string {
	var t state.Target
	if err := t.UnmarshalText([]byte(path)); err != nil {
		return ""
	}
	return cmp.Or(t.Service, t.Key.Service)
}
