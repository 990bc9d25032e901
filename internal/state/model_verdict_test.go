package state_test

import (
	"slices"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// said is the verdict of the ledger.
type said struct {
	status          state.Status
	speaker, reason string
	retryAt         time.Time
}

// heard is a part that speaks, and the end of its span that does.
type heard struct {
	*ledgerPart
	end time.Time
}

// strictnessOf orders the statuses.
func strictnessOf(s state.Status) int {
	return slices.Index([]state.Status{state.Active, state.Deprecated, state.EnvGated, state.Maintenance, state.Disabled}, s)
}

// decide is the verdict on a request whose path has one reading but for its letter case, under one or more methods.
func (l *ledger) decide(methods []string, path, service, env string, at time.Time) said {
	turns := []string{service}
	if service == "" {
		turns = l.services()
	}
	var refusing []heard
	var deprecated *ledgerPart
	for _, turn := range turns {
		refusing = append(refusing, l.refusing(methods, path, turn, env, at)...)
		for _, p := range l.parts {
			if p.kind == "deprecation" && l.governs(p.key, methods, path, turn) && (deprecated == nil || p.target() < deprecated.target()) {
				deprecated = p
			}
		}
	}
	if len(refusing) > 0 {
		return l.strictest(refusing)
	}
	if deprecated != nil {
		return said{status: state.Deprecated, speaker: l.shownOf(deprecated), reason: deprecated.reason}
	}
	return said{status: state.Active}
}

// services are all that something names, and the one that nothing does.
func (l *ledger) services() []string {
	all := []string{""}
	for _, n := range l.names {
		all = append(all, n.key.Service)
	}
	for _, p := range l.parts {
		all = append(all, p.key.Service)
		if p.pull != "*" {
			all = append(all, p.pull)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// governs reports whether a key matches a request under any of its readings.
func (l *ledger) governs(k state.Key, methods []string, path, service string) bool {
	return (k.Service == "" || k.Service == service) && l.pathExpression(k.Path, true).MatchString(path) &&
		slices.ContainsFunc(methods, func(m string) bool { return methodWithin(m, k.Method) })
}

// spared reports whether keys match a request under all of its readings, as it is spelled.
func (l *ledger) spared(keys []state.Key, methods []string, path, service string) bool {
	for _, m := range methods {
		if !slices.ContainsFunc(keys, func(k state.Key) bool {
			return (k.Service == "" || k.Service == service) && methodWithin(m, k.Method) && l.pathExpression(k.Path, false).MatchString(path)
		}) {
			return false
		}
	}
	return true
}

// refusing lists the parts that refuse a request of a service.
func (l *ledger) refusing(methods []string, path, service, env string, at time.Time) []heard {
	var flags []state.Key
	for _, n := range l.names {
		if n.protected {
			flags = append(flags, n.key)
		}
	}
	protected := l.spared(flags, methods, path, service)
	var all []heard
	for _, p := range l.parts {
		if p.kind == "deprecation" || p.kind == "gate" && env != "" && slices.Contains(p.envs, env) {
			continue
		}
		for _, s := range p.running(at) {
			except, include, governs := p.leaving(s), p.include, p.pull == "*" || p.pull == service
			switch {
			case p.pull == "":
				governs = l.governs(p.key, methods, path, service)
			case p.kind == "standing" || p.until:
				except, include = l.pull(p.pull).exempt, l.pull(p.pull).include
			}
			if governs && p.refusesOneOf(methods) && !l.spared(except, methods, path, service) && (include || !protected) {
				all = append(all, heard{p, s.end})
			}
		}
	}
	return all
}

// refusesOneOf reports whether the effect is for one of the methods that the key of the part has.
func (p *ledgerPart) refusesOneOf(methods []string) bool {
	return p.effect != state.EffectReadOnly ||
		slices.ContainsFunc(methods, func(m string) bool { return writes(m) && methodWithin(m, p.key.Method) })
}

func (p *ledgerPart) status() state.Status {
	switch {
	case p.kind == "gate":
		return state.EnvGated
	case p.kind == "deprecation":
		return state.Deprecated
	case p.effect == state.EffectDisabled || p.effect == state.EffectGone:
		return state.Disabled
	default:
		return state.Maintenance
	}
}

// strictest says what parts that refuse come to.
func (l *ledger) strictest(refusing []heard) said {
	var is said
	endless := false
	for _, p := range refusing {
		if strictnessOf(p.status()) > strictnessOf(is.status) {
			is.status = p.status()
		}
		endless = endless || p.end.IsZero()
		if p.end.After(is.retryAt) {
			is.retryAt = p.end
		}
	}
	if endless {
		is.retryAt = time.Time{}
	}
	speaker := speakerOf(refusing, is.status)
	is.speaker, is.reason = l.shownOf(speaker), speaker.reason
	return is
}

// speakerOf is, of the parts with a status, the one that ends last; of equals the one on the lower key, and there the
// standing one or the older window.
func speakerOf(parts []heard, status state.Status) *ledgerPart {
	var last heard
	for _, p := range parts {
		switch {
		case p.status() != status:
		case last.ledgerPart == nil,
			p.end.IsZero() && !last.end.IsZero(),
			!last.end.IsZero() && p.end.After(last.end),
			p.end.Equal(last.end) && p.target() < last.target(),
			p.end.Equal(last.end) && p.target() == last.target() && p.id < last.id:
			last = p
		}
	}
	return last.ledgerPart
}

func (p *ledgerPart) target() string {
	switch p.pull {
	case "":
		return p.key.String()
	case "*":
		return "__global__"
	default:
		return "__waygate:svc_global:" + p.pull + "__"
	}
}

func (l *ledger) shownOf(p *ledgerPart) string {
	if p.pull != "" {
		return p.target()
	}
	return l.name(p.key).shown
}

// stateOf is the effective status of a key, and the key that makes it so: switches are not in it.
func (l *ledger) stateOf(k state.Key, at time.Time) said {
	var all []heard
	guarded := l.guarded(k)
	for _, p := range l.parts {
		if p.pull != "" || !l.within(k, p.key, true) || p.kind != "deprecation" && (guarded || !p.shuts(k.Method)) {
			continue
		}
		for _, s := range p.running(at) {
			if p.kind == "deprecation" || !l.leftAlone(k, p.leaving(s)) {
				all = append(all, heard{p, s.end})
			}
		}
	}
	if len(all) == 0 {
		return said{status: state.Active}
	}
	return l.strictest(all)
}

// stateOfPull tells whether a switch is on, what it surely leaves alone then (else: what the next enable will), and
// whether it holds for protected routes.
func (l *ledger) stateOfPull(name string, at time.Time) (on bool, exempt []state.Key, include bool) {
	s := l.pull(name)
	for _, p := range l.partsOfPull(name, at) {
		for _, span := range p.running(at) {
			except, is := p.leaving(span), p.include
			if p.kind == "standing" || p.until {
				except, is = s.exempt, s.include
			}
			if !on {
				exempt = slices.Clone(except)
			}
			exempt = slices.DeleteFunc(exempt, func(e state.Key) bool { return !slices.Contains(except, e) })
			on, include = true, include || is
		}
	}
	if !on && !s.spent {
		exempt = s.staged
	}
	return on, exempt, include
}
