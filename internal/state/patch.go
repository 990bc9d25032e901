package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"
)

// With is the document after a patch, at meta. It takes time proportional to the patch. A patch that cannot be read is
// ErrDamaged and changes nothing.
func (d *Document) With(p Patch, meta Meta) (*Document, error) {
	a := amendment{edit: new(edit), d: &Document{
		Meta: meta, seed: d.seed, global: d.global, services: d.services, routes: d.routes, windows: d.windows, on: d.on,
		announced: d.announced,
	}}
	var pace pace
	for field, value := range p {
		if err := a.set(field, value); err != nil {
			return nil, fmt.Errorf("field %q: %w: %w", field, ErrDamaged, err)
		}
		pace.step()
	}
	if t := d.tree.Load(); t != nil {
		a.d.tree.Store(t.amended(a.d, a.keys))
	}
	return a.d, nil
}

// amendment is a document in the making.
type amendment struct {
	*edit
	d        *Document
	services bool  // d.services is our own
	keys     []Key // that may have become known or unknown
}

func (a *amendment) set(field string, value json.RawMessage) error {
	gone := len(value) == 0 || string(value) == "null"
	switch {
	case field == fieldGlobal:
		return decoded(gone, value, func(s *Switch) { a.d.global = *s })
	case field == fieldAnnounced:
		return decoded(gone, value, func(t *time.Time) { a.d.announced = *t })
	case strings.HasPrefix(field, fieldService):
		return a.setService(field[len(fieldService):], gone, value)
	case strings.HasPrefix(field, fieldWindow):
		return a.setWindow(field[len(fieldWindow):], gone, value)
	case strings.HasPrefix(field, fieldRoute):
		return a.setRoute(field[len(fieldRoute):], gone, value)
	default:
		return errors.New("unknown field")
	}
}

// decoded hands the value to set, a zero one where it is gone.
func decoded[V any](gone bool, value json.RawMessage, set func(*V)) error {
	var v V
	if !gone {
		if err := json.Unmarshal(value, &v); err != nil {
			return err
		}
	}
	set(&v)
	return nil
}

func (a *amendment) setService(name string, gone bool, value json.RawMessage) error {
	return decoded(gone, value, func(s *Switch) {
		if !a.services {
			a.services = true
			a.d.services = maps.Clone(a.d.services)
		}
		if gone {
			delete(a.d.services, name)
			return
		}
		if a.d.services == nil {
			a.d.services = map[string]Switch{}
		}
		a.d.services[name] = *s
	})
}

func (a *amendment) setRoute(text string, gone bool, value json.RawMessage) error {
	k, _, err := ParseKey(text)
	switch {
	case err != nil:
		return err
	case text != k.String():
		// Two names of one field would be two fields to a store, and which one counts would be chance.
		return fmt.Errorf("the canonical name of this field is %q", fieldRoute+k.String())
	}
	return decoded(gone, value, func(r *Route) {
		a.keys = append(a.keys, k)
		if gone {
			a.d.routes.drop(a.edit, a.d.hashKey(k), k)
			return
		}
		r.Key = k
		a.d.routes.put(a.edit, a.d.hashKey(k), k, *r)
	})
}

func (a *amendment) setWindow(id string, gone bool, value json.RawMessage) error {
	var w Window
	if err := decoded(gone, value, func(v *Window) { w = *v }); err != nil {
		return err
	}
	if !gone && w.Target == (Target{}) {
		return errors.New("a window has a target")
	}
	hash := maphash.String(a.d.seed, id)
	if was := a.d.windows.get(hash, id); was != nil {
		a.setOn(was.Target, func(ids []string) []string {
			return slices.DeleteFunc(ids, func(have string) bool { return have == id })
		})
	}
	if gone {
		a.d.windows.drop(a.edit, hash, id)
		return nil
	}
	w.ID = id
	a.d.windows.put(a.edit, hash, id, w)
	a.setOn(w.Target, func(ids []string) []string {
		i, _ := slices.BinarySearch(ids, id)
		return slices.Insert(ids, i, id)
	})
	return nil
}

// setOn changes the list of windows of a target.
func (a *amendment) setOn(t Target, change func([]string) []string) {
	if t.Key.Path != "" {
		a.keys = append(a.keys, t.Key)
	}
	hash := maphash.Comparable(a.d.seed, t)
	ids := change(slices.Clone(a.d.windowIDs(t)))
	if len(ids) == 0 {
		a.d.on.drop(a.edit, hash, t)
		return
	}
	a.d.on.put(a.edit, hash, t, ids)
}

// SetGlobal puts the global switch into the patch.
func (p Patch) SetGlobal(s Switch) error { return p.put(fieldGlobal, s) }

// SetAnnounced puts into the patch up to when everything that windows do is in the log.
func (p Patch) SetAnnounced(t time.Time) error { return p.put(fieldAnnounced, t) }

// SetService puts a service's switch into the patch.
func (p Patch) SetService(name string, s Switch) error { return p.put(fieldService+name, s) }

// SetRoute puts a route into the patch.
func (p Patch) SetRoute(r Route) error { return p.put(fieldRoute+r.Key.String(), r) }

// DropRoute removes a route by the patch.
func (p Patch) DropRoute(k Key) { p[fieldRoute+k.String()] = json.RawMessage("null") }

// SetWindow puts a window into the patch.
func (p Patch) SetWindow(w Window) error { return p.put(fieldWindow+w.ID, w) }

// DropWindow removes a window by the patch.
func (p Patch) DropWindow(id string) { p[fieldWindow+id] = json.RawMessage("null") }

func (p Patch) put(field string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", field, err)
	}
	p[field] = text
	return nil
}
