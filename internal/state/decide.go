package state

import (
	"time"
	"unsafe"
)

// Decide gives the verdict on a request at an instant.
//
// A protected request is refused only by switches in force that include protected routes and do not exempt it. Any
// other is refused by the strictest of the switches in force that do not exempt it and all keys that govern it and do
// not except it. A request is blocked if it is under any of its readings, and exempt, excepted or protected only if it
// is under all. A request that cannot be read is refused while anything in its scope refuses anything.
//
// It is pure and does not allocate for a target with one reading.
func (s *Snapshot) Decide(req *Request, now time.Time) Decision {
	q := question{now: instantOf(now), service: req.Service, env: req.Env}
	if req.Unreadable || !q.readMethods(req) {
		return s.unreadable(&q)
	}
	n, upper, plain := plainPath(req.Target)
	if !plain {
		return s.decideOdd(&q, req.Target)
	}
	q.first.path = req.Target[:n]
	if upper {
		s.findFolded(&q.first)
	} else {
		s.index.find(q.first.path, &q.first.hits)
	}
	return s.judge(&q)
}

// maxScratch is how long a path with upper-case letters can be before memory is allocated to fold it.
const maxScratch = 512

// findFolded finds the rules of a view whose path must be folded.
func (s *Snapshot) findFolded(v *view) {
	var scratch [maxScratch]byte
	lower := appendFolded(scratch[:0], v.path)
	// The text lives no longer than this call: leaves do not refer to it.
	s.index.find(unsafe.String(unsafe.SliceData(lower), len(lower)), &v.hits)
}

// decideOdd decides on a target that may have several readings.
func (s *Snapshot) decideOdd(q *question, target string) Decision {
	paths, err := pathReadings(target)
	if err != nil || len(paths) == 0 {
		return s.unreadable(q)
	}
	q.others = make([]view, len(paths)-1)
	for i, path := range paths {
		v := q.view(i)
		v.path = path
		s.findFolded(v)
	}
	return s.judge(q)
}

// unreadable is the verdict on what cannot be read.
func (s *Snapshot) unreadable(q *question) Decision {
	d := s.idle
	d.Unreadable = true
	if s.strict.any(q.service, q.now) {
		d.Cause = CauseUnreadable
	}
	return d
}

// judge hears all that governs the request.
func (s *Snapshot) judge(q *question) Decision {
	d := s.idle
	if q.first.hits.len() == 0 && len(q.others) == 0 && s.global == nil && len(s.services) == 0 {
		return d
	}
	var h hearing
	if len(q.others) > 0 {
		h.heard = map[*rule]struct{}{}
	}
	for i := range q.views() {
		v := q.view(i)
		for j := range v.hits.len() {
			l := v.hits.at(j)
			everyones, own, end := l.of(q.service)
			h.hearRules(q, v, l, 0, everyones)
			h.hearRules(q, v, l, own, end)
		}
	}
	if !q.preflight {
		s.hearSwitches(&h, q)
	}
	h.speak(&d)
	return d
}

// hearSwitches hears the global switch and that of the request's service; all where that is not known.
func (s *Snapshot) hearSwitches(h *hearing, q *question) {
	if s.global != nil {
		h.hearSwitch(q, s.global)
	}
	switch {
	case len(s.services) == 0:
	case q.service != "":
		if own := s.services[q.service]; own != nil {
			h.hearSwitch(q, own)
		}
	default:
		for _, own := range s.services {
			h.hearSwitch(q, own)
		}
	}
}
