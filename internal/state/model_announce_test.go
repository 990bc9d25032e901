package state_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// someLeads are those of one story: they do not change while an admin runs.
func (l lot) someLeads() state.Leads {
	return state.Leads{
		Upcoming: draw(l, 0, time.Second, 5*time.Minute, 15*time.Minute),
		Ending:   draw(l, 0, time.Second, 5*time.Minute, 15*time.Minute),
	}
}

// wait lets time pass as it does for an admin: it keeps the horizon ahead, and announces in between and at the end,
// just before the next command.
func (s *story) wait(span time.Duration) {
	next := s.now.Add(span)
	for s.now.Before(next) && s.chance(3) {
		at := s.now.Add(time.Duration(s.Int64N(int64(next.Sub(s.now)) + 1)))
		s.pass(draw(s.lot, at, at.Truncate(10*time.Minute), s.doc.NextMoment(s.leads)), next)
	}
	s.pass(next, next)
}

// pass has it be an instant, unless it was already or comes after the last.
func (s *story) pass(at, last time.Time) {
	if at.Before(s.now) || at.After(last) {
		return
	}
	if horizon := s.doc.Horizon(); s.chance(12) || !horizon.IsZero() && !horizon.After(at) {
		s.extend(at)
	}
	s.now, s.model.now = at, at
	s.announce()
}

// announced is one thing that the ledger says a window did by itself.
type announced struct {
	at, start, until time.Time
	rank             int
	id, path         string
	action           state.Action
	before, after    state.Status
}

// announce puts into the log what windows did by themselves. It must be what the ledger says, and change nothing else.
func (s *story) announce() {
	want := s.due()
	c, err := state.Announce(s.doc, s.leads, s.now)
	require.NoError(s.t, err)
	var got []announced
	for _, r := range c.Records {
		got = append(got, announced{at: r.Due, start: r.Start, until: r.Until, id: r.Window, path: r.Path, action: r.Action, before: r.Before, after: r.After})
		s.moments[r.Action]++
	}
	if len(got) > 0 {
		s.told = append(s.told, fmt.Sprintf("%s announced: %d", s.now.Format(time.TimeOnly), len(got)))
	}
	require.Equal(s.t, want, got, s.history())
	was := s.snap
	s.flushed = s.now
	if len(c.Patch) > 0 {
		s.adopt(c.Patch)
	}
	again, err := state.Announce(s.doc, s.leads, s.now)
	require.NoError(s.t, err)
	require.Empty(s.t, again.Records, s.history())
	require.Empty(s.t, again.Patch, s.history())
	s.nextMomentIsNext()
	s.saysAsBefore(was, time.Time{})
}

// nextMomentIsNext: nothing is to be told before the instant that the document names, and something then.
func (s *story) nextMomentIsNext() {
	next := s.doc.NextMoment(s.leads)
	if next.IsZero() {
		require.Empty(s.t, s.doc.Due(s.leads, s.now.Add(24*time.Hour)), s.history())
		return
	}
	require.Greater(s.t, next, s.now, s.history())
	require.Empty(s.t, s.doc.Due(s.leads, next.Add(-time.Nanosecond)), s.history())
	require.NotEmpty(s.t, s.doc.Due(s.leads, next), s.history())
}

// saysAsBefore: from now until an instant (zero: for ever) no verdict is another than it was, and now no state is. Where
// more is known of what comes, the states say so; then they are not looked at.
func (s *story) saysAsBefore(was *state.Snapshot, until time.Time) {
	for range 4 {
		a, at := s.asked(), s.now.Add(time.Duration(s.IntN(7200))*time.Second)
		if until.IsZero() || at.Before(until) {
			before, after := was.Decide(a.request(), at), s.snap.Decide(a.request(), at)
			before.Revision = after.Revision
			require.Equal(s.t, before, after, "%s at %s\n%s", a, at, s.history())
		}
	}
	if until.IsZero() && s.chance(4) {
		require.Equal(s.t, was.Document().States(s.now, nil), s.snap.Document().States(s.now, nil), s.history())
		require.Equal(s.t, was.Document().GlobalState(s.now), s.snap.Document().GlobalState(s.now), s.history())
		require.Equal(s.t, was.Document().ServiceState("s1", s.now), s.snap.Document().ServiceState("s1", s.now), s.history())
	}
}

