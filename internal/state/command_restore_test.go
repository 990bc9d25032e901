package state_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

// chronicle keeps every document of a history, and its log.
type chronicle struct {
	*desk
	docs   []*state.Document
	frames []state.Frame
}

func newChronicle(t testing.TB) *chronicle {
	c := &chronicle{desk: newDesk(t)}
	c.docs = []*state.Document{c.doc}
	return c
}

// put commits a change.
func (c *chronicle) put(change state.Change) {
	c.t.Helper()
	if len(change.Records) == 0 && len(change.Patch) == 0 {
		return
	}
	f, err := change.Frame(c.doc.Meta)
	require.NoError(c.t, err)
	c.doc, err = c.doc.With(change.Patch, state.Meta{Epoch: "e", Rev: f.Rev, Head: f.Head})
	require.NoError(c.t, err)
	c.docs, c.frames = append(c.docs, c.doc), append(c.frames, f)
}

func (c *chronicle) say(cmds ...state.Command) {
	c.t.Helper()
	if change, _, err := c.execute("alice", cmds...); err == nil {
		c.put(change)
	}
}

// past goes back to a revision by the log alone.
func (c *chronicle) past(k state.Key, to uint64) state.Past {
	c.t.Helper()
	r, err := state.NewRewind(c.doc, k, to)
	require.NoError(c.t, err)
	for i := range slices.Backward(c.frames) {
		if r.Done() {
			break
		}
		require.NoError(c.t, r.Back(&c.frames[i]))
	}
	p, err := r.Past()
	require.NoError(c.t, err)
	return p
}

// windowsOn are the windows on a key that are not over at an instant.
func windowsOn(doc *state.Document, k state.Key, now time.Time) (all []state.Window) {
	for w := range doc.WindowsOn(state.Target{Key: k}) {
		if !w.Over(now) {
			all = append(all, w)
		}
	}
	return all
}

// A random history is undone from its log: what it says of each key at each revision is what was there, and a restore
// makes it true again, whatever was said in between.
func TestRestoreBringsBackWhatWasThere(t *testing.T) {
	texts := []string{"GET:/a", "POST:/a", "/a", "/v1/**", "GET:/v1/x"}
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 11))
		c := newChronicle(t)
		keys := make([]state.Key, len(texts))
		for i, text := range texts {
			keys[i] = statetest.Key(t, text)
		}
		for range 60 {
			c.now = c.now.Add(time.Duration(random.IntN(40)) * time.Minute)
			if random.IntN(5) == 0 {
				change, err := state.Announce(c.doc, leads, c.now)
				require.NoError(t, err)
				c.put(change)
			}
			c.say(randomSaying(random, keys[random.IntN(len(keys))], c.now))
		}
		for range 40 {
			k, to := keys[random.IntN(len(keys))], uint64(random.IntN(len(c.docs)))
			past := c.past(k, to)
			then := c.docs[to]
			route, known := then.Route(k)
			require.Equal(t, known, past.Route != nil, "seed %d: %s at %d", seed, k, to)
			if known {
				require.Equal(t, route, *past.Route)
			}
			var alive []state.Window
			for _, w := range past.Windows {
				if !w.Over(c.now) {
					alive = append(alive, w)
				}
			}
			require.Equal(t, windowsOn(then, k, c.now), alive, "seed %d: %s at %d", seed, k, to)
			c.restored(k, past)
		}
	}
}

