package state

import (
	"hash/maphash"
	"iter"
	"maps"
	"sync/atomic"
	"time"
)

// Document is everything that is true at one revision, as it is stored. It is immutable: With makes another one, which
// shares with it all that the patch does not touch.
type Document struct {
	Meta
	seed     maphash.Seed
	global   Switch
	services map[string]Switch
	routes   table[Key, Route]
	windows  table[string, Window]
	on       table[Target, []string] // ids of the windows of each target, in order
	// announced is the instant up to which everything that windows do is in the log.
	announced time.Time
	tree      atomic.Pointer[keyTree] // of all keys; built when first asked for, kept up to date from then on
}

// Names of the fields of a document.
const (
	fieldGlobal    = "g"
	fieldService   = "s:"
	fieldRoute     = "r:"
	fieldWindow    = "w:"
	fieldAnnounced = "a"
)

// NewDocument is the empty document at meta.
func NewDocument(meta Meta) *Document { return &Document{Meta: meta, seed: maphash.MakeSeed()} }

// Route gives what is stored about exactly this key, and whether anything is.
func (d *Document) Route(k Key) (Route, bool) { return found(d.routes.get(d.hashKey(k), k)) }

// Routes yields all known routes in no particular order.
func (d *Document) Routes() iter.Seq[Route] { return values(&d.routes) }

// RouteCount is the number of known routes.
func (d *Document) RouteCount() int { return d.routes.count }

// Window gives a window by its id.
func (d *Document) Window(id string) (Window, bool) {
	return found(d.windows.get(maphash.String(d.seed, id), id))
}

// Windows yields all windows in no particular order.
func (d *Document) Windows() iter.Seq[Window] { return values(&d.windows) }

// WindowCount is the number of windows.
func (d *Document) WindowCount() int { return d.windows.count }

// WindowsOn yields the windows of exactly this target, by their ids.
func (d *Document) WindowsOn(t Target) iter.Seq[Window] {
	return func(yield func(Window) bool) {
		for _, id := range d.windowIDs(t) {
			if w, ok := d.Window(id); ok && !yield(w) {
				return
			}
		}
	}
}

func (d *Document) windowIDs(t Target) []string {
	ids, _ := found(d.on.get(maphash.Comparable(d.seed, t), t))
	return ids
}

// Global is the global switch.
func (d *Document) Global() Switch { return d.global }

// Service is the switch of a service; the zero Switch when it never was touched.
func (d *Document) Service(name string) Switch { return d.services[name] }

// Switches yields the services whose switch was touched.
func (d *Document) Switches() iter.Seq2[string, Switch] { return maps.All(d.services) }

// switchNames yields the services that have a switch or a window on it; some twice.
func (d *Document) switchNames() iter.Seq[string] {
	return func(yield func(string) bool) {
		for name := range d.services {
			if !yield(name) {
				return
			}
		}
		for t := range d.on.all() {
			if t.Service != "" && !yield(t.Service) {
				return
			}
		}
	}
}

func (d *Document) hashKey(k Key) uint64 { return maphash.Comparable(d.seed, k) }

func found[V any](have *V) (v V, ok bool) {
	if have == nil {
		return v, false
	}
	return *have, true
}

func values[K comparable, V any](t *table[K, V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		for _, v := range t.all() {
			if !yield(*v) {
				return
			}
		}
	}
}

// Fields is the document as a patch of the empty one: what stores keep.
func (d *Document) Fields() (Patch, error) {
	p := Patch{}
	if err := p.SetGlobal(d.global); err != nil {
		return nil, err
	}
	if !d.announced.IsZero() {
		if err := p.SetAnnounced(d.announced); err != nil {
			return nil, err
		}
	}
	for name, s := range d.services {
		if err := p.SetService(name, s); err != nil {
			return nil, err
		}
	}
	for _, r := range d.routes.all() {
		if err := p.SetRoute(*r); err != nil {
			return nil, err
		}
	}
	for _, w := range d.windows.all() {
		if err := p.SetWindow(*w); err != nil {
			return nil, err
		}
	}
	return p, nil
}
