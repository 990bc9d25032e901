package state_test

import (
	"flag"
	"fmt"
	"slices"
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
	compared := 0
	verbs := map[state.Verb]int{}
	for seed := *modelSeed; compared < *modelTriples; seed++ {
		s := newStory(t, seed)
		for range 50 {
			s.step()
		}
		compared += s.compared
		for verb, n := range s.verbs {
			verbs[verb] += n
		}
	}
	t.Logf("compared %d triples; commands that changed something: %v", compared, verbs)
	for _, verb := range modelVerbs {
		require.Positive(t, verbs[verb], "%s never changed anything", verb)
	}
	require.Positive(t, verbs[state.VerbExempt])
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
	last     *given
	compared int
	verbs    map[state.Verb]int
}

func newStory(t testing.TB, seed uint64) *story {
	s := &story{
		lot: lotOf(t, seed), seed: seed, now: epoch0,
		doc: state.NewDocument(state.Meta{Epoch: "e"}), model: newLedger(epoch0), verbs: map[state.Verb]int{},
	}
	s.compile()
	return s
}

func (s *story) compile() {
	var err error
	s.snap, err = state.Compile(s.doc)
	require.NoError(s.t, err)
}

// step lets time pass and gives one command.
func (s *story) step() {
	s.now = s.now.Add(draw(s.lot, 0, 0, time.Second, 4*time.Second, time.Minute, 9*time.Minute, 25*time.Minute))
	s.model.now = s.now
	g := &given{story: s, cmd: s.command(s.doc, s.now), actor: draw(s.lot, "alice", "alice", "bob"), was: s.snap, doc: s.doc}
	if last := s.last; last != nil && last.cmd.Verb == state.VerbDisable && last.cmd.Target.Key.Path != "" && s.chance(3) {
		g.cmd, g.actor = s.secondHalf(last.cmd, s.now), last.actor
	}
	s.last = g
	change, outs, err := g.execute(s.doc)
	s.told = append(s.told, fmt.Sprintf("%s %s: %s", s.now.Format(time.TimeOnly), g.actor, describe(g.cmd)))
	if err == nil {
		g.out = outs[0]
		if g.out.Changed {
			s.verbs[g.cmd.Verb]++
		}
		s.doc, err = s.doc.With(change.Patch, state.Meta{Epoch: "e", Rev: s.doc.Rev + 1})
		require.NoError(s.t, err)
		s.compile()
		s.tellModel(g, true)
		g.checkLaws()
	} else {
		s.told[len(s.told)-1] += " refused: " + err.Error()
		s.tellModel(g, false)
	}
	s.compare()
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
	return state.Execute(doc, state.Author{Actor: g.actor, Platform: state.PlatformCLI, At: g.now}, g.cmd)
}

// tellModel gives the command to the ledger, which must accept it exactly if the product did.
func (s *story) tellModel(g *given, accepted bool) {
	if g.cmd.Verb == state.VerbCancelWindow {
		w, _ := g.doc.Window(g.cmd.WindowID)
		cancels := w.ID != "" && w.Origin == state.OriginWindow && !w.Over(s.now) && !s.model.guarded(w.Target.Key)
		require.Equal(s.t, cancels, accepted, s.history())
		if accepted {
			s.model.cancelWindow(w)
		}
		return
	}
	r, _ := s.doc.Route(g.cmd.Target.Key)
	require.Equal(s.t, s.model.do(g.cmd, g.actor, r.Protected), accepted, s.history())
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
		for range 6 {
			a := s.asked()
			want := s.model.decide(a.methods, a.path, a.service, a.env, at)
			got := s.snap.Decide(a.request(), at)
			where := func() string { return fmt.Sprintf("%s at %s: %+v\n%s", a, at.Format(time.TimeOnly), got, s.history()) }
			if got.Status != want.status || !slices.Contains(want.speaker, got.Path) || !got.RetryAt.Equal(want.retryAt) {
				require.Equal(s.t, want, said{status: got.Status, speaker: []string{got.Path}, retryAt: got.RetryAt}, where())
			}
			s.compared++
		}
	}
	for range 4 {
		k := s.spelling().Key
		st := s.snap.State(k, s.now)
		status, because := s.model.stateOf(k)
		require.Equal(s.t, status, st.Status, "state of %s\n%s", k, s.history())
		require.Equal(s.t, because, st.Because, "state of %s\n%s", k, s.history())
	}
	if s.chance(10) {
		for _, st := range s.snap.States(s.now, nil) {
			k, _, err := state.ParseKey(st.Path)
			require.NoError(s.t, err)
			require.Equal(s.t, s.snap.State(k, s.now), st, s.history())
		}
	}
}

// history tells the story so far, to be told again.
func (s *story) history() string {
	return fmt.Sprintf("seed %d\n%s", s.seed, strings.Join(s.told, "\n"))
}

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
	if c.Declared != nil {
		text += fmt.Sprintf(" declared=%+v", *c.Declared)
	}
	return text
}
