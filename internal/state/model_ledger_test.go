package state_test

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// ledger is the model that commands and verdicts are held against. It is told the rules and nothing else: one list of
// parts that is searched from end to end, and regular expressions for paths. It shares with the product the types of
// keys and commands, and no code.
type ledger struct {
	now   time.Time
	names []*ledgerName
	parts []*ledgerPart
	pulls map[string]*ledgerSwitch // by service; "*" is the global one
	// expressions remembers what pathExpression made.
	expressions map[pathMark]*regexp.Regexp
}

// pathMark is the path of a key, as it is spelled or in any letter case.
type pathMark struct {
	path string
	fold bool
}

// ledgerName is a key that somebody declared or named.
type ledgerName struct {
	key                 state.Key
	shown               string
	declared, protected bool
	last                state.Verb // the last command that changed something on it
}

// ledgerPart is one thing that was said about a key or a switch.
type ledgerPart struct {
	key    state.Key
	pull   string // of a switch: the service, or "*"
	kind   string // deprecation, gate, standing, timed
	effect state.Effect
	envs   []string
	// spans are when a timed part is in force: one, or what is known of one that recurs; until is set where no start
	// was sent.
	spans  []ledgerSpan
	until  bool
	recurs *ledgerSeries
	// id is what the product calls a timed part, and made when it was: what began by then is not announced.
	id     string
	made   time.Time
	reason string
	ticket string
	by     string
	at     time.Time
	// except are the keys left alone; opened those of them that an enable added to a standing part.
	except, opened []state.Key
	// include has a window of a switch hold for protected routes.
	include bool
	before  *ledgerPart // what a disable replaced
	// what a deprecation tells
	sunset    time.Time
	successor string
}

// ledgerSpan is from start until end, which is zero where there is none; except is for this span alone.
type ledgerSpan struct {
	start, end time.Time
	except     []state.Key
}

// ledgerSeries is what a part that recurs has besides.
type ledgerSeries struct {
	rule     state.Recurrence
	through  time.Time
	finished bool
	skipped  []time.Time
}

type ledgerSwitch struct {
	exempt, staged []state.Key
	spent, include bool
}

func newLedger(now time.Time) *ledger {
	return &ledger{now: now, pulls: map[string]*ledgerSwitch{}, expressions: map[pathMark]*regexp.Regexp{}}
}

// pathExpression is the path of a key as a regular expression.
func (l *ledger) pathExpression(path string, fold bool) *regexp.Regexp {
	mark := pathMark{path, fold}
	if have, ok := l.expressions[mark]; ok {
		return have
	}
	text := "^"
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		switch segment {
		case "":
		case "**":
			text += "(/.*)?"
		default:
			before, after, param := strings.Cut(segment, "{}")
			text += "/" + regexp.QuoteMeta(before)
			if param {
				text += "[^/]+" + regexp.QuoteMeta(after)
			}
		}
	}
	if path == "/" {
		text += "/"
	}
	text += "/?$"
	if fold {
		text = "(?i)" + text
	}
	made := regexp.MustCompile(text)
	l.expressions[mark] = made
	return made
}

// instances are request paths that stand for all that a path of a key matches: its parameters take a text that occurs
// in no key.
func instances(path string) []string {
	path = strings.ReplaceAll(path, "{}", "§")
	stem, rest := strings.CutSuffix(path, "/**")
	if !rest {
		return []string{path}
	}
	first := stem
	if stem == "" {
		first = "/"
	}
	return []string{first, stem + "/§", stem + "/§/§"}
}

// pathWithin reports whether all that inner matches is matched by outer.
func (l *ledger) pathWithin(inner, outer string, fold bool) bool {
	for _, path := range instances(inner) {
		if !l.pathExpression(outer, fold).MatchString(path) {
			return false
		}
	}
	return true
}

func methodWithin(inner, outer string) bool {
	return outer == "" || inner == outer || outer == "GET" && inner == "HEAD"
}

// within reports whether all requests of inner are requests of outer.
func (l *ledger) within(inner, outer state.Key, fold bool) bool {
	return (outer.Service == "" || inner.Service == outer.Service) && methodWithin(inner.Method, outer.Method) &&
		l.pathWithin(inner.Path, outer.Path, fold)
}

