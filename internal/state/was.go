package state

import (
	"encoding/json"
	"strings"
)

// Was is what the document holds under the fields that a patch sets: the patch that takes it back. A field that is not
// there is null. The mark of what is announced is left out: it is nobody's doing.
func (d *Document) Was(p Patch) (Patch, error) {
	was := make(Patch, len(p))
	for field := range p {
		if field == fieldAnnounced {
			continue
		}
		was[field] = json.RawMessage("null")
		if err := d.copyField(field, was); err != nil {
			return nil, err
		}
	}
	if len(was) == 0 {
		return nil, nil
	}
	return was, nil
}

// copyField puts a field of the document into a patch, if it is there. A switch that nobody touched is not there.
func (d *Document) copyField(field string, into Patch) error {
	switch {
	case field == fieldGlobal:
		if d.global.By != "" || d.global.Standing != nil {
			return into.SetGlobal(d.global)
		}
	case strings.HasPrefix(field, fieldService):
		name := field[len(fieldService):]
		if s, ok := d.services[name]; ok {
			return into.SetService(name, s)
		}
	case strings.HasPrefix(field, fieldWindow):
		if w, ok := d.Window(field[len(fieldWindow):]); ok {
			return into.SetWindow(w)
		}
	case strings.HasPrefix(field, fieldRoute):
		k, _, err := ParseKey(field[len(fieldRoute):])
		if err != nil {
			return err
		}
		if r, ok := d.Route(k); ok {
			return into.SetRoute(r)
		}
	}
	return nil
}
