package state_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// modelTriples is how many (document, request, instant) triples the model test compares at least.
var modelTriples = flag.Int("model.triples", 300_000, "triples that the model test of commands compares")

// modelSeed makes a run again.
var modelSeed = flag.Uint64("model.seed", 1, "first seed of the model test of commands")

// TestCommandsAgainstTheModel gives random sequences of every command, while time passes, to the product and to the
// ledger. After each one both must have accepted or refused it and agree about requests at several instants; and the
// laws of what a command may do are checked by themselves.
func TestCommandsAgainstTheModel(t *testing.T) {
	compared, extended := 0, 0
	verbs, moments := map[state.Verb]int{}, map[state.Action]int{}
	for seed := *modelSeed; compared < *modelTriples; seed++ {
		s := newStory(t, seed)
		for range 50 {
			s.step()
		}
		compared += s.compared
		for verb, n := range s.verbs {
			verbs[verb] += n
		}
		for action, n := range s.moments {
			moments[action] += n
		}
		extended += s.extended
	}
	t.Logf("compared %d triples; commands that changed something: %v; announced: %v; horizons: %d", compared, verbs, moments, extended)
	for _, verb := range modelVerbs {
		require.Positive(t, verbs[verb], "%s never changed anything", verb)
	}
	require.Positive(t, verbs[state.VerbExempt])
	for _, action := range []state.Action{
		state.ActionUpcoming, state.ActionEnding, state.ActionMaintenanceOn, state.ActionMaintenanceOff, state.ActionDisable,
		state.ActionEnable, state.ActionGlobalOn, state.ActionGlobalOff, state.ActionServiceOn, state.ActionServiceOff,
	} {
		require.Positive(t, moments[action], "%s was never announced", action)
	}
	require.Positive(t, extended)
}

// story is one random sequence of commands.
type story struct {
	lot
	seed     uint64
	now      time.Time
	doc      *state.Document
	snap     *state.Snapshot
	model    *ledger
	told     []string // what happened so far
	leads    state.Leads
	flushed  time.Time // when the last announcement was
	last     *given
	compared int
	verbs    map[state.Verb]int
	moments  map[state.Action]int // that were announced
	extended int
}

func newStory(t testing.TB, seed uint64) *story {
	s := &story{
		lot: lotOf(t, seed), seed: seed, now: epoch0,
		doc: state.NewDocument(state.Meta{Epoch: "e"}), model: newLedger(epoch0), verbs: map[state.Verb]int{}, moments: map[state.Action]int{}, flushed: epoch0,
	}
	s.leads = s.someLeads()
	s.compile()
	return s
}

func (s *story) compile() {
	var err error
	s.snap, err = state.Compile(s.doc)
	require.NoError(s.t, err)
}

// step lets time pass, announces what windows did, and gives one command.
func (s *story) step() {
	s.wait(draw(s.lot, 0, 0, time.Second, 4*time.Second, time.Minute, 9*time.Minute, 25*time.Minute))
	g := &given{story: s, cmd: s.command(s.doc, s.now), actor: draw(s.lot, "alice", "alice", "bob"), was: s.snap, doc: s.doc}
	if last := s.last; last != nil && last.cmd.Verb == state.VerbDisable && last.cmd.Target.Key.Path != "" && s.chance(3) {
		g.cmd, g.actor = s.secondHalf(last.cmd, s.now), last.actor
	}
	if last := s.last; last != nil && last.cmd.Verb == state.VerbEnable && last.cmd.Target.Key.Path != "" && s.chance(6) {
		g.cmd = last.cmd // what was opened may be forgotten, and is shut then
		g.cmd.Verb = state.VerbForget
	}
	s.last = g
	change, outs, err := g.execute(s.doc)
	s.told = append(s.told, fmt.Sprintf("%s %s: %s", s.now.Format(time.TimeOnly), g.actor, describe(g.cmd)))
	if err == nil {
		g.out = outs[0]
		if g.out.Changed {
			s.verbs[g.cmd.Verb]++
		}
		s.adopt(change.Patch)
		s.tellModel(g, true)
		g.checkLaws()
	} else {
		s.told[len(s.told)-1] += " refused: " + err.Error()
		s.tellModel(g, false)
	}
	s.compare()
}

