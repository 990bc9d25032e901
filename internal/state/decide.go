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
	if upper {
		return s.decideUpper(&q, req.Target[:n])
	}
	path := req.Target[:n]
	var hits [maxHits]*leaf
	views := [1]view{{path: path, hits: s.index.find(path, hits[:0])}}
	q.views = views[:]
	return s.judge(&q)
}

// maxScratch is how long a path with upper-case letters can be before memory is allocated to fold it.
const maxScratch = 512

// maxHits is how many paths of keys a request can match before a list is allocated.
const maxHits = 12

// decideUpper decides on a path of one reading that must be folded.
func (s *Snapshot) decideUpper(q *question, path string) Decision {
	var scratch [maxScratch]byte
	lower := appendFolded(scratch[:0], path)
	// The text is not kept: what is found are leaves of the index.
	folded := unsafe.String(unsafe.SliceData(lower), len(lower))
	var hits [maxHits]*leaf
	views := [1]view{{path: path, hits: s.index.find(folded, hits[:0])}}
	q.views = views[:]
	return s.judge(q)
}

// decideOdd decides on a target that may have several readings.
func (s *Snapshot) decideOdd(q *question, target string) Decision {
	paths, err := pathReadings(target)
	if err != nil {
		return s.unreadable(q)
	}
	q.views = make([]view, len(paths))
	for i, path := range paths {
		q.views[i] = view{path: path, hits: s.index.find(foldPath(path), nil)}
	}
	return s.judge(q)
}

// unreadable is the verdict on what cannot be read.
func (s *Snapshot) unreadable(q *question) Decision {
	d := s.pass()
	d.Unreadable = true
	if s.strict.any(q.service, q.now) {
		d.Cause = CauseUnreadable
	}
	return d
}

func (s *Snapshot) pass() Decision {
	return Decision{Status: Active, Revision: s.doc.Rev, Epoch: s.doc.Epoch}
}

// judge hears all that governs the request.
func (s *Snapshot) judge(q *question) Decision {
	var h hearing
	for i := range q.views {
		v := &q.views[i]
		for _, l := range v.hits {
			everyones, own := l.of(q.service)
			h.hearRules(q, v, everyones)
			h.hearRules(q, v, own)
		}
	}
	if !q.preflight {
		s.hearSwitches(&h, q)
	}
	return s.verdict(&h)
}

func (h *hearing) hearRules(q *question, v *view, rules leaf) {
	for _, r := range rules {
		if q.asks(r, v) {
			h.hearRule(q, r)
		}
	}
}

// hearRule adds what a rule that governs the request says.
func (h *hearing) hearRule(q *question, r *rule) {
	if r.deprecation != nil && (h.deprecated == nil || r.text < h.deprecated.text) {
		h.deprecated = r
	}
	gated := r.gate != nil && !q.admits(r.gate)
	if !gated && r.standing == nil && !r.timed.running(q.now) {
		return
	}
	scope := q.scope(r.key.Service)
	if q.protected(scope) {
		return
	}
	if gated && !q.lifted([2]*keySet{&r.gate.except}, scope, r.methods) {
		h.add(claim{cause: CauseEnvGated, text: r.text, shown: r.shown, gate: r.gate})
	}
	if r.standing != nil && !q.lifted([2]*keySet{&r.standing.except}, scope, r.methods) {
		h.add(claim{cause: r.standing.cause(), text: r.text, shown: r.shown, block: r.standing})
	}
	for i := r.timed.started(q.now) - 1; i >= 0 && r.timed[i].latest > q.now; i-- {
		s := &r.timed[i]
		if s.end > q.now && !q.lifted([2]*keySet{&s.block.except, s.except}, scope, r.methods) {
			h.add(claim{cause: s.block.cause(), text: r.text, shown: r.shown, block: s.block, until: s.until})
		}
	}
}

// hearSwitches adds what the switches in force say.
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

func (h *hearing) hearSwitch(q *question, s *shutter) {
	if s.standing == nil && !s.timed.running(q.now) {
		return
	}
	scope := q.scope(s.service)
	if q.lifted([2]*keySet{&s.exempt}, scope, everyMethod) || !s.includeProtected && q.protected(scope) {
		return
	}
	if s.standing != nil {
		h.add(claim{cause: s.standing.cause(), text: s.text, shown: s.text, block: s.standing})
	}
	for i := s.timed.started(q.now) - 1; i >= 0 && s.timed[i].latest > q.now; i-- {
		if t := &s.timed[i]; t.end > q.now {
			h.add(claim{cause: t.block.cause(), text: s.text, shown: s.text, block: t.block, until: t.until})
		}
	}
}

// verdict is the decision that follows from all that was heard.
func (s *Snapshot) verdict(h *hearing) Decision {
	d := s.pass()
	c := &h.strictest
	switch c.cause {
	case CauseNone:
		if h.deprecated != nil {
			d.Cause, d.Status, d.Path = CauseDeprecated, Deprecated, h.deprecated.shown
			d.Deprecation, d.Reason = h.deprecated.deprecation, h.deprecated.deprecation.Reason
		}
		return d
	case CauseEnvGated:
		d.Status, d.Reason, d.Envs = EnvGated, c.gate.Reason, c.gate.Envs
	default:
		d.Status, d.Effect, d.Reason = c.block.effect.Status(), c.block.effect, c.block.reason
	}
	d.Cause, d.Path = c.cause, c.shown
	if !h.endless {
		d.RetryAt = h.retryAt
	}
	return d
}

// cause is why a request is refused by the block.
func (b *block) cause() Cause {
	if b.effect.Status() == Disabled {
		return CauseDisabled
	}
	return CauseMaintenance
}
