package state_test

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// checkLaws holds an accepted command to what every command must keep.
func (g *given) checkLaws() {
	g.repeatChangesNothing()
	g.opensOnlyWhatItMay()
	g.windowsEndOpensOnlyItsOwn()
	g.enableOpensOrSays()
	g.openInsideIsNamed()
	g.protectionIsStoredUnlessBlocked()
}

// repeatChangesNothing: the same command given again changes nothing. What ended, moved or took away a window may also
// be refused: there is nothing left that it could be about.
func (g *given) repeatChangesNothing() {
	change, outs, err := g.execute(g.story.doc)
	if err != nil {
		g.refusesToRepeat(err)
		return
	}
	require.False(g.t, outs[0].Changed, g.history())
	require.Empty(g.t, change.Patch, g.history())
	require.Empty(g.t, change.Records, g.history())
}

func (g *given) refusesToRepeat(err error) {
	var ambiguous *state.AmbiguousError
	var invalid *state.InvalidError
	switch {
	case errors.Is(err, state.ErrNotFound) && g.cmd.Verb == state.VerbChangeWindow:
		// the occurrence has another start now
		require.False(g.t, g.cmd.Occurrence.IsZero() || g.cmd.Start.IsZero(), g.history())
	case errors.Is(err, state.ErrNotFound):
		require.Contains(g.t, []state.Verb{state.VerbEndWindow, state.VerbCancelWindow}, g.cmd.Verb, g.history())
	case errors.As(err, &ambiguous):
		// the path has no state of its own any more, and several keys have a method of it
		require.Equal(g.t, state.VerbForget, g.cmd.Verb, g.history())
	case errors.As(err, &invalid):
		require.Equal(g.t, state.VerbEndWindow, g.cmd.Verb, "%s\n%s", err, g.history())
	default:
		require.NoError(g.t, err, g.history())
	}
}

// mayOpen are the commands that are given to open something; all others open nothing at all.
var mayOpen = []state.Verb{
	state.VerbEnable, state.VerbCancel, state.VerbCancelWindow, state.VerbEndWindow, state.VerbChangeWindow, state.VerbEnv,
	state.VerbProtect, state.VerbDisable, state.VerbExempt,
}

// opensOnlyWhatItMay: no registration, import or adoption opens anything, nor does adding a block or a window; and a
// command that opens something opens requests of its own key, or what its own switch or window alone had shut.
func (g *given) opensOnlyWhatItMay() {
	for range 20 {
		a := g.asked()
		if g.chance(2) && g.out.Target.Key.Path != "" {
			a = g.askedOf(g.out.Target.Key)
		}
		at := g.now.Add(time.Duration(g.IntN(120)) * time.Minute)
		before, after := g.was.Decide(a.request(), at), g.snap.Decide(a.request(), at)
		if before.Refused() && !after.Refused() {
			g.mayHaveOpened(a, at)
		}
	}
}

// mayHaveOpened is told what the command opened.
func (g *given) mayHaveOpened(a asked, at time.Time) {
	where := func() string { return fmt.Sprintf("%s was opened at %s\n%s", a, at, g.history()) }
	pair := g.cmd.Verb == state.VerbSchedule && g.out.Action == state.ActionDisable && !at.Before(g.cmd.End)
	require.True(g.t, pair || slices.Contains(mayOpen, g.cmd.Verb), where())
	switch g.cmd.Verb {
	case state.VerbChangeWindow, state.VerbEndWindow, state.VerbCancelWindow:
		p := state.Patch{}
		p.DropWindow(g.cmd.WindowID)
		require.False(g.t, refused(g.compiled(g.doc, p), a, at), where())
	}
	if t := g.out.Target; t.Global || t.Service != "" {
		require.False(g.t, refused(g.without(t), a, at), where())
		return
	}
	require.NotEqual(g.t, state.VerbDisable, g.cmd.Verb, where())
	require.True(g.t, g.isRequestOf(a, g.out.Target.Key), where())
}

func refused(s *state.Snapshot, a asked, at time.Time) bool {
	d := s.Decide(a.request(), at)
	return d.Refused()
}

// isRequestOf reports whether a request is one of a key, in any letter case.
func (g *given) isRequestOf(a asked, k state.Key) bool {
	if a.service != "" {
		return g.model.governs(k, a.methods, a.path, a.service)
	}
	return g.model.governs(k, a.methods, a.path, k.Service)
}

// without is what was true before the command, less one switch.
func (g *given) without(t state.Target) *state.Snapshot {
	p := state.Patch{}
	if t.Global {
		require.NoError(g.t, p.SetGlobal(state.Switch{}))
	} else {
		require.NoError(g.t, p.SetService(t.Service, state.Switch{}))
	}
	for w := range g.doc.WindowsOn(t) {
		p.DropWindow(w.ID)
	}
	return g.compiled(g.doc, p)
}

