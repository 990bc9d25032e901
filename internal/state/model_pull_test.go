package state_test

import (
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// doPull carries out a command on a switch; false when the rules refuse it.
func (l *ledger) doPull(c state.Command, actor string) bool {
	name := c.Target.Service
	if c.Target.Global {
		name = "*"
	}
	s := l.pull(name)
	on := len(l.partsOfPull(name, l.now)) > 0
	switch c.Verb {
	case state.VerbEnable:
		if !c.End.IsZero() && !c.End.After(l.now) {
			return false
		}
		switch named := keysOf(c.Exempt); {
		case len(named) > 0:
			s.exempt, s.staged, s.spent = named, nil, false
		case s.spent && len(l.enables(name)) == 0:
			s.exempt, s.staged, s.spent = nil, nil, false
		default:
			s.exempt, s.spent = s.staged, len(s.staged) > 0
		}
		s.include = c.IncludeProtected
		l.shut(name, c, actor)
	case state.VerbDisable:
		if !on {
			return true
		}
		for _, p := range l.partsOfPull(name, l.now) {
			l.end(p)
		}
		s.exempt, s.include = nil, false
		if s.spent {
			s.staged, s.spent = nil, false
		}
	case state.VerbExempt:
		return l.exempt(name, on, keysOf(c.Add), keysOf(c.Remove))
	case state.VerbAddWindow:
		return l.addWindow(ledgerPart{pull: name}, "", c, actor)
	}
	return true
}

// enables are the parts of a switch in force that enables made.
func (l *ledger) enables(name string) []*ledgerPart {
	return slices.DeleteFunc(l.partsOfPull(name, l.now), func(p *ledgerPart) bool { return p.kind == "timed" && !p.until })
}

// shut adds the part of a switch that an enable asks for. All that enables made have one reason.
func (l *ledger) shut(name string, c state.Command, actor string) {
	is := &ledgerPart{pull: name, kind: "standing", effect: state.EffectMaintenance, reason: c.Reason, by: actor, at: l.now}
	if !c.End.IsZero() {
		is = l.timed(*is, l.now, c.End)
		is.until = true
	}
	have := slices.ContainsFunc(l.enables(name), func(p *ledgerPart) bool {
		return p.kind == "standing" && is.kind == "standing" || is.kind == "timed" && p == l.same(is)
	})
	if !have {
		l.parts = append(l.parts, is)
	}
	for _, p := range l.enables(name) {
		p.reason = c.Reason
	}
}

// exempt changes what the enable in force leaves alone, and every window that runs; of a switch that is off, what the
// next enable will.
func (l *ledger) exempt(name string, on bool, add, remove []state.Key) bool {
	amended := func(list, besides []state.Key) []state.Key {
		is := slices.DeleteFunc(slices.Clone(list), func(e state.Key) bool { return slices.Contains(remove, e) })
		for _, k := range add {
			if !slices.Contains(is, k) && !slices.Contains(besides, k) {
				is = append(is, k)
			}
		}
		return is
	}
	s := l.pull(name)
	if !on {
		if s.spent {
			s.staged, s.spent = nil, false
		}
		s.staged = amended(s.staged, nil)
		return true
	}
	running := slices.DeleteFunc(l.partsOfPull(name, l.now), func(p *ledgerPart) bool { return p.kind != "timed" || p.until })
	for _, p := range running {
		if p.recurs != nil && slices.ContainsFunc(remove, func(k state.Key) bool { return slices.Contains(p.except, k) }) {
			return false
		}
	}
	if len(l.enables(name)) > 0 {
		s.exempt = amended(s.exempt, nil)
	}
	for _, p := range running {
		if p.recurs == nil {
			p.except = amended(p.except, nil)
			continue
		}
		for i := range p.spans {
			if span := &p.spans[i]; span.holds(l.now) {
				span.except = amended(span.except, p.except)
			}
		}
	}
	return true
}

func keysOf(exemptions []state.Exemption) []state.Key {
	var all []state.Key
	for _, e := range exemptions {
		if !slices.Contains(all, e.Key) {
			all = append(all, e.Key)
		}
	}
	return all
}
