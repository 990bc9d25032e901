package state_test

import (
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// timed is a part with a span; without a start it begins now.
func (l *ledger) timed(is ledgerPart, start, end time.Time) *ledgerPart {
	is.kind, is.at, is.made = "timed", l.now, l.now
	if start.IsZero() {
		start, is.until = l.now, true
	}
	is.spans = []ledgerSpan{{start: start, end: end}}
	return &is
}

// addWindow adds a window to a key or a switch.
func (l *ledger) addWindow(on ledgerPart, shown string, c state.Command, actor string) bool {
	w := c.Window
	is := l.timed(on, l.now, time.Time{})
	is.effect, is.include, is.reason, is.by = w.Effect, w.IncludeProtected, c.Reason, actor
	if is.effect == "" {
		is.effect = state.EffectMaintenance
	}
	if is.pull == "" && (is.include || !is.shuts(is.key.Method)) || !l.plan(is, w) {
		return false
	}
	if same := l.same(is); same != nil {
		if same.include != is.include || slices.ContainsFunc(w.Except, func(e state.Key) bool { return !slices.Contains(same.except, e) }) {
			return false
		}
		if same.reason != is.reason {
			same.reason, same.by, same.at = is.reason, actor, l.now
			l.touched(is, shown, c.Verb)
		}
		return true
	}
	if is.pull == "" {
		is.except = l.insideNow(is.key)
	}
	is.except = append(is.except, w.Except...)
	l.parts = append(l.parts, is)
	l.touched(is, shown, c.Verb)
	return true
}

// touched remembers what was the last command on the key of a part.
func (l *ledger) touched(p *ledgerPart, shown string, verb state.Verb) {
	if p.pull == "" {
		l.named(p.key, shown).last = verb
	}
}

// plan gives a new window its spans; false where it has none to come.
func (l *ledger) plan(is *ledgerPart, w *state.Window) bool {
	if w.Recurs == nil {
		span := &is.spans[0]
		span.end = w.End
		if !w.Start.IsZero() {
			span.start = w.Start
		}
		return span.sound(l.now)
	}
	is.recurs = &ledgerSeries{rule: *w.Recurs, through: w.Through, finished: w.Finished}
	is.spans = nil
	for _, o := range w.Occurrences {
		if o.End.After(l.now) {
			is.spans = append(is.spans, ledgerSpan{start: o.Start, end: o.End})
		}
	}
	return len(is.spans) > 0
}

// sound reports whether a span is none that is over or inverted.
func (s *ledgerSpan) sound(now time.Time) bool {
	return s.end.IsZero() || s.end.After(s.start) && s.end.After(now)
}

// same is the oldest timed part that says the same already, and will or does refuse.
func (l *ledger) same(is *ledgerPart) *ledgerPart {
	var found *ledgerPart
	for _, p := range l.parts {
		if p.kind != "timed" || p.key != is.key || p.pull != is.pull || p.effect != is.effect || p.until != is.until ||
			p.over(l.now) || (p.recurs == nil) != (is.recurs == nil) {
			continue
		}
		said := false
		if p.recurs != nil {
			said = p.inStep(is, l.now)
		} else {
			have, want := p.spans[0], is.spans[0]
			said = have.end.Equal(want.end) && (have.start.Equal(want.start) || p.until && have.start.Before(want.start))
		}
		if said && (found == nil || p.id < found.id) {
			found = p
		}
	}
	return found
}

// inStep reports whether two parts recur by the same rule, wherever it was first counted from; one that counts how
// often must have been counted from the same instant.
func (p *ledgerPart) inStep(other *ledgerPart, now time.Time) bool {
	a, b := p.recurs.rule, other.recurs.rule
	if a == b {
		return true
	}
	a.First, b.First = "", ""
	next, ok := p.next(now)
	want, too := other.next(now)
	return a == b && !strings.Contains(a.Rule, "COUNT") && ok && too && next.Equal(want)
}

// next is when a part begins next.
func (p *ledgerPart) next(now time.Time) (time.Time, bool) {
	for _, s := range p.spans {
		if s.start.After(now) {
			return s.start, true
		}
	}
	return time.Time{}, false
}

// end takes away what runs of a part: all of it, unless it recurs.
func (l *ledger) end(p *ledgerPart) {
	l.without(p, func(s *ledgerSpan) bool { return s.holds(l.now) })
}

// without takes spans out of a part that recurs; another goes altogether.
func (l *ledger) without(p *ledgerPart, gone func(*ledgerSpan) bool) {
	if p.recurs == nil {
		l.drop(p)
		return
	}
	p.spans = slices.DeleteFunc(slices.Clone(p.spans), func(s ledgerSpan) bool { return gone(&s) })
}

// onWindow carries out a command on one timed part by its id.
func (l *ledger) onWindow(c state.Command, actor string) bool {
	p := l.byID(c.WindowID)
	if p == nil || p.pull == "" && l.guarded(p.key) {
		return false
	}
	done, changed := false, false
	switch {
	case c.Verb == state.VerbChangeWindow:
		done, changed = l.change(p, c)
	case c.Verb == state.VerbEndWindow:
		if done = p.runs(l.now); done {
			l.end(p)
			changed = true
		}
	case c.Occurrence.IsZero() || p.recurs == nil:
		if done = !p.until && (c.Occurrence.IsZero() || p.spans[0].start.Equal(c.Occurrence)); done {
			l.drop(p)
			changed = true
		}
	default:
		done, changed = l.skip(p, c.Occurrence)
	}
	if changed {
		p.by, p.at = actor, l.now
		l.touched(p, "", c.Verb)
	}
	return done
}

// skip cancels one occurrence. One that is not known yet is remembered.
func (l *ledger) skip(p *ledgerPart, at time.Time) (done, changed bool) {
	if p.span(at, l.now) != nil {
		l.without(p, func(s *ledgerSpan) bool { return s.start.Equal(at) })
		return true, true
	}
	if r := p.recurs; !r.finished && !at.Before(r.through) {
		if changed = !slices.ContainsFunc(r.skipped, at.Equal); changed {
			r.skipped = append(r.skipped, at)
		}
		return true, changed
	}
	return false, false
}

// span is the one that starts at an instant and is not over.
func (p *ledgerPart) span(at, now time.Time) *ledgerSpan {
	for i := range p.spans {
		if s := &p.spans[i]; s.start.Equal(at) && (s.end.IsZero() || s.end.After(now)) {
			return s
		}
	}
	return nil
}

// change gives a part another span and other words.
func (l *ledger) change(p *ledgerPart, c state.Command) (done, changed bool) {
	if c.Amend.Ticket != nil && strings.ContainsRune(*c.Amend.Ticket, '\t') {
		return false, false
	}
	if !c.Start.IsZero() || !c.End.IsZero() {
		span := l.meantSpan(p, c)
		if span == nil {
			return false, false
		}
		is, sound := span.moved(c, l.now)
		if !sound {
			return false, false
		}
		changed = !is.start.Equal(span.start) || !is.end.Equal(span.end)
		*span = is
	}
	if r := c.Amend.Reason; r != nil && *r != p.reason {
		p.reason, changed = *r, true
	}
	if t := c.Amend.Ticket; t != nil && *t != p.ticket {
		p.ticket, changed = *t, true
	}
	return true, changed
}

// moved is the span as a change leaves it; what began keeps its start.
func (s ledgerSpan) moved(c state.Command, now time.Time) (ledgerSpan, bool) {
	if !c.Start.IsZero() && !c.Start.Equal(s.start) {
		if !s.start.After(now) || !c.Start.After(now) {
			return s, false
		}
		s.start = c.Start
	}
	if !c.End.IsZero() {
		s.end = c.End
	}
	return s, s.sound(now)
}

// meantSpan is the span that a change moves: the one that it names, else the one that runs (of several the last that
// began), else the next. The start of an occurrence is what it is called by: it never moves.
func (l *ledger) meantSpan(p *ledgerPart, c state.Command) *ledgerSpan {
	if p.recurs == nil {
		if !c.Occurrence.IsZero() && !c.Occurrence.Equal(p.spans[0].start) {
			return nil
		}
		return &p.spans[0]
	}
	if !c.Start.IsZero() {
		return nil
	}
	if !c.Occurrence.IsZero() {
		return p.span(c.Occurrence, l.now)
	}
	if running := p.running(l.now); len(running) > 0 {
		return p.span(running[len(running)-1].start, l.now)
	}
	if at, ok := p.next(l.now); ok {
		return p.span(at, l.now)
	}
	return nil
}
