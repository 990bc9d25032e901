package state_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// tellModel gives the command to the ledger, which must accept it exactly if the product did, and must say something
// else afterwards exactly if the product said that something changed.
func (s *story) tellModel(g *given, accepted bool) {
	r, _ := s.doc.Route(g.cmd.Target.Key)
	was := s.model.words()
	require.Equal(s.t, s.model.do(g.cmd, g.actor, r.Protected), accepted, s.history())
	if is := s.model.words(); (was != is) != g.out.Changed {
		require.Equal(s.t, was, is, s.history())
		require.False(s.t, g.out.Changed, s.history())
	}
	s.match()
}

// match holds the windows of the document against the timed parts of the ledger that are in force or to come: what is
// new in one is new in the other, and takes its name from there.
func (s *story) match() {
	open := map[string]*ledgerPart{}
	for _, p := range s.model.parts {
		if p.kind == "timed" && !p.over(s.now) {
			open[p.id] = p
		}
	}
	for w := range s.doc.Windows() {
		if w.Over(s.now) {
			continue
		}
		p := open[w.ID]
		if p == nil {
			p = open[""]
			require.NotNil(s.t, p, "window %s is not in the ledger\n%s", w.ID, s.history())
			delete(open, "")
			p.id = w.ID
		}
		delete(open, w.ID)
		require.Equal(s.t, p.words(s.now), wordsOf(&w, s.now), "window %s\n%s", w.ID, s.history())
	}
	require.Empty(s.t, open, s.history())
}

// words are what a timed part says of itself, and its spans that are not over.
func (p *ledgerPart) words(now time.Time) string {
	text := fmt.Sprintf("%s %s %q %q until=%t include=%t", p.target(), p.effect, p.reason, p.ticket, p.until, p.include)
	for _, span := range p.spans {
		if span.end.IsZero() || span.end.After(now) {
			text += fmt.Sprintf(" %s..%s %s", span.start, span.end, inOrder(p.leaving(span)))
		}
	}
	return text
}

// wordsOf are the same of a window.
func wordsOf(w *state.Window, now time.Time) string {
	until := w.Origin == state.OriginUntil
	text := fmt.Sprintf("%s %s %q %q until=%t include=%t", w.Target, w.Effect, w.Reason, w.Ticket, until, w.IncludeProtected)
	for _, o := range w.Spans() {
		if o.End.IsZero() || o.End.After(now) {
			text += fmt.Sprintf(" %s..%s %s", o.Start, o.End, inOrder(append(slices.Clone(w.Except), o.Except...)))
		}
	}
	return text
}

// words are all that the ledger says.
func (l *ledger) words() string {
	var all []string
	for _, p := range l.parts {
		skipped := 0
		if p.recurs != nil {
			skipped = len(p.recurs.skipped)
		}
		all = append(all, fmt.Sprint(p.kind, p.envs, p.successor, inOrder(p.except), inOrder(p.opened), skipped, p.words(time.Time{})))
	}
	for _, n := range l.names {
		all = append(all, fmt.Sprint(n.key, n.declared, n.protected, n.last))
	}
	for name, s := range l.pulls {
		staged := s.staged
		if s.spent {
			staged = nil // they count no more, and when they are cleared away is nobody's business
		}
		if len(s.exempt)+len(staged) > 0 || s.include {
			all = append(all, fmt.Sprint(name, inOrder(s.exempt), inOrder(staged), s.include))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// inOrder are keys, each once.
func inOrder(keys []state.Key) []string {
	var all []string
	for _, k := range keys {
		all = append(all, k.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// compareSwitches holds the states of switches against the ledger.
func (s *story) compareSwitches() {
	for name, st := range map[string]state.SwitchState{
		"*": s.snap.Document().GlobalState(s.now), "s1": s.snap.Document().ServiceState("s1", s.now), "s3": s.snap.Document().ServiceState("s3", s.now),
	} {
		on, exempt, include := s.model.stateOfPull(name, s.now)
		var keys []state.Key
		for _, path := range st.ExemptPaths {
			k, _, err := state.ParseKey(path)
			require.NoError(s.t, err)
			keys = append(keys, k)
		}
		require.Equal(s.t, on, st.Enabled, s.history())
		require.Equal(s.t, include, st.IncludeForceActive, s.history())
		require.Subset(s.t, keys, exempt, s.history())
		require.Subset(s.t, exempt, keys, s.history())
	}
}
