package filestore

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// byHand is who edited a document, as far as anybody knows.
const byHand = "file"

// normal reads the fields of a document that somebody wrote, as strictly as it can, and gives them as the store would
// have written them.
func (d *document) normal() (state.Patch, error) {
	p := state.Patch{}
	var global state.Switch
	if len(d.Global) > 0 {
		if err := strict(d.Global, &global); err != nil {
			return nil, fmt.Errorf("global: %w", err)
		}
		if err := p.SetGlobal(global); err != nil {
			return nil, err
		}
	}
	if len(d.Announced) > 0 {
		p[fieldAnnounced] = d.Announced
	}
	for name, text := range d.Services {
		if err := normalService(p, name, text); err != nil {
			return nil, fmt.Errorf("services: %s: %w", name, err)
		}
	}
	for key, text := range d.Routes {
		if err := normalRoute(p, key, text); err != nil {
			return nil, fmt.Errorf("routes: %s: %w", key, err)
		}
	}
	for id, text := range d.Windows {
		if err := normalWindow(p, id, text); err != nil {
			return nil, fmt.Errorf("windows: %s: %w", id, err)
		}
	}
	doc, err := state.NewDocument(d.Meta).With(p, d.Meta)
	if err != nil {
		return nil, err
	}
	return doc.Fields()
}

// strict decodes JSON in which every member means something.
func strict(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

func normalService(p state.Patch, name string, text []byte) error {
	if err := state.CheckService(name); err != nil {
		return err
	}
	var s state.Switch
	if err := strict(text, &s); err != nil {
		return err
	}
	if err := checkBlock(s.Standing); err != nil {
		return err
	}
	return p.SetService(name, s)
}

func normalRoute(p state.Patch, key string, text []byte) error {
	k, shown, err := state.ParseKey(key)
	if err != nil {
		return err
	}
	r := state.Route{Shown: shown, Origin: state.OriginImport}
	if err := strict(text, &r); err != nil {
		return err
	}
	r.Key = k
	if err := checkBlock(r.Standing); err != nil {
		return err
	}
	if _, twice := p[fieldRoute+k.String()]; twice {
		return fmt.Errorf("the key is there twice, in two spellings")
	}
	return p.SetRoute(r)
}

func normalWindow(p state.Patch, id string, text []byte) error {
	w := state.Window{Origin: state.OriginWindow}
	if err := strict(text, &w); err != nil {
		return err
	}
	w.ID = id
	switch {
	case id == "":
		return fmt.Errorf("a window needs a name")
	case w.Target == state.Target{}:
		return fmt.Errorf("a window needs a target: a route key, or the name of a switch as it stands in the log")
	case !w.End.IsZero() && !w.End.After(w.Start):
		return fmt.Errorf("the end must come after the start")
	case w.Recurs != nil && w.Through.IsZero():
		return fmt.Errorf("a window that recurs is made with waygate window add: its occurrences are worked out then")
	case w.Origin != state.OriginWindow && w.Origin != state.OriginUntil:
		return fmt.Errorf("the origin is %s or %s", state.OriginWindow, state.OriginUntil)
	}
	if err := checkEffect(w.Effect); err != nil {
		return err
	}
	return p.SetWindow(w)
}

func checkBlock(b *state.Block) error {
	if b == nil {
		return nil
	}
	return checkEffect(b.Effect)
}

func checkEffect(e state.Effect) error {
	if !slices.Contains(state.Effects(), e) {
		return fmt.Errorf("the effect is one of %v, not %q", state.Effects(), e)
	}
	return nil
}

// difference is the patch that leads from one set of fields to another. Both are as the store writes them.
func difference(from, to state.Patch) state.Patch {
	p := state.Patch{}
	for field, value := range to {
		if !bytes.Equal(from[field], value) {
			p[field] = value
		}
	}
	for field := range from {
		if _, ok := to[field]; !ok {
			p[field] = json.RawMessage("null")
		}
	}
	return p
}

// imported is the change that brings what was edited into the store.
func imported(patch state.Patch) state.Change {
	c := state.Change{Entry: state.Entry{
		Kind: state.KindChange, At: time.Now().UTC(), Actor: byHand, Platform: state.PlatformSystem, Patch: patch,
	}}
	for _, field := range slices.Sorted(maps.Keys(patch)) {
		r := state.Record{Action: state.ActionImport, Reason: "the document was edited by hand"}
		switch {
		case field == fieldGlobal:
			r.Path = state.GlobalPath
		case strings.HasPrefix(field, fieldService):
			r.Service = field[len(fieldService):]
			r.Path = state.ServicePath(r.Service)
		case strings.HasPrefix(field, fieldRoute):
			r.Path = field[len(fieldRoute):]
		default:
			r.Path = targetOf(patch[field])
		}
		c.Records = append(c.Records, r)
	}
	return c
}

// targetOf is what a window is about, empty for one that was removed.
func targetOf(text []byte) string {
	var w struct{ Target string }
	if json.Unmarshal(text, &w) != nil {
		return ""
	}
	return w.Target
}
