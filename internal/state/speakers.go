package state

// speakers finds the routes whose key contains another among those that have a say in the state of a key: a part that
// refuses, deprecates or protects. They are few where routes are many, so a list of all states asks them.
type speakers struct {
	literals map[string]*speakers
	params   []paramStep
	here     []Route // whose path ends here
	rest     []Route // whose path ends in ** here
}

// paramStep leads over a segment with a parameter.
type paramStep struct {
	over segment
	to   *speakers
}

// speakers gathers them from a document.
func (d *Document) speakers() *speakers {
	root := &speakers{}
	for r := range d.Routes() {
		if r.Deprecation != nil || r.Gate != nil || r.Standing != nil || r.Protected {
			root.add(r)
		}
	}
	for t := range d.on.all() {
		if r, _ := d.Route(t.Key); t.Key.Path != "" && r.Deprecation == nil && r.Gate == nil && r.Standing == nil && !r.Protected {
			r.Key = t.Key
			root.add(r)
		}
	}
	return root
}

func (s *speakers) add(r Route) {
	p := patternOf(r.Key.Path)
	for _, over := range p.segments {
		s = s.step(over)
	}
	if p.rest {
		s.rest = append(s.rest, r)
	} else {
		s.here = append(s.here, r)
	}
}

// step is the node behind a segment, made if need be.
func (s *speakers) step(over segment) *speakers {
	if over.param {
		for _, e := range s.params {
			if e.over == over {
				return e.to
			}
		}
		to := &speakers{}
		s.params = append(s.params, paramStep{over: over, to: to})
		return to
	}
	if s.literals == nil {
		s.literals = map[string]*speakers{}
	}
	to := s.literals[over.prefix]
	if to == nil {
		to = &speakers{}
		s.literals[over.prefix] = to
	}
	return to
}

// containing gives the routes whose key contains k, by key.
func (s *speakers) containing(k Key) []Route {
	p := patternOf(k.Path)
	return sortedRoutes(s.gather(k, p.segments, p.rest, nil))
}

func (s *speakers) gather(k Key, left []segment, rest bool, found []Route) []Route {
	found = appendFitting(found, s.rest, k)
	if len(left) == 0 {
		if !rest {
			found = appendFitting(found, s.here, k)
		}
		return found
	}
	if to := s.literals[left[0].prefix]; to != nil && !left[0].param {
		found = to.gather(k, left[1:], rest, found)
	}
	for _, e := range s.params {
		if e.over.contains(left[0]) {
			found = e.to.gather(k, left[1:], rest, found)
		}
	}
	return found
}

func appendFitting(found, routes []Route, k Key) []Route {
	for i := range routes {
		if routes[i].Key.scopeContains(k) {
			found = append(found, routes[i])
		}
	}
	return found
}