// restored restores without committing, and compares.
func (c *chronicle) restored(k state.Key, past state.Past) {
	c.t.Helper()
	change, _, err := c.execute("bob", state.Command{Verb: state.VerbRestore, Target: state.Target{Key: k}, AnyMethod: true, Past: &past})
	if err != nil {
		return // protection, or what is in force around it
	}
	after, err := c.doc.With(change.Patch, c.doc.Meta)
	require.NoError(c.t, err)
	is, _ := after.Route(k)
	was := state.Route{Key: k}
	if past.Route != nil {
		was = *past.Route
	}
	require.Equal(c.t, was.Protected, is.Protected)
	require.Equal(c.t, was.Gate, is.Gate)
	require.Equal(c.t, was.Deprecation, is.Deprecation)
	require.Equal(c.t, was.Standing == nil, is.Standing == nil)
	if was.Standing != nil {
		require.Equal(c.t, was.Standing.Effect, is.Standing.Effect)
		require.Equal(c.t, was.Standing.Except, is.Standing.Except)
	}
	var want, got []string
	for _, w := range past.Windows {
		if !w.Over(c.now) {
			want = append(want, fmt.Sprint(w.ID, w.Start, w.End, w.Effect, w.Except))
		}
	}
	for _, w := range windowsOn(after, k, c.now) {
		got = append(got, fmt.Sprint(w.ID, w.Start, w.End, w.Effect, w.Except))
	}
	require.Equal(c.t, want, got)
	again, _, err := state.Execute(after, state.Author{Actor: "bob", At: c.now},
		state.Command{Verb: state.VerbRestore, Target: state.Target{Key: k}, AnyMethod: true, Past: &past})
	if was.Protected {
		require.ErrorIs(c.t, err, state.ErrProtected)
		return
	}
	require.NoError(c.t, err)
	require.Empty(c.t, again.Records, "a restore said twice changes nothing")
}

func randomSaying(random *rand.Rand, k state.Key, now time.Time) state.Command {
	verbs := []state.Verb{
		state.VerbEnable, state.VerbDisable, state.VerbMaintenance, state.VerbSchedule, state.VerbCancel, state.VerbEnv,
		state.VerbDeprecate, state.VerbProtect, state.VerbUnprotect, state.VerbForget,
	}
	c := state.Command{
		Verb: verbs[random.IntN(len(verbs))], Target: state.Target{Key: k}, AnyMethod: true, Reason: fmt.Sprint("r", random.IntN(1000)),
	}
	from := now.Add(time.Duration(random.IntN(90)) * time.Minute)
	switch c.Verb {
	case state.VerbSchedule:
		c.Start, c.End = from.Add(time.Minute), from.Add(3*time.Hour)
	case state.VerbDisable, state.VerbMaintenance:
		if random.IntN(2) == 0 {
			c.End = from.Add(time.Hour)
		}
	case state.VerbEnv:
		c.Envs = []string{"dev"}
	}
	return c
}

func TestRestoreRefuses(t *testing.T) {
	c := newChronicle(t)
	k := statetest.Key(t, "GET:/a")
	c.say(state.Command{Verb: state.VerbDisable, Target: state.Target{Key: k}, Reason: "x"})
	blocked := c.past(k, 1)
	c.say(state.Command{Verb: state.VerbEnable, Target: state.Target{Key: k}})
	c.say(state.Command{Verb: state.VerbProtect, Target: state.Target{Key: k}})
	restore := func(p *state.Past) error {
		_, _, err := c.execute("bob", state.Command{Verb: state.VerbRestore, Target: state.Target{Key: k}, Past: p})
		return err
	}
	require.ErrorIs(t, restore(&blocked), state.ErrProtected)
	protected := c.past(k, 3)
	c.say(state.Command{Verb: state.VerbUnprotect, Target: state.Target{Key: k}})
	require.NoError(t, restore(&protected))
	c.say(state.Command{Verb: state.VerbDisable, Target: state.Target{Key: statetest.Key(t, "/a")}, AnyMethod: true})
	require.ErrorIs(t, restore(&protected), state.ErrInForce)
	require.Error(t, restore(nil))
	_, err := state.NewRewind(c.doc, k, c.doc.Rev+1)
	require.Error(t, err)
	r, err := state.NewRewind(c.doc, k, 1)
	require.NoError(t, err)
	_, err = r.Past()
	require.ErrorIs(t, err, state.ErrGap)
}

// Entries that do not say what they replaced are undone by what was set before them.
func TestRewindReadsOlderEntries(t *testing.T) {
	c := newChronicle(t)
	k := statetest.Key(t, "GET:/a")
	for _, v := range []state.Verb{state.VerbDisable, state.VerbEnable, state.VerbDeprecate} {
		change, _, err := c.execute("alice", state.Command{Verb: v, Target: state.Target{Key: k}})
		require.NoError(t, err)
		require.Len(t, change.Was, 1)
		change.Was = nil
		c.put(change)
	}
	for to := range uint64(4) {
		p := c.past(k, to)
		route, known := c.docs[to].Route(k)
		require.Equal(t, known, p.Route != nil && to > 0)
		if known {
			require.Equal(t, route, *p.Route)
		}
	}
}
