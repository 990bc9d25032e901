package state

import (
	"cmp"
	"iter"
	"slices"
	"time"
)

// Still is everything that at an instant blocks some request of a key: parts of the key, of keys that contain it, lie
// inside it or overlap it, and switches. The strictest come first.
func (d *Document) Still(k Key, now time.Time) []Obstacle {
	return d.stillOver(d.unprotectedOver(k), k, now)
}

// Next is the next instant after now at which something pending begins to block some request of a key; zero for none.
func (d *Document) Next(k Key, now time.Time) time.Time {
	return d.nextOver(d.unprotectedOver(k), k, now)
}

// stillOver is Still, given the routes that share a request with k.
func (d *Document) stillOver(over []Route, k Key, now time.Time) []Obstacle {
	var found []Obstacle
	for i := range over {
		c := &over[i]
		for p := range d.restraintsOn(c, now) {
			if !liftedBy(p.except, k, c.Key) {
				found = append(found, Obstacle{Path: c.shownOr(""), Status: p.status, Reason: p.reason, Until: p.end})
			}
		}
	}
	for t, s := range d.switchesOver(k) {
		if p, ok := d.switchOn(t, s, now); ok {
			found = append(found, Obstacle{Path: t.String(), Status: p.status, Reason: p.reason, Until: p.end})
		}
	}
	slices.SortFunc(found, func(a, b Obstacle) int {
		return cmp.Or(cmp.Compare(b.Status.rank(), a.Status.rank()), cmp.Compare(a.Path, b.Path), laterEnd(b.Until, a.Until))
	})
	return found
}

// nextOver is Next, given the routes that share a request with k.
func (d *Document) nextOver(over []Route, k Key, now time.Time) time.Time {
	var next time.Time
	consider := func(t Target, owner Key) {
		for w := range d.WindowsOn(t) {
			o, ok := w.upcoming(now)
			if !ok || !next.IsZero() && !o.Start.Before(next) {
				continue
			}
			if p := w.restraint(o); !liftedBy(p.except, k, owner) {
				next = o.Start
			}
		}
	}
	for i := range over {
		consider(Target{Key: over[i].Key}, over[i].Key)
	}
	for t := range d.switchesOver(k) {
		consider(t, Key{})
	}
	return next
}

// unprotectedOver gives the routes that share a request with k which no protected key lifts.
func (d *Document) unprotectedOver(k Key) []Route {
	over := d.overlapping(k)
	var protected []Key
	path := exactPatternOf(k.Path)
	for i := range over {
		if over[i].Protected && exactPatternOf(over[i].Key.Path).contains(path) {
			protected = append(protected, over[i].Key)
		}
	}
	if len(protected) == 0 {
		return over
	}
	return slices.DeleteFunc(over, func(c Route) bool { return liftedBy(protected, k, c.Key) })
}

// switchesOver yields the switches that a request of k can meet and that do not exempt all of it.
func (d *Document) switchesOver(k Key) iter.Seq2[Target, Switch] {
	return func(yield func(Target, Switch) bool) {
		if s := d.Global(); !s.exempts(k, Key{}) && !yield(Target{Global: true}, s) {
			return
		}
		if k.Service != "" {
			if s := d.Service(k.Service); !s.exempts(k, k) {
				yield(Target{Service: k.Service}, s)
			}
			return
		}
		seen := map[string]bool{}
		for name := range d.switchNames() {
			s := d.Service(name)
			if seen[name] || s.exempts(k, Key{Service: name}) {
				continue
			}
			seen[name] = true
			if !yield(Target{Service: name}, s) {
				return
			}
		}
	}
}

func (s *Switch) exempts(k, owner Key) bool {
	return slices.ContainsFunc(s.Exempt, func(e Exemption) bool { return e.Key.lifts(k, owner) })
}

// switchOn gives the part of a switch that speaks, and whether the switch is in force at all.
func (d *Document) switchOn(t Target, s Switch, now time.Time) (speaker restraint, on bool) {
	for p := range d.switchParts(t, s, now) {
		if !on || p.speaksBefore(Key{}, &speaker, Key{}) {
			speaker, on = p, true
		}
	}
	return speaker, on
}

// switchParts yields the parts of a switch that are in force at now.
func (d *Document) switchParts(t Target, s Switch, now time.Time) iter.Seq[restraint] {
	return func(yield func(restraint) bool) {
		if s.Standing != nil && !yield(s.Standing.restraint()) {
			return
		}
		for w := range d.WindowsOn(t) {
			if o, ok := w.Running(now); ok && !yield(w.restraint(o)) {
				return
			}
		}
	}
}
