package state_test

import (
	"errors"
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

// repeatChangesNothing: the same command given again changes nothing.
func (g *given) repeatChangesNothing() {
	change, outs, err := g.execute(g.story.doc)
	if g.cmd.Verb == state.VerbCancelWindow {
		require.ErrorIs(g.t, err, state.ErrNotFound, g.history())
		return
	}
	var ambiguous *state.AmbiguousError
	if g.cmd.Verb == state.VerbForget && errors.As(err, &ambiguous) {
		return // the path has no state of its own any more, and several keys have a method of it
	}
	require.NoError(g.t, err, g.history())
	require.False(g.t, outs[0].Changed, g.history())
	require.Empty(g.t, change.Patch, g.history())
	require.Empty(g.t, change.Records, g.history())
}

// mayOpen are the commands that are given to open something; all others open nothing at all.
var mayOpen = []state.Verb{
	state.VerbEnable, state.VerbCancel, state.VerbCancelWindow, state.VerbEnv, state.VerbProtect, state.VerbDisable, state.VerbExempt,
}

// opensOnlyWhatItMay: no registration, import or adoption opens anything, nor does adding a block; and a command that
// opens something opens requests of its own key, or what its own switch alone had shut.
func (g *given) opensOnlyWhatItMay() {
	for range 20 {
		a := g.asked()
		if g.chance(2) && g.out.Target.Key.Path != "" {
			a = g.askedOf(g.out.Target.Key)
		}
		at := g.now.Add(time.Duration(g.IntN(120)) * time.Minute)
		before, after := g.was.Decide(a.request(), at), g.snap.Decide(a.request(), at)
		if !before.Refused() || after.Refused() {
			continue
		}
		if t := g.out.Target; t.Global || t.Service != "" {
			require.False(g.t, refused(g.without(t), a, at), "%s opened what its switch did not shut alone\n%s", a, g.history())
			continue
		}
		pair := g.cmd.Verb == state.VerbSchedule && g.out.Action == state.ActionDisable && !at.Before(g.cmd.End)
		require.True(g.t, pair || slices.Contains(mayOpen, g.cmd.Verb) && g.cmd.Verb != state.VerbDisable, "%s was opened\n%s", a, g.history())
		require.True(g.t, g.isRequestOf(a, g.out.Target.Key), "%s is no request of the key\n%s", a, g.history())
	}
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

// windowsEndOpensOnlyItsOwn: what passes from the end of a window on was shut by windows that end then and by nothing
// else.
func (g *given) windowsEndOpensOnlyItsOwn() {
	var ends []time.Time
	for w := range g.story.doc.Windows() {
		if w.End.After(g.now) {
			ends = append(ends, w.End)
		}
	}
	if len(ends) == 0 {
		return
	}
	slices.SortFunc(ends, time.Time.Compare)
	end := draw(g.lot, ends...)
	p := state.Patch{}
	for w := range g.story.doc.Windows() {
		if w.End.Equal(end) {
			p.DropWindow(w.ID)
		}
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
		require.NotContains(g.t, []state.Status{state.Maintenance, state.Disabled, state.EnvGated}, g.snap.State(k, g.now).Status, g.history())
	}
}

// openInsideIsNamed: a request of a key that a block was just put on is refused, or a key that the answer names has it.
func (g *given) openInsideIsNamed() {
	k := g.out.Target.Key
	block := g.cmd.Verb == state.VerbDisable || g.cmd.Verb == state.VerbMaintenance
	if !block || k.Path == "" || g.cmd.Start.After(g.now) {
		return
	}
	for range 12 {
		a := g.askedOf(k)
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
