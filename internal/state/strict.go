package state

import (
	"cmp"
	"hash/maphash"
	"math/bits"
)

// strictness knows whether anything is in force that refuses, so that what cannot be read is refused then and passes
// where Waygate is idle. A deprecation does not count: it refuses nothing. A gate counts also where it admits the
// environment, and a block also where all its requests are excepted: what cannot be read cannot be told from others.
type strictness struct {
	seed     maphash.Seed
	services table[string, tally] // by the service of the keys; the empty name is every service
}

// tally counts what refuses in one service: parts without an end, and spans of time.
type tally struct {
	fixed int
	spans tree[period, int]
}

// period is a span of time and the key of its count in a tally.
type period struct{ start, end int64 }

func (p period) compare(other period) int {
	return cmp.Or(cmp.Compare(p.start, other.start), cmp.Compare(p.end, other.end))
}

// weight spreads periods, so that the tree of a regular calendar stays flat.
func (p period) weight() uint64 {
	high, low := bits.Mul64(uint64(p.start)^0x9e3779b97f4a7c15, uint64(p.end)^0xbf58476d1ce4e5b9)
	high, low = bits.Mul64(high^low^uint64(p.start), 0x94d049bb133111eb)
	return high ^ low
}

// any reports whether in the scope of a service (empty: in any) something is in force at now.
func (s *strictness) any(service string, now int64) bool {
	if service == "" {
		for _, t := range s.services.all() {
			if t.inForce(now) {
				return true
			}
		}
		return false
	}
	return s.of("").inForce(now) || s.of(service).inForce(now)
}

func (s *strictness) of(service string) *tally { return s.services.get(s.hash(service), service) }

func (s *strictness) hash(service string) uint64 { return maphash.String(s.seed, service) }

func (t *tally) inForce(now int64) bool {
	if t == nil {
		return false
	}
	if t.fixed > 0 {
		return true
	}
	for b := t.spans.root; b != nil && b.high > now; {
		switch {
		case b.key.start > now:
			b = b.left
		case b.key.end > now || b.left != nil && b.left.high > now:
			return true // all to the left begin no later
		default:
			b = b.right
		}
	}
	return false
}

// exchange takes out what refused of a target and puts in what does now.
func (s *strictness) exchange(e *edit, service string, was, is refusals) {
	if was.fixed == is.fixed && was.timed.same(is.timed) {
		return
	}
	t := tally{spans: tree[period, int]{compare: period.compare}}
	if have := s.of(service); have != nil {
		t = *have
	}
	t.fixed += is.fixed - was.fixed
	for i := range was.timed {
		t.count(e, &was.timed[i], -1)
	}
	for i := range is.timed {
		t.count(e, &is.timed[i], 1)
	}
	if t.fixed == 0 && t.spans.root == nil {
		s.services.drop(e, s.hash(service), service)
		return
	}
	s.services.put(e, s.hash(service), service, t)
}

func (t *tally) count(e *edit, s *span, by int) {
	p := period{start: s.start, end: s.end}
	n, _ := t.spans.get(p)
	if n += by; n == 0 {
		t.spans = t.spans.without(e, p)
		return
	}
	t.spans = t.spans.with(e, p, n, p.weight(), p.end)
}

// refusals are the parts of one target that refuse.
type refusals struct {
	fixed int // standing blocks and gates
	timed timeline
}

func (r *rule) refusals() (all refusals) {
	if r == nil {
		return all
	}
	if r.standing != nil {
		all.fixed++
	}
	if r.gate != nil {
		all.fixed++
	}
	all.timed = r.timed
	return all
}

func (s *shutter) refusals() (all refusals) {
	if s == nil {
		return all
	}
	if s.standing != nil {
		all.fixed++
	}
	all.timed = s.timed
	return all
}

// same reports whether two timelines have the same spans of time.
func (l timeline) same(other timeline) bool {
	if len(l) != len(other) {
		return false
	}
	for i := range l {
		if l[i].start != other[i].start || l[i].end != other[i].end {
			return false
		}
	}
	return true
}
