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
			if p.blocks(k, c.Key) {
				found = append(found, Obstacle{Path: c.shownOr(""), Status: p.status, Reason: p.reason, Until: p.end})
			}
		}
	}
	for t := range d.switchesOver(k) {
		if p, ok := speakerOf(d.switchParts(t, now), func(p *restraint) bool { return p.blocks(k, ownerOf(t)) }); ok {
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
			if p := w.restraint(o); p.blocks(k, owner) {
				next = o.Start
			}
		}
	}
	for i := range over {
		consider(Target{Key: over[i].Key}, over[i].Key)
	}
	for t := range d.switchesOver(k) {
		consider(t, ownerOf(t))
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

// switchesOver yields the switches that a request of k can meet.
func (d *Document) switchesOver(k Key) iter.Seq[Target] {
	return func(yield func(Target) bool) {
		if !yield(Target{Global: true}) {
			return
		}
		if k.Service != "" {
			yield(Target{Service: k.Service})
			return
		}
		seen := map[string]bool{}
		for name := range d.switchNames() {
			if seen[name] {
				continue
			}
			seen[name] = true
			if !yield(Target{Service: name}) {
				return
			}
		}
	}
}

// ownerOf is what a switch governs, as a key: all requests, of its service or of every one.
func ownerOf(t Target) Key { return Key{Service: t.Service} }

// switchOn gives the part of a switch that speaks, and whether the switch is in force at all.
func (d *Document) switchOn(t Target, now time.Time) (speaker restraint, on bool) {
	return speakerOf(d.switchParts(t, now), func(*restraint) bool { return true })
}

// speakerOf gives the part that speaks of those that count, if any does.
func speakerOf(parts iter.Seq[restraint], counts func(*restraint) bool) (speaker restraint, any bool) {
	for p := range parts {
		if counts(&p) && (!any || p.speaksBefore(Key{}, &speaker, Key{})) {
			speaker, any = p, true
		}
	}
	return speaker, any
}

// switchParts yields the parts of a switch that are in force at now.
func (d *Document) switchParts(t Target, now time.Time) iter.Seq[restraint] {
	s := d.switchAt(t)
	return func(yield func(restraint) bool) {
		if s.Standing != nil && !yield(s.own(s.Standing.restraint())) {
			return
		}
		for w := range d.WindowsOn(t) {
			for o := range w.inForce(now) {
				p := w.restraint(o)
				if !w.scheduled() {
					p = s.own(p)
				}
				if !yield(p) {
					return
				}
			}
		}
	}
}

// own is a part with the exemptions and the flag of the switch: all have them but scheduled windows.
func (s *Switch) own(p restraint) restraint {
	p.include, p.except = s.IncludeProtected, nil
	for _, e := range s.Exempt {
		p.except = append(p.except, e.Key)
	}
	return p
}