// extend makes more occurrences known than an instant needs.
func (s *story) extend(past time.Time) {
	until := s.doc.Horizon()
	need := past.Add(draw(s.lot, time.Second, 30*time.Minute, 3*time.Hour))
	through := need.Add(draw(s.lot, 0, 10*time.Minute, time.Hour))
	c, failed := state.Extend(s.doc, s.now, need, func(w *state.Window) (state.Expansion, error) {
		all, finished := seriesOf(s.lot, w.Recurs).before(through)
		return state.Expansion{Occurrences: all, Through: through, Finished: finished}, nil
	})
	require.Empty(s.t, failed)
	require.Empty(s.t, c.Records)
	for _, p := range s.model.parts {
		if r := p.recurs; r != nil && !r.finished && r.through.Before(need) {
			s.model.extend(p, seriesOf(s.lot, &r.rule), through)
		}
	}
	s.told = append(s.told, fmt.Sprintf("%s horizon of %d windows is %s", s.now.Format(time.TimeOnly), len(c.Patch), through.Format(time.TimeOnly)))
	if len(c.Patch) == 0 {
		return
	}
	s.extended++
	was := s.snap
	s.adopt(c.Patch)
	require.True(s.t, s.doc.Horizon().IsZero() || !s.doc.Horizon().Before(need), s.history())
	s.match()
	s.saysAsBefore(was, until)
}

// extend adds the spans of a series that begin before an instant, and were not known nor cancelled.
func (l *ledger) extend(p *ledgerPart, r series, through time.Time) {
	all, finished := r.before(through)
	for _, o := range all {
		if !o.Start.Before(p.recurs.through) && !slices.ContainsFunc(p.recurs.skipped, o.Start.Equal) {
			p.spans = append(p.spans, ledgerSpan{start: o.Start, end: o.End})
		}
	}
	p.recurs.through, p.recurs.finished = through, finished
}

// due are what timed parts did by themselves since the last announcement, in order. What is told ahead is what was
// ahead when the window was last changed; of an occurrence that was not known then, since when something was last told.
func (s *story) due() []announced {
	var all []announced
	for _, p := range s.model.parts {
		for _, span := range p.spans {
			all = append(all, s.momentsOf(p, span)...)
		}
	}
	slices.SortFunc(all, func(a, b announced) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id))
	})
	for i := range all {
		all[i].rank = 0 // not told
	}
	return all
}

func (s *story) momentsOf(p *ledgerPart, span ledgerSpan) (all []announced) {
	add := func(rank int, since, at time.Time, action state.Action) {
		if !at.After(since) || at.After(s.now) {
			return
		}
		m := announced{at: at, start: span.start, until: span.end, rank: rank, id: p.id, path: s.model.shownOf(p), action: action}
		m.before, m.after = s.model.statusOf(p, at.Add(-time.Nanosecond)), s.model.statusOf(p, at)
		all = append(all, m)
	}
	on, off := p.actions()
	if span.start.After(p.made) {
		add(3, s.flushed, span.start, on)
		if ahead := span.start.Add(-s.leads.Upcoming); s.leads.Upcoming > 0 && ahead.After(p.made) && ahead.After(p.at) {
			add(4, s.doc.Announced(), ahead, state.ActionUpcoming)
		}
	}
	if span.end.IsZero() {
		return all
	}
	add(1, s.flushed, span.end, off)
	if ahead := span.end.Add(-s.leads.Ending); s.leads.Ending > 0 && ahead.After(p.made) && ahead.After(p.at) && ahead.After(span.start) {
		add(2, s.doc.Announced(), ahead, state.ActionEnding)
	}
	return all
}

// actions are what the begin and the end of a part are called.
func (p *ledgerPart) actions() (on, off state.Action) {
	switch {
	case p.pull == "*":
		return state.ActionGlobalOn, state.ActionGlobalOff
	case p.pull != "":
		return state.ActionServiceOn, state.ActionServiceOff
	case p.status() == state.Disabled:
		return state.ActionDisable, state.ActionEnable
	default:
		return state.ActionMaintenanceOn, state.ActionMaintenanceOff
	}
}

// statusOf is the status of what a part is on.
func (l *ledger) statusOf(p *ledgerPart, at time.Time) state.Status {
	switch {
	case p.pull == "":
		return l.stateOf(p.key, at).status
	case len(l.partsOfPull(p.pull, at)) > 0:
		return state.Maintenance
	default:
		return state.Active
	}
}
