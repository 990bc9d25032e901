package state

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Rewind finds what was said of one key at an earlier revision, from the document as it is and the log since, which it
// is given from its end backwards.
type Rewind struct {
	key   Key
	to    uint64
	at    uint64 // the revision up to which everything is undone
	route string // the name of the key's field
	find  []byte // that name as it stands in a payload
	// fields are the key's own, with null for none.
	fields Patch
	// open are fields whose earlier value no entry told yet: entries of older releases do not say what they replaced.
	open map[string]bool
}

// NewRewind begins at a document and goes back to a revision of its epoch.
func NewRewind(d *Document, k Key, to uint64) (*Rewind, error) {
	if to > d.Rev {
		return nil, Invalid("revision", "revision %d is still to come: this is %d", to, d.Rev)
	}
	r := &Rewind{key: k, to: to, at: d.Rev, route: fieldRoute + k.String(), fields: Patch{}, open: map[string]bool{}}
	find, err := json.Marshal(r.route)
	if err != nil {
		return nil, fmt.Errorf("encode the key: %w", err)
	}
	r.find = find
	names := []string{r.route}
	for w := range d.WindowsOn(Target{Key: k}) {
		names = append(names, fieldWindow+w.ID)
	}
	for _, name := range names {
		if err := d.copyField(name, r.fields); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Done reports whether nothing more is needed of the log.
func (r *Rewind) Done() bool { return r.at <= r.to && len(r.open) == 0 }

// Back takes the entry in that comes before those it was given. ErrGap: it is another one.
func (r *Rewind) Back(f *Frame) error {
	if f.Rev > r.at {
		return fmt.Errorf("going back from revision %d to %d: %w", r.at, f.Rev, ErrGap)
	}
	r.at = f.Rev - 1
	defer r.begin()
	if !bytes.Contains(f.Payload, r.find) && !bytes.Contains(f.Payload, []byte(`"`+fieldWindow)) {
		return nil
	}
	e, err := f.Entry()
	if err != nil {
		return err
	}
	for field, value := range e.Patch {
		if f.Rev <= r.to {
			if r.open[field] {
				r.fields[field] = value
				delete(r.open, field)
			}
			continue
		}
		if err := r.undo(&e, field, value); err != nil {
			return err
		}
	}
	return nil
}

// begin closes what is open where the first entry of all was taken in: before it there was nothing.
func (r *Rewind) begin() {
	if r.at > 0 {
		return
	}
	for field := range r.open {
		delete(r.fields, field)
	}
	clear(r.open)
}

// undo takes back what an entry set in one field. What the horizon added to a window is no harm, and what an
// announcement took out was over.
func (r *Rewind) undo(e *Entry, field string, value json.RawMessage) error {
	if e.Kind != KindChange && e.Kind != KindRegister {
		return nil
	}
	was, told := e.Was[field]
	own, err := r.owns(field, value, was)
	if err != nil || !own {
		return err
	}
	delete(r.open, field)
	if told {
		r.fields[field] = was
		return nil
	}
	r.open[field] = true
	return nil
}

// owns reports whether a field is the key's: its own, or that of a window on it. Values are told from both sides of a
// change, and one may be null.
func (r *Rewind) owns(field string, values ...json.RawMessage) (bool, error) {
	if !strings.HasPrefix(field, fieldWindow) {
		return field == r.route, nil
	}
	unknown := true
	for _, v := range values {
		if len(v) == 0 || string(v) == "null" {
			continue
		}
		var w struct {
			Target Target `json:"target"`
		}
		if err := json.Unmarshal(v, &w); err != nil {
			return false, fmt.Errorf("field %q: %w: %w", field, ErrDamaged, err)
		}
		unknown = false
		if w.Target.Key == r.key {
			return true, nil
		}
	}
	return unknown, nil
}

// Past is what was found. ErrGap: the log did not reach back far enough to tell.
func (r *Rewind) Past() (Past, error) {
	if !r.Done() {
		return Past{}, fmt.Errorf("what %s was at revision %d: %w", r.key, r.to, ErrGap)
	}
	var past Past
	for field, value := range r.fields {
		if len(value) == 0 || string(value) == "null" {
			continue
		}
		id, isWindow := strings.CutPrefix(field, fieldWindow)
		if !isWindow {
			past.Route = &Route{Key: r.key}
			if err := json.Unmarshal(value, past.Route); err != nil {
				return Past{}, fmt.Errorf("field %q: %w: %w", field, ErrDamaged, err)
			}
			continue
		}
		w := Window{ID: id}
		if err := json.Unmarshal(value, &w); err != nil {
			return Past{}, fmt.Errorf("field %q: %w: %w", field, ErrDamaged, err)
		}
		if w.Target.Key == r.key {
			past.Windows = append(past.Windows, w)
		}
	}
	slices.SortFunc(past.Windows, func(a, b Window) int { return cmp.Compare(a.ID, b.ID) })
	return past, nil
}