// adopt makes a patch true.
func (s *story) adopt(p state.Patch) {
	var err error
	s.doc, err = s.doc.With(p, state.Meta{Epoch: "e", Rev: s.doc.Rev + 1})
	require.NoError(s.t, err)
	s.compile()
}

// given is one command, with what was true before it and what it answered.
type given struct {
	*story
	cmd   state.Command
	actor string
	doc   *state.Document
	was   *state.Snapshot
	out   state.Outcome
}

func (g *given) execute(doc *state.Document) (state.Change, []state.Outcome, error) {
	id := func() string { return fmt.Sprintf("w%04d", g.doc.Rev) } // rises from command to command
	return state.Execute(doc, state.Author{Actor: g.actor, Platform: state.PlatformCLI, At: g.now, NewID: id}, g.cmd)
}

// compare holds Decide against the ledger at several instants, and the states of keys now.
func (s *story) compare() {
	for _, after := range []time.Duration{0, time.Second, 10 * time.Minute, 35 * time.Minute, 2 * time.Hour} {
		at := s.now.Add(after)
		if after > time.Second {
			at = at.Truncate(10 * time.Minute)
		}
		if at.Before(s.now) {
			continue
		}
		for range 4 {
			a := s.asked()
			want := s.model.decide(a.methods, a.path, a.service, a.env, at)
			got := s.snap.Decide(a.request(), at)
			where := func() string { return fmt.Sprintf("%s at %s: %+v\n%s", a, at.Format(time.TimeOnly), got, s.history()) }
			if is := (said{got.Status, got.Path, got.Reason, got.RetryAt}); is != want {
				require.Equal(s.t, want, is, where())
			}
			s.compared++
		}
	}
	for range 4 {
		k := s.spelling().Key
		st := s.snap.Document().State(k, s.now)
		is := s.model.stateOf(k, s.now)
		require.Equal(s.t, is.status, st.Status, "state of %s\n%s", k, s.history())
		require.Equal(s.t, is.reason, st.Reason, "state of %s\n%s", k, s.history())
		require.Equal(s.t, is.speaker, st.Because, "state of %s\n%s", k, s.history())
	}
	s.compareSwitches()
	if s.chance(10) {
		for _, st := range s.snap.Document().States(s.now, nil) {
			k, _, err := state.ParseKey(st.Path)
			require.NoError(s.t, err)
			require.Equal(s.t, s.snap.Document().State(k, s.now), st, s.history())
		}
	}
}

// history tells the story so far, to be told again; it is put together where something failed only.
func (s *story) history() fmt.Stringer { return tale{s} }

// tale is a story as text.
type tale struct{ *story }

func (t tale) String() string { return fmt.Sprintf("seed %d\n%s", t.seed, strings.Join(t.told, "\n")) }

func describe(c state.Command) string {
	text := fmt.Sprintf("%s %s reason=%q", c.Verb, c.Target, c.Reason)
	if c.AnyMethod {
		text += " (ANY)"
	}
	if !c.Start.IsZero() || !c.End.IsZero() {
		text += fmt.Sprintf(" start=%s end=%s", c.Start.Format(time.TimeOnly), c.End.Format(time.TimeOnly))
	}
	for name, value := range map[string]any{"envs": c.Envs, "exempt": c.Exempt, "add": c.Add, "remove": c.Remove, "include": c.IncludeProtected, "window": c.WindowID} {
		if v := fmt.Sprint(value); v != "[]" && v != "false" && v != "" {
			text += fmt.Sprintf(" %s=%s", name, v)
		}
	}
	if !c.Occurrence.IsZero() {
		text += " occurrence=" + c.Occurrence.Format(time.TimeOnly)
	}
	if c.Amend.Reason != nil {
		text += fmt.Sprintf(" retitle=%q", *c.Amend.Reason)
	}
	if w := c.Window; w != nil {
		text += fmt.Sprintf(" window: %s start=%s end=%s except=%v include=%t", w.Effect, w.Start.Format(time.TimeOnly), w.End.Format(time.TimeOnly), w.Except, w.IncludeProtected)
		if w.Recurs != nil {
			text += fmt.Sprintf(" %s from %s for %s, %d before %s", w.Recurs.Rule, w.Recurs.First, w.Recurs.For, len(w.Occurrences), w.Through.Format(time.TimeOnly))
		}
	}
	if c.Declared != nil {
		text += fmt.Sprintf(" declared=%+v", *c.Declared)
	}
	return text
}
