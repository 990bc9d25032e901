package state

// hearing gathers all that is said about a request, and tells who speaks in the end.
type hearing struct {
	strictest claim
	// latest is what ends last; endless says that something has no end.
	latest  *occurrence
	endless bool
	// deprecated is the rule that speaks of those that deprecate.
	deprecated *rule
	// heard are the rules that were heard already; nil where the path has one reading, which finds each rule once.
	heard map[*rule]struct{}
}

// claim is one thing that refuses a request.
type claim struct {
	cause Cause
	name  *name
	block *block // nil for a gate
	gate  *gate
	timed *occurrence // nil for a standing part and a gate
}

// add hears one more claim.
func (h *hearing) add(c claim) {
	switch {
	case c.endless():
		h.endless = true
	case h.latest == nil || c.timed.until.After(h.latest.until):
		h.latest = c.timed
	}
	if h.strictest.cause == CauseNone || c.stronger(&h.strictest) {
		h.strictest = c
	}
}

func (c *claim) endless() bool { return c.timed == nil || c.timed.until.IsZero() }

// stronger reports whether c speaks rather than other: the stricter one, then the one that ends last, then the lower
// key, then the standing part and the older window.
func (c *claim) stronger(other *claim) bool {
	switch {
	case c.cause != other.cause:
		return c.cause > other.cause
	case c.endless() != other.endless():
		return c.endless()
	case !c.endless() && !c.timed.until.Equal(other.timed.until):
		return c.timed.until.After(other.timed.until)
	case c.name.text != other.name.text:
		return c.name.text < other.name.text
	default:
		return c.block != nil && other.block != nil && c.block.window < other.block.window
	}
}

// hearRules hears the rules of a leaf between two places that govern the request where it is read as v.
func (h *hearing) hearRules(q *question, v *view, l *leaf, from, to int) {
	for i := from; i < to; i++ {
		if r := l.at(i); q.asks(r, v) && h.first(r) {
			h.hearRule(q, r)
		}
	}
}

// first reports whether a rule was not heard before: what it says does not depend on the reading that finds it.
func (h *hearing) first(r *rule) bool {
	if h.heard == nil {
		return true
	}
	_, again := h.heard[r]
	h.heard[r] = struct{}{}
	return !again
}

// hearRule adds what a rule that governs the request says.
func (h *hearing) hearRule(q *question, r *rule) {
	if r.deprecation != nil && (h.deprecated == nil || r.name.text < h.deprecated.name.text) {
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
	if gated && !q.lifted(&r.gate.except, nil, scope, r.methods) {
		h.add(claim{cause: CauseEnvGated, name: &r.name, gate: r.gate})
	}
	if b := r.standing; b != nil && q.refusedBy(b, r.methods) && !q.lifted(&b.except, nil, scope, r.methods) {
		h.add(claim{cause: b.cause, name: &r.name, block: b})
	}
	for i := r.timed.started(q.now) - 1; i >= 0 && r.timed[i].latest > q.now; i-- {
		if r.timed[i].end <= q.now {
			continue
		}
		if o := r.timed[i].says; q.refusedBy(o.block, r.methods) && !q.lifted(&o.block.except, o.except, scope, r.methods) {
			h.add(claim{cause: o.block.cause, name: &r.name, block: o.block, timed: o})
		}
	}
}

// hearSwitch adds what a switch says.
func (h *hearing) hearSwitch(q *question, s *shutter) {
	if s.standing == nil && !s.timed.running(q.now) {
		return
	}
	scope := q.scope(s.service)
	if b := s.standing; b != nil && s.reaches(q, b, nil, scope) {
		h.add(claim{cause: b.cause, name: &s.name, block: b})
	}
	for i := s.timed.started(q.now) - 1; i >= 0 && s.timed[i].latest > q.now; i-- {
		if s.timed[i].end <= q.now {
			continue
		}
		if o := s.timed[i].says; s.reaches(q, o.block, o.except, scope) {
			h.add(claim{cause: o.block.cause, name: &s.name, block: o.block, timed: o})
		}
	}
}

// reaches reports whether a part of the switch refuses the request: a scheduled window by its own exceptions and flag,
// every other part by those of the switch.
func (s *shutter) reaches(q *question, b *block, more *keySet, scope string) bool {
	spared, include := &s.exempt, s.includeProtected
	if b.own {
		spared, include = &b.except, b.includeProtected
	}
	return q.refusedBy(b, everyMethod) && !q.lifted(spared, more, scope, everyMethod) && (include || !q.protected(scope))
}

// speak writes what was heard into the decision.
func (h *hearing) speak(d *Decision) {
	c := &h.strictest
	switch {
	case c.cause == CauseNone && h.deprecated == nil:
		return
	case c.cause == CauseNone:
		said := h.deprecated.deprecation
		d.Cause, d.Status, d.Path = CauseDeprecated, Deprecated, h.deprecated.name.shown
		d.Deprecation, d.Reason = said, said.Reason
		return
	case c.block == nil:
		d.Status, d.Reason, d.Envs = EnvGated, c.gate.Reason, c.gate.Envs
	default:
		d.Status, d.Effect, d.Reason = c.block.effect.Status(), c.block.effect, c.block.reason
	}
	d.Cause, d.Path = c.cause, c.name.shown
	if !h.endless {
		d.RetryAt = h.latest.until
	}
}