func (g *given) compiled(doc *state.Document, p state.Patch) *state.Snapshot {
	doc, err := doc.With(p, doc.Meta)
	require.NoError(g.t, err)
	snap, err := state.Compile(doc)
	require.NoError(g.t, err)
	return snap
}

// windowsEndOpensOnlyItsOwn: what passes from the end of a window, or of an occurrence, on was shut by those that end
// then and by nothing else.
func (g *given) windowsEndOpensOnlyItsOwn() {
	var ends []time.Time
	for w := range g.story.doc.Windows() {
		for _, o := range w.Spans() {
			if o.End.After(g.now) {
				ends = append(ends, o.End)
			}
		}
	}
	if len(ends) == 0 {
		return
	}
	slices.SortFunc(ends, time.Time.Compare)
	end := draw(g.lot, ends...)
	p := state.Patch{}
	for w := range g.story.doc.Windows() {
		if w.Recurs == nil && w.End.Equal(end) {
			p.DropWindow(w.ID)
			continue
		}
		w.Occurrences = slices.DeleteFunc(slices.Clone(w.Occurrences), func(o state.Occurrence) bool { return o.End.Equal(end) })
		require.NoError(g.t, p.SetWindow(w))
	}
	rest := g.compiled(g.story.doc, p)
	for range 8 {
		a := g.asked()
		just := end.Add(-time.Nanosecond)
		if refused(g.snap, a, just) && !refused(g.snap, a, end) {
			require.False(g.t, refused(rest, a, just), "%s at %s\n%s", a, end, g.history())
		}
	}
}

// enableOpensOrSays: after an enable a request of the key passes, or the answer names what refuses it; and it goes on
// passing until the instant that the answer gives.
func (g *given) enableOpensOrSays() {
	k := g.out.Target.Key
	if g.cmd.Verb != state.VerbEnable || k.Path == "" {
		return
	}
	var still []string
	for _, o := range g.out.Still {
		still = append(still, o.Path)
	}
	for range 12 {
		a := g.askedOf(k)
		if d := g.snap.Decide(a.request(), g.now); d.Refused() {
			require.Contains(g.t, still, d.Path, "%s is refused and %s is not named\n%s", a, d.Path, g.history())
			continue
		}
		at := g.now.Add(time.Duration(g.IntN(7200)) * time.Second)
		if g.out.Next.IsZero() || at.Before(g.out.Next) {
			require.False(g.t, refused(g.snap, a, at), "%s at %s, next was %s\n%s", a, at, g.out.Next, g.history())
		}
	}
	if len(still) == 0 && g.out.Next.IsZero() {
		require.NotContains(g.t, []state.Status{state.Maintenance, state.Disabled, state.EnvGated}, g.snap.Document().State(k, g.now).Status, g.history())
	}
}

// openInsideIsNamed: a request of a key or a switch that a block was just put on is refused, or a key that the answer
// names has it.
func (g *given) openInsideIsNamed() {
	if !g.putsBlock() {
		return
	}
	for range 12 {
		a := g.asked()
		switch t := g.out.Target; {
		case t.Key.Path != "":
			a = g.askedOf(t.Key)
		case t.Service != "":
			a.service = t.Service
		}
		if refused(g.snap, a, g.now) {
			continue
		}
		require.True(g.t, slices.ContainsFunc(g.out.OpenInside, func(text string) bool {
			open, _, err := state.ParseKey(text)
			require.NoError(g.t, err)
			return g.isRequestOf(a, open)
		}), "%s passes and nothing of %v has it\n%s", a, g.out.OpenInside, g.history())
	}
}

// putsBlock reports whether the command puts on its target what refuses all requests from now on.
func (g *given) putsBlock() bool {
	switch g.cmd.Verb {
	case state.VerbDisable, state.VerbMaintenance:
		return g.out.Target.Key.Path != "" && !g.cmd.Start.After(g.now)
	case state.VerbEnable:
		return g.out.Target.Key.Path == ""
	case state.VerbAddWindow:
		w, _ := g.story.doc.Window(g.out.WindowID)
		_, runs := w.Running(g.now)
		return runs && w.Effect != state.EffectReadOnly
	default:
		return false
	}
}

// protectionIsStoredUnlessBlocked: a new key that is declared protected is protected, unless a note says why not.
func (g *given) protectionIsStoredUnlessBlocked() {
	if g.cmd.Declared == nil || !g.cmd.Declared.Protected || !g.out.Changed {
		return
	}
	r, _ := g.story.doc.Route(g.cmd.Target.Key)
	if _, known := g.doc.Route(g.cmd.Target.Key); known && g.cmd.Verb != state.VerbImport {
		return
	}
	require.NotEqual(g.t, r.Protected, g.out.Note != "", g.history())
	if !r.Protected {
		require.True(g.t, slices.ContainsFunc(g.model.parts, func(p *ledgerPart) bool { return p.refuses(g.now) }), g.history())
	}
}
