package state

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"strings"
)

// Document is everything that is true at one revision, as it is stored. It is immutable: With makes another one.
type Document struct {
	Meta
	global   Switch
	services map[string]Switch
	routes   map[Key]Route
	windows  map[string]Window
}

// Names of the fields of a document.
const (
	fieldGlobal  = "g"
	fieldService = "s:"
	fieldRoute   = "r:"
	fieldWindow  = "w:"
)

// NewDocument is the empty document at meta.
func NewDocument(meta Meta) *Document {
	return &Document{Meta: meta, services: map[string]Switch{}, routes: map[Key]Route{}, windows: map[string]Window{}}
}

// Route gives what is stored about exactly this key, and whether anything is.
func (d *Document) Route(k Key) (Route, bool) { r, ok := d.routes[k]; return r, ok }

// Routes yields all known routes in no particular order.
func (d *Document) Routes() iter.Seq[Route] { return maps.Values(d.routes) }

// RouteCount is the number of known routes.
func (d *Document) RouteCount() int { return len(d.routes) }

// Window gives a window by its id.
func (d *Document) Window(id string) (Window, bool) { w, ok := d.windows[id]; return w, ok }

// Windows yields all windows in no particular order.
func (d *Document) Windows() iter.Seq[Window] { return maps.Values(d.windows) }

// WindowsOn yields the windows of exactly this target.
func (d *Document) WindowsOn(t Target) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for _, w := range d.windows {
			if w.Target == t && !yield(w) {
				return
			}
		}
	}
}

// Global is the global switch.
func (d *Document) Global() Switch { return d.global }

// Service is the switch of a service; the zero Switch when it never was touched.
func (d *Document) Service(name string) Switch { return d.services[name] }

// Switches yields the services whose switch was touched.
func (d *Document) Switches() iter.Seq2[string, Switch] { return maps.All(d.services) }

// With is the document after a patch, at meta. A patch that cannot be read is ErrDamaged and changes nothing.
func (d *Document) With(p Patch, meta Meta) (*Document, error) {
	next := &Document{
		Meta: meta, global: d.global,
		services: maps.Clone(d.services), routes: maps.Clone(d.routes), windows: maps.Clone(d.windows),
	}
	for field, value := range p {
		if err := next.set(field, value); err != nil {
			return nil, fmt.Errorf("field %q: %w: %w", field, ErrDamaged, err)
		}
	}
	return next, nil
}

func (d *Document) set(field string, value json.RawMessage) error {
	gone := len(value) == 0 || string(value) == "null"
	switch {
	case field == fieldGlobal:
		d.global = Switch{}
		return decodeUnless(gone, value, &d.global)
	case strings.HasPrefix(field, fieldService):
		return setField(d.services, field[len(fieldService):], gone, value)
	case strings.HasPrefix(field, fieldWindow):
		id := field[len(fieldWindow):]
		if err := setField(d.windows, id, gone, value); err != nil || gone {
			return err
		}
		w := d.windows[id]
		w.ID = id
		d.windows[id] = w
		return nil
	case strings.HasPrefix(field, fieldRoute):
		k, _, err := ParseKey(field[len(fieldRoute):])
		if err != nil {
			return err
		}
		if err := setField(d.routes, k, gone, value); err != nil || gone {
			return err
		}
		r := d.routes[k]
		r.Key = k
		d.routes[k] = r
		return nil
	default:
		return fmt.Errorf("unknown field")
	}
}

func setField[K comparable, V any](m map[K]V, k K, gone bool, value json.RawMessage) error {
	if gone {
		delete(m, k)
		return nil
	}
	var v V
	if err := json.Unmarshal(value, &v); err != nil {
		return err
	}
	m[k] = v
	return nil
}

func decodeUnless(gone bool, value json.RawMessage, v any) error {
	if gone {
		return nil
	}
	return json.Unmarshal(value, v)
}

// Fields is the document as a patch of the empty one: what stores keep.
func (d *Document) Fields() (Patch, error) {
	p := Patch{}
	if err := p.SetGlobal(d.global); err != nil {
		return nil, err
	}
	for name, s := range d.services {
		if err := p.SetService(name, s); err != nil {
			return nil, err
		}
	}
	for _, r := range d.routes {
		if err := p.SetRoute(r); err != nil {
			return nil, err
		}
	}
	for _, w := range d.windows {
		if err := p.SetWindow(w); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// SetGlobal puts the global switch into the patch.
func (p Patch) SetGlobal(s Switch) error { return p.put(fieldGlobal, s) }

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