// leftAlone reports whether one of the keys covers k as it is spelled.
func (l *ledger) leftAlone(k state.Key, keys []state.Key) bool {
	return slices.ContainsFunc(keys, func(e state.Key) bool { return l.within(k, e, false) })
}

func (l *ledger) name(k state.Key) *ledgerName {
	for _, n := range l.names {
		if n.key == k {
			return n
		}
	}
	return nil
}

// named is the entry of a key, made if need be.
func (l *ledger) named(k state.Key, shown string) *ledgerName {
	if n := l.name(k); n != nil {
		return n
	}
	n := &ledgerName{key: k, shown: shown}
	l.names = append(l.names, n)
	return n
}

func (l *ledger) drop(gone *ledgerPart) {
	l.parts = slices.DeleteFunc(l.parts, func(p *ledgerPart) bool { return p == gone })
}

// on lists the parts of exactly this key that are of a kind.
func (l *ledger) on(k state.Key, kind string) []*ledgerPart {
	var all []*ledgerPart
	for _, p := range l.parts {
		if p.pull == "" && p.key == k && p.kind == kind {
			all = append(all, p)
		}
	}
	return all
}

func (l *ledger) one(k state.Key, kind string) *ledgerPart {
	for _, p := range l.on(k, kind) {
		return p
	}
	return nil
}

// holds reports whether an instant lies in the span.
func (s *ledgerSpan) holds(at time.Time) bool {
	return !at.Before(s.start) && (s.end.IsZero() || at.Before(s.end))
}

// running are the spans of a part that hold at an instant; of one that is not timed an endless one.
func (p *ledgerPart) running(at time.Time) []ledgerSpan {
	if p.kind != "timed" {
		return []ledgerSpan{{}}
	}
	var all []ledgerSpan
	for _, s := range p.spans {
		if s.holds(at) {
			all = append(all, s)
		}
	}
	return all
}

// runs reports whether a part is in force at an instant.
func (p *ledgerPart) runs(at time.Time) bool { return len(p.running(at)) > 0 }

// over reports whether a part is not in force at an instant and never will be.
func (p *ledgerPart) over(at time.Time) bool {
	if p.kind != "timed" || p.recurs != nil && !p.recurs.finished {
		return false
	}
	return !slices.ContainsFunc(p.spans, func(s ledgerSpan) bool { return s.end.IsZero() || at.Before(s.end) })
}

// leaving are the keys that a part leaves alone in one of its spans.
func (p *ledgerPart) leaving(s ledgerSpan) []state.Key {
	return append(slices.Clone(p.except), s.except...)
}

// shuts reports whether the part refuses requests of a method; none is any.
func (p *ledgerPart) shuts(method string) bool {
	return p.effect != state.EffectReadOnly || writes(method)
}

// writes reports whether a request of a method may change something; one of any method may.
func writes(method string) bool { return method != "GET" && method != "HEAD" && method != "OPTIONS" }

// blocks reports whether the part is a block rather than a gate or a deprecation.
func (p *ledgerPart) blocks() bool { return p.kind == "standing" || p.kind == "timed" }

// refuses reports whether the part refuses anything, now or later.
func (p *ledgerPart) refuses(now time.Time) bool { return p.kind != "deprecation" && !p.over(now) }

// guarded reports whether a key is protected: by its own flag or that of a key that contains it.
func (l *ledger) guarded(k state.Key) bool {
	return slices.ContainsFunc(l.names, func(n *ledgerName) bool { return n.protected && l.within(k, n.key, false) })
}

// byID finds the timed part that the product calls by an id; nil where nothing has it that is or will be in force.
func (l *ledger) byID(id string) *ledgerPart {
	for _, p := range l.parts {
		if p.id == id && p.kind == "timed" && !p.over(l.now) {
			return p
		}
	}
	return nil
}

// pull is a switch, made if need be.
func (l *ledger) pull(name string) *ledgerSwitch {
	if l.pulls[name] == nil {
		l.pulls[name] = &ledgerSwitch{}
	}
	return l.pulls[name]
}

// partsOfPull lists the parts of a switch that are in force.
func (l *ledger) partsOfPull(name string, at time.Time) []*ledgerPart {
	var all []*ledgerPart
	for _, p := range l.parts {
		if p.pull == name && p.runs(at) {
			all = append(all, p)
		}
	}
	return all
}
