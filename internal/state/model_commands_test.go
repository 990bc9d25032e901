package state_test

import (
	"slices"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// do carries out a command; false when the rules refuse it. Of a declaration, stored tells whether the flag that protects
// was stored: the rules only say when it must not be.
func (l *ledger) do(c state.Command, actor string, stored bool) bool {
	if c.Target.Global || c.Target.Service != "" {
		return l.doPull(c, actor)
	}
	k, ok := l.meant(c)
	if !ok {
		return false
	}
	switch c.Verb {
	case state.VerbRegister, state.VerbAdopt, state.VerbImport:
		return l.declare(c, actor, stored)
	case state.VerbProtect, state.VerbUnprotect:
	default:
		if l.guarded(k) {
			return false
		}
	}
	shown := c.Shown
	if k != c.Target.Key {
		shown = k.String()
	}
	switch c.Verb {
	case state.VerbEnable:
		l.enable(k, shown)
	case state.VerbDisable:
		return l.block(k, shown, state.EffectDisabled, c, actor)
	case state.VerbMaintenance:
		return l.block(k, shown, state.EffectMaintenance, c, actor)
	case state.VerbSchedule:
		return l.schedule(k, shown, c, actor)
	case state.VerbCancel:
		l.cancel(k, shown)
	case state.VerbEnv:
		l.gate(k, shown, c)
	case state.VerbDeprecate:
		l.deprecate(k, shown, c)
	case state.VerbProtect:
		return l.protect(k, shown)
	case state.VerbUnprotect:
		if n := l.name(k); n != nil && n.protected {
			n.protected, n.last = false, c.Verb
		}
	case state.VerbForget:
		return l.forget(k)
	}
	return true
}

// meant is the key that a command is about; false where a bare path is ambiguous.
func (l *ledger) meant(c state.Command) (state.Key, bool) {
	k := c.Target.Key
	declaring := c.Verb == state.VerbRegister || c.Verb == state.VerbAdopt || c.Verb == state.VerbImport
	if k.Method != "" || c.AnyMethod || declaring || l.name(k) != nil {
		return k, true
	}
	var with []state.Key
	for _, n := range l.names {
		if n.key.Service == k.Service && n.key.Path == k.Path && n.key.Method != "" {
			with = append(with, n.key)
		}
	}
	if len(with) == 0 {
		return k, true
	}
	if c.Verb == state.VerbForget && len(with) == 1 {
		return k, true // it may have been forgotten a moment ago
	}
	return with[0], len(with) == 1
}

// insideNow are the routes declared by now whose path is more specific than the template k, and that share a method
// and a service with it.
func (l *ledger) insideNow(k state.Key) []state.Key {
	if !slices.Contains([]byte(k.Path), '{') || k.Path[len(k.Path)-1] == '*' {
		return nil
	}
	var all []state.Key
	for _, n := range l.names {
		methods := methodWithin(n.key.Method, k.Method) || methodWithin(k.Method, n.key.Method)
		services := n.key.Service == "" || k.Service == "" || n.key.Service == k.Service
		if n.declared && methods && services && l.pathWithin(n.key.Path, k.Path, true) && !l.pathWithin(k.Path, n.key.Path, true) {
			all = append(all, n.key)
		}
	}
	return all
}

func (l *ledger) block(k state.Key, shown string, effect state.Effect, c state.Command, actor string) bool {
	switch {
	case !c.End.IsZero() && !c.End.After(l.now), !c.End.IsZero() && !c.Start.IsZero() && !c.End.After(c.Start):
		return false
	case !c.Start.IsZero() || !c.End.IsZero():
		verb := c.Verb
		if c.Start.After(l.now) {
			verb = state.VerbSchedule
		}
		l.addTimed(k, shown, effect, c, actor, verb)
		return true
	}
	is := &ledgerPart{key: k, kind: "standing", effect: effect, reason: c.Reason, by: actor, at: l.now}
	old := l.one(k, "standing")
	switch {
	case old == nil:
		is.except = l.insideNow(k)
	case old.effect == effect && old.reason == c.Reason && len(old.opened) == 0:
		return true
	default:
		is.except = slices.DeleteFunc(slices.Clone(old.except), func(e state.Key) bool { return slices.Contains(old.opened, e) })
		if effect == state.EffectDisabled {
			is.before = old
		}
		l.drop(old)
	}
	l.parts = append(l.parts, is)
	l.named(k, shown).last = c.Verb
	return true
}

func (l *ledger) addTimed(k state.Key, shown string, effect state.Effect, c state.Command, actor string, verb state.Verb) {
	is := &ledgerPart{
		key: k, kind: "timed", effect: effect, start: c.Start, end: c.End, reason: c.Reason, by: actor, at: l.now,
	}
	if is.start.IsZero() {
		is.start, is.until = l.now, true
	}
	if same := l.same(is); same != nil {
		if same.reason != is.reason {
			same.reason, same.by, same.at = is.reason, actor, l.now
			l.named(k, shown).last = verb
		}
		return
	}
	is.except = l.insideNow(k)
	l.parts = append(l.parts, is)
	l.named(k, shown).last = verb
}

// same is the timed part that says the same already.
func (l *ledger) same(is *ledgerPart) *ledgerPart {
	for _, p := range l.parts {
		if p.kind == "timed" && p.key == is.key && p.pull == is.pull && p.effect == is.effect && p.until == is.until &&
			p.end.Equal(is.end) && (p.start.Equal(is.start) || p.until) {
			return p
		}
	}
	return nil
}

// schedule knows the pair: a disable and a schedule by the same actor with the same reason within ten seconds, which
// begins at most five minutes ahead, are one disable with an end.
func (l *ledger) schedule(k state.Key, shown string, c state.Command, actor string) bool {
	if c.Start.IsZero() || c.End.IsZero() || !c.End.After(c.Start) || !c.End.After(l.now) {
		return false
	}
	soon := !c.Start.After(l.now.Add(5 * time.Minute))
	mine := func(p *ledgerPart) bool {
		return p.effect == state.EffectDisabled && p.by == actor && p.reason == c.Reason && l.now.Sub(p.at) <= 10*time.Second
	}
	if old := l.one(k, "standing"); soon && old != nil && mine(old) {
		l.drop(old)
		if old.before != nil {
			l.parts = append(l.parts, old.before)
		}
		is := &ledgerPart{
			key: k, kind: "timed", effect: state.EffectDisabled, start: old.at, end: c.End, until: true,
			reason: c.Reason, by: actor, at: l.now, except: old.except,
		}
		if same := l.same(is); same != nil {
			same.reason, same.by, same.at = is.reason, actor, l.now
		} else {
			l.parts = append(l.parts, is)
		}
		l.named(k, shown).last = state.VerbDisable
		return true
	}
	for _, p := range l.on(k, "timed") {
		if soon && p.until && p.end.Equal(c.End) && mine(p) {
			return true
		}
	}
	l.addTimed(k, shown, state.EffectMaintenance, c, actor, state.VerbSchedule)
	return true
}

func (l *ledger) cancel(k state.Key, shown string) {
	for _, p := range l.on(k, "timed") {
		if !p.until && !p.over(l.now) {
			l.drop(p)
			l.named(k, shown).last = state.VerbCancel
		}
	}
}

// cancelWindow drops the window that looks like w.
func (l *ledger) cancelWindow(w state.Window) {
	for _, p := range l.on(w.Target.Key, "timed") {
		if !p.until && p.effect == w.Effect && p.start.Equal(w.Start) && p.end.Equal(w.End) {
			l.drop(p)
			l.name(p.key).last = state.VerbCancel
		}
	}
}

func (l *ledger) enable(k state.Key, shown string) {
	ended := false
	for _, p := range slices.Clone(l.parts) {
		switch {
		case p.pull != "" || !p.blocks() || !p.runs(l.now):
		case p.key == k:
			l.drop(p)
			ended = true
		case l.within(k, p.key, true) && !l.leftAlone(k, p.except):
			p.except = append(slices.Clone(p.except), k)
			if p.kind == "standing" {
				p.opened = append(slices.Clone(p.opened), k)
			}
			ended = true
		}
	}
	n := l.name(k)
	if !ended && n != nil {
		for kind, verb := range map[string]state.Verb{"gate": state.VerbEnv, "deprecation": state.VerbDeprecate} {
			if p := l.one(k, kind); p != nil && n.last == verb {
				l.drop(p)
				ended = true
			}
		}
	}
	if ended {
		l.named(k, shown).last = state.VerbEnable
	}
}

func (l *ledger) gate(k state.Key, shown string, c state.Command) {
	old := l.one(k, "gate")
	is := &ledgerPart{key: k, kind: "gate", envs: c.Envs, reason: c.Reason, except: l.insideNow(k)}
	if old != nil {
		is.except = old.except
		l.drop(old)
	}
	if len(c.Envs) > 0 {
		l.parts = append(l.parts, is)
	}
	if old != nil || len(c.Envs) > 0 {
		l.named(k, shown).last = state.VerbEnv
	}
}

func (l *ledger) deprecate(k state.Key, shown string, c state.Command) {
	if old := l.one(k, "deprecation"); old != nil {
		l.drop(old)
	}
	l.parts = append(l.parts, &ledgerPart{key: k, kind: "deprecation", reason: c.Reason, sunset: c.Sunset, successor: c.Successor})
	l.named(k, shown).last = state.VerbDeprecate
}

func (l *ledger) protect(k state.Key, shown string) bool {
	if n := l.name(k); n != nil && n.protected {
		return true
	}
	for _, p := range l.parts {
		if p.pull == "" && p.refuses(l.now) && (l.within(k, p.key, true) || l.within(p.key, k, true)) {
			return false
		}
	}
	n := l.named(k, shown)
	n.protected, n.last = true, state.VerbProtect
	return true
}

func (l *ledger) forget(k state.Key) bool {
	n := l.name(k)
	if n == nil {
		return true
	}
	for _, p := range l.parts {
		if p.pull == "" && p.key == k && p.refuses(l.now) {
			return false
		}
	}
	l.names = slices.DeleteFunc(l.names, func(other *ledgerName) bool { return other == n })
	l.parts = slices.DeleteFunc(l.parts, func(p *ledgerPart) bool { return p.pull == "" && p.key == k })
	for _, p := range l.parts {
		for ; p != nil; p = p.before {
			gone := func(e state.Key) bool { return e == k }
			p.except = slices.DeleteFunc(slices.Clone(p.except), gone)
			p.opened = slices.DeleteFunc(slices.Clone(p.opened), gone)
		}
	}
	return true
}

func (l *ledger) declare(c state.Command, actor string, stored bool) bool {
	k, said := c.Target.Key, c.Declared
	n := l.name(k)
	known := n != nil
	if !said.End.IsZero() && !said.Start.IsZero() && !said.End.After(said.Start) && said.End.After(l.now) {
		return false
	}
	parts := l.declared(c, actor)
	if c.Verb == state.VerbImport {
		parts = slices.DeleteFunc(parts, func(p *ledgerPart) bool {
			return p.kind == "timed" && l.same(p) != nil || p.kind != "timed" && l.one(k, p.kind) != nil
		})
		if known && len(parts) > 0 && l.guarded(k) {
			return false
		}
	}
	n = l.named(k, c.Shown)
	n.declared = true
	if known && c.Verb != state.VerbImport {
		return true
	}
	for _, p := range parts {
		if p.kind != "deprecation" {
			p.except = l.insideNow(k)
		}
		l.parts = append(l.parts, p)
	}
	n.protected = n.protected || stored
	return true
}

// declared are the parts that a declaration stands for.
func (l *ledger) declared(c state.Command, actor string) []*ledgerPart {
	said := c.Declared
	part := ledgerPart{key: c.Target.Key, reason: said.Reason, by: actor, at: l.now}
	var parts []*ledgerPart
	timed := !said.Start.IsZero() || !said.End.IsZero()
	if timed && (said.End.IsZero() || said.End.After(l.now)) {
		p := part
		p.kind, p.effect, p.start, p.end = "timed", state.EffectMaintenance, said.Start, said.End
		if p.start.IsZero() {
			p.start, p.until = l.now, true
		}
		parts = append(parts, &p)
	}
	switch said.Status {
	case state.Deprecated:
		part.kind = "deprecation"
	case state.EnvGated:
		part.kind, part.envs = "gate", said.Envs
	case state.Disabled:
		part.kind, part.effect = "standing", state.EffectDisabled
	case state.Maintenance:
		if !timed {
			part.kind, part.effect = "standing", state.EffectMaintenance
		}
	}
	if part.kind != "" {
		parts = append(parts, &part)
	}
	return parts
}

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
		case s.spent && !on:
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
		l.parts = slices.DeleteFunc(l.parts, func(p *ledgerPart) bool { return p.pull == name && p.runs(l.now) })
		s.exempt, s.include = nil, false
		if s.spent {
			s.staged, s.spent = nil, false
		}
	case state.VerbExempt:
		list := &s.exempt
		if !on {
			list = &s.staged
			if s.spent {
				s.staged, s.spent = nil, false
			}
		}
		is := slices.DeleteFunc(slices.Clone(*list), func(e state.Key) bool { return slices.Contains(keysOf(c.Remove), e) })
		*list = append(is, keysOf(c.Add)...)
	}
	return true
}

// shut adds the part of a switch that an enable asks for.
func (l *ledger) shut(name string, c state.Command, actor string) {
	is := &ledgerPart{pull: name, kind: "standing", effect: state.EffectMaintenance, by: actor, at: l.now}
	if !c.End.IsZero() {
		is.kind, is.start, is.end, is.until = "timed", l.now, c.End, true
	}
	for _, p := range l.partsOfPull(name, l.now) {
		if p.kind == "standing" && is.kind == "standing" || is.kind == "timed" && p == l.same(is) {
			return
		}
	}
	l.parts = append(l.parts, is)
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
