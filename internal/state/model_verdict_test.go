package state_test

import (
	"slices"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// said is the verdict of the ledger.
type said struct {
	status  state.Status
	speaker []string // any of these may be named: they have the same right to speak
	retryAt time.Time
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
	var refusing []*ledgerPart
	deprecated := ""
	for _, turn := range turns {
		refusing = append(refusing, l.refusing(methods, path, turn, env, at)...)
		for _, p := range l.parts {
			if p.kind == "deprecation" && l.governs(p.key, methods, path, turn) && (deprecated == "" || p.key.String() < deprecated) {
				deprecated = p.key.String()
			}
		}
	}
	if len(refusing) > 0 {
		return l.strictest(refusing)
	}
	if deprecated != "" {
		k, _, _ := state.ParseKey(deprecated)
		return said{status: state.Deprecated, speaker: []string{l.name(k).shown}}
	}
	return said{status: state.Active, speaker: []string{""}}
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
func (l *ledger) refusing(methods []string, path, service, env string, at time.Time) []*ledgerPart {
	var flags []state.Key
	for _, n := range l.names {
		if n.protected {
			flags = append(flags, n.key)
		}
	}
	protected := l.spared(flags, methods, path, service)
	var all []*ledgerPart
	for _, p := range l.parts {
		switch {
		case p.kind == "deprecation" || !p.runs(at):
		case p.pull != "":
			s := l.pull(p.pull)
			if (p.pull == "*" || p.pull == service) && !l.spared(s.exempt, methods, path, service) && (s.include || !protected) {
				all = append(all, p)
			}
		case protected || !l.governs(p.key, methods, path, service) || l.spared(p.except, methods, path, service):
		case p.kind == "gate" && env != "" && slices.Contains(p.envs, env):
		default:
			all = append(all, p)
		}
	}
	return all
}

func (p *ledgerPart) status() state.Status {
	switch {
	case p.kind == "gate":
		return state.EnvGated
	case p.kind == "deprecation":
		return state.Deprecated
	case p.effect == state.EffectDisabled:
		return state.Disabled
	default:
		return state.Maintenance
	}
}

// strictest says what parts that refuse come to.
func (l *ledger) strictest(refusing []*ledgerPart) said {
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
	is.speaker = []string{l.shownOf(speakerOf(refusing, is.status))}
	return is
}

// speakerOf is, of the parts with a status, the one that ends last; of equals the one on the lower key.
func speakerOf(parts []*ledgerPart, status state.Status) *ledgerPart {
	var last *ledgerPart
	for _, p := range parts {
		switch {
		case p.status() != status:
		case last == nil,
			p.end.IsZero() && !last.end.IsZero(),
			!last.end.IsZero() && p.end.After(last.end),
			p.end.Equal(last.end) && p.target() < last.target():
			last = p
		}
	}
	return last
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
func (l *ledger) stateOf(k state.Key) (state.Status, string) {
	var all []*ledgerPart
	guarded := l.guarded(k)
	for _, p := range l.parts {
		if p.pull != "" || !p.runs(l.now) || !l.within(k, p.key, true) || p.kind != "deprecation" && (guarded || l.leftAlone(k, p.except)) {
			continue
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return state.Active, ""
	}
	is := l.strictest(all)
	return is.status, is.speaker[0]
}
