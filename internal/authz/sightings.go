package authz

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/waygate/waygate/internal/state"
)

// maxSightings bounds how many route keys, and how many templates of paths that no key governs, are counted.
const maxSightings = 256

// sightings counts which routes are asked for: that is how live traffic becomes known. It is bounded whatever clients
// send: paths are counted as templates, and of too many the least seen are forgotten.
type sightings struct {
	mu        sync.Mutex
	governed  map[string]*uint64 // by the key that decided, as shown
	templates map[string]*sighting
}

// sighting is how often one template was seen.
type sighting struct {
	key   state.Key
	count uint64
}

// add counts one check.
func (s *sightings) add(d *state.Decision, r *state.Request) {
	switch {
	case d.Unreadable:
	case d.Path != "" && !strings.HasPrefix(d.Path, "__"):
		s.addGoverned(d.Path)
	default:
		s.addTemplate(r)
	}
}

func (s *sightings) addGoverned(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.governed[key]
	if n == nil {
		if len(s.governed) >= maxSightings {
			return
		}
		if s.governed == nil {
			s.governed = map[string]*uint64{}
		}
		n = new(uint64)
		s.governed[key] = n
	}
	*n++
}

func (s *sightings) addTemplate(r *state.Request) {
	var scratch [maxTemplate]byte
	template, ok := appendTemplate(scratch[:0], r)
	if !ok {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seen := s.templates[string(template)]; seen != nil {
		seen.count++
	} else if len(s.templates) < maxSightings {
		s.discover(string(template))
	}
}

// discover begins to count a template. The lock is held.
func (s *sightings) discover(template string) {
	key, _, err := state.ParseKey(template)
	if err != nil {
		return // such a path cannot be named
	}
	if s.templates == nil {
		s.templates = map[string]*sighting{}
	}
	s.templates[template] = &sighting{key: key, count: 1}
}

// counts are the checks per route key, and those per template of a path for which the document knows no key.
func (s *sightings) counts(doc *state.Document) (hits, unseen map[string]uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hits, unseen = map[string]uint64{}, map[string]uint64{}
	for key, n := range s.governed {
		hits[key] = *n
	}
	for template, seen := range s.templates {
		if shown, known := knownAs(doc, seen.key); known {
			hits[shown] += seen.count
		} else {
			unseen[template] = seen.count
		}
	}
	s.prune()
	return hits, unseen
}

// prune forgets the quarter of the templates that were seen least, if there is no room for new ones.
func (s *sightings) prune() {
	if len(s.templates) < maxSightings {
		return
	}
	names := slices.SortedFunc(maps.Keys(s.templates), func(a, b string) int {
		return cmp.Compare(s.templates[a].count, s.templates[b].count)
	})
	for _, name := range names[:len(names)/4] {
		delete(s.templates, name)
	}
}

// knownAs looks for a key that names exactly these requests: with the service and method, or without one of them.
func knownAs(doc *state.Document, k state.Key) (shown string, known bool) {
	for _, candidate := range []state.Key{
		k, {Service: k.Service, Path: k.Path}, {Method: k.Method, Path: k.Path}, {Path: k.Path},
	} {
		if route, ok := doc.Route(candidate); ok {
			return route.Shown, true
		}
	}
	return "", false
}
