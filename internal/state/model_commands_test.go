package state_test

import (
	"slices"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// do carries out a command; false when the rules refuse it. Of a declaration, stored tells whether the flag that protects
// was stored: the rules only say when it must not be.
func (l *ledger) do(c state.Command, actor string, stored bool) bool {
	switch c.Verb {
	case state.VerbChangeWindow, state.VerbEndWindow, state.VerbCancelWindow:
		return l.onWindow(c, actor)
	}
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
	case state.VerbAddWindow:
		return l.addWindow(ledgerPart{key: k}, shown, c, actor)
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
	is := l.timed(ledgerPart{key: k, effect: effect, reason: c.Reason, by: actor}, c.Start, c.End)
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
		is := l.timed(ledgerPart{key: k, effect: state.EffectDisabled, reason: c.Reason, by: actor, except: old.except}, old.at, c.End)
		is.until = true
		if same := l.same(is); same != nil {
			same.reason, same.by, same.at = is.reason, actor, l.now
		} else {
			l.parts = append(l.parts, is)
		}
		l.named(k, shown).last = state.VerbDisable
		return true
	}
	for _, p := range l.on(k, "timed") {
		if soon && p.until && p.spans[0].end.Equal(c.End) && mine(p) {
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

func (l *ledger) enable(k state.Key, shown string) {
	ended := false
	for _, p := range slices.Clone(l.parts) {
		switch {
		case p.pull != "" || !p.blocks() || !p.runs(l.now):
		case p.key == k:
			l.end(p)
			ended = true
		case l.within(k, p.key, true) && p.shuts(k.Method):
			ended = l.openIn(p, k) || ended
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

// openIn has a part that runs leave a key alone; false where it did.
func (l *ledger) openIn(p *ledgerPart, k state.Key) bool {
	shut := slices.ContainsFunc(p.running(l.now), func(s ledgerSpan) bool { return !l.leftAlone(k, p.leaving(s)) })
	switch {
	case !shut:
	case p.recurs == nil:
		p.except = append(slices.Clone(p.except), k)
		if p.kind == "standing" {
			p.opened = append(slices.Clone(p.opened), k)
		}
	default:
		for i := range p.spans {
			if s := &p.spans[i]; s.holds(l.now) {
				s.except = append(slices.Clone(s.except), k)
			}
		}
	}
	return shut
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
			for i := range p.spans {
				p.spans[i].except = slices.DeleteFunc(slices.Clone(p.spans[i].except), gone)
			}
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
		p.effect = state.EffectMaintenance
		parts = append(parts, l.timed(p, said.Start, said.End))
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
