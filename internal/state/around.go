package state

import (
	"cmp"
	"iter"
	"slices"
)

// containing gives the routes whose key contains k, k's own among them, by key.
func (d *Document) containing(k Key) []Route { return sortedRoutes(d.routesAt(d.Containing(k))) }

// inside gives the routes whose key k contains, k's own among them, in no order.
func (d *Document) inside(k Key) []Route { return d.routesAt(d.Inside(k)) }

// overlapping gives the routes that share a request with k, k's own among them, in no order.
func (d *Document) overlapping(k Key) []Route { return d.routesAt(d.Overlapping(k)) }

// routesAt gives the routes of keys. A key that has nothing but windows is a route too.
func (d *Document) routesAt(keys iter.Seq[Key]) []Route {
	var found []Route
	for k := range keys {
		r, _ := d.Route(k)
		r.Key = k
		found = append(found, r)
	}
	return found
}

func sortedRoutes(found []Route) []Route {
	if len(found) > 1 {
		slices.SortFunc(found, func(a, b Route) int { return compareKeys(a.Key, b.Key) })
	}
	return found
}

// compareKeys orders keys by their text.
func compareKeys(a, b Key) int { return cmp.Compare(a.String(), b.String()) }

// lifts reports whether an exception (or an exemption, or a protected key) e surely lifts every request that k shares
// with owner, each spelled as k spells it: exceptions do not look past letter case.
func (e Key) lifts(k, owner Key) bool {
	if e.Service != "" && e.Service != k.Service && e.Service != owner.Service {
		return false
	}
	if !methodContains(e.Method, k.Method) && !methodContains(e.Method, owner.Method) {
		return false
	}
	return exactPatternOf(e.Path).contains(exactPatternOf(k.Path))
}

// liftedBy reports whether one of the keys lifts all that k shares with owner.
func liftedBy(keys []Key, k, owner Key) bool {
	return slices.ContainsFunc(keys, func(e Key) bool { return e.lifts(k, owner) })
}
