package state

import "slices"

// Resolve says which key a spelling means, and how that key is shown.
//
// A path without a method, that has no state of its own, stands for the one METHOD:path key that exists of it; when
// several exist it is an *AmbiguousError. ANY:/path is never taken for anything but every method. The same holds after
// a service prefix.
func (d *Document) Resolve(s Spelling) (Key, string, error) {
	if r, ok := d.Route(s.Key); ok {
		return s.Key, r.shownOr(s.Shown), nil
	}
	if s.Key.Method != "" || s.AnyMethod {
		return s.Key, shownOr(s.Shown, s.Key), nil
	}
	var matches []Route
	for _, m := range methods {
		if r, ok := d.Route(Key{Service: s.Key.Service, Method: m, Path: s.Key.Path}); ok {
			matches = append(matches, r)
		}
	}
	switch len(matches) {
	case 0:
		return s.Key, shownOr(s.Shown, s.Key), nil
	case 1:
		return matches[0].Key, matches[0].shownOr(""), nil
	}
	shown := make([]string, len(matches))
	for i := range matches {
		shown[i] = matches[i].shownOr("")
	}
	slices.Sort(shown)
	return Key{}, "", &AmbiguousError{Path: shownOr(s.Shown, s.Key), Matches: shown}
}

// Knows reports whether anybody declared a key or named it in a command. A set is known when a key inside it is.
func (d *Document) Knows(k Key) bool {
	if _, ok := d.Route(k); ok {
		return true
	}
	if k.IsSet() {
		for range d.Inside(k) {
			return true
		}
	}
	return false
}

// KnowsService reports whether a key or a switch names a service.
func (d *Document) KnowsService(name string) bool {
	for own := range d.switchNames() {
		if own == name {
			return true
		}
	}
	for r := range d.Routes() {
		if r.Key.Service == name {
			return true
		}
	}
	return false
}

// shown is how a key is shown: as it was first spelled.
func (d *Document) shown(k Key) string {
	r, _ := d.Route(k)
	return shownOr(r.Shown, k)
}

// shownAll gives keys as shown, sorted, each once.
func (d *Document) shownAll(keys []Key) []string {
	if len(keys) == 0 {
		return nil
	}
	all := make([]string, 0, len(keys))
	for _, k := range keys {
		all = append(all, d.shown(k))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *Route) shownOr(shown string) string {
	if r.Shown != "" {
		return r.Shown
	}
	return shownOr(shown, r.Key)
}

func shownOr(shown string, k Key) string {
	if shown == "" {
		return k.String()
	}
	return shown
}
