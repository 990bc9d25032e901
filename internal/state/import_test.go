package state_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func TestImportOfExactParts(t *testing.T) {
	d := newDesk(t)
	k := state.Key{Path: "/v1/**"}
	inside := state.Key{Method: "GET", Path: "/v1/a"}
	cmd := state.Command{
		Verb: state.VerbImport, Target: state.Target{Key: k},
		Declared: &state.Declared{
			Status: state.Disabled, // the parts count, not this
			Gate:   &state.Gate{Envs: []string{"dev", "dev", "prod"}},
			Standing: &state.Block{
				Effect: state.EffectMaintenance, Reason: "x", Except: []state.Key{inside}, Opened: []state.Key{inside},
				By: "carol", At: d.now.Add(-time.Hour), Before: &state.Block{Effect: state.EffectDisabled},
			},
			Deprecation: &state.Deprecation{Since: d.now.Add(-48 * time.Hour), Successor: "/v2"},
			Windows: []state.Window{
				{Start: d.now.Add(-2 * time.Hour), End: d.now.Add(-time.Hour), Effect: state.EffectDisabled, Origin: state.OriginWindow},
				{Start: d.now.Add(-time.Minute), End: d.now.Add(time.Hour), Effect: state.EffectDisabled, Origin: state.OriginUntil, Except: []state.Key{inside}},
			},
		},
	}
	out := d.do("alice", cmd)[0]
	require.Equal(t, []string{"GET:/v1/a"}, out.OpenInside)
	d.run("GET /v1/b env=dev is disabled\nGET /v1/a env=dev is deprecated\nclock +1h\nGET /v1/b env=dev is maintenance")
	r, _ := d.doc.Route(k)
	require.Equal(t, []string{"dev", "prod"}, r.Gate.Envs)
	require.Equal(t, "carol", r.Standing.By)
	require.Nil(t, r.Standing.Before)
	var windows int
	for range d.doc.Windows() {
		windows++
	}
	require.Equal(t, 1, windows, "what is over is not taken in")

	require.False(t, d.do("alice", cmd)[0].Changed, "it lacks nothing")
	d.run("maintenance ANY:/v1/** reason=x\n= reclosed GET:/v1/a")
}

func TestImportOfPartsThatNoCommandMakes(t *testing.T) {
	tests := []struct {
		name     string
		declared state.Declared
		field    string
	}{
		{"an effect", state.Declared{Standing: &state.Block{Effect: "slow"}}, "effect"},
		{"a window's effect", state.Declared{Windows: []state.Window{{End: epoch0.Add(time.Hour)}}}, "window"},
		{"a window's origin", state.Declared{Windows: []state.Window{{Effect: state.EffectDisabled, Origin: "x"}}}, "window"},
		{"a successor", state.Declared{Deprecation: &state.Deprecation{Successor: "a\r\nb"}}, "successor"},
		{"an environment", state.Declared{Gate: &state.Gate{Envs: []string{" "}}}, "envs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := newDesk(t).execute("alice", state.Command{
				Verb: state.VerbImport, Target: state.Target{Key: state.Key{Path: "/a"}}, Declared: &tt.declared,
			})
			var invalid *state.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.Equal(t, tt.field, invalid.Field)
		})
	}
}

func TestImportOfARecurringWindow(t *testing.T) {
	d := newDesk(t)
	is := func(change func(*state.Window)) state.Command {
		w := state.Window{
			Effect: state.EffectReadOnly, Zone: "Europe/Berlin", Ticket: "https://tickets.example/1",
			Recurs: &state.Recurrence{Rule: "RRULE:FREQ=DAILY", First: "2031-03-01T12:00:00", For: "1h0m0s"},
			Occurrences: []state.Occurrence{
				{Start: d.now.Add(-2 * time.Hour), End: d.now.Add(-time.Hour)},
				{Start: d.now.Add(-time.Minute), End: d.now.Add(time.Hour)},
			},
			Through: d.now.Add(24 * time.Hour),
		}
		change(&w)
		return state.Command{Verb: state.VerbImport, Target: state.Target{Key: parseKey(t, "/a")}, Declared: &state.Declared{Windows: []state.Window{w}}}
	}
	refused := []struct {
		name, says string
		change     func(*state.Window)
	}{
		{"of no effect", "a window has an effect", func(w *state.Window) { w.Effect = "closed" }},
		{"with a ticket that is none", "cannot be a link", func(w *state.Window) { w.Ticket = "a\nb" }},
		{"without occurrences", "still to come", func(w *state.Window) { w.Occurrences = nil }},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := state.Execute(d.doc, state.Author{Actor: "alice", At: d.now}, is(tt.change))
			require.ErrorContains(t, err, tt.says)
		})
	}
	over := is(func(w *state.Window) { w.Occurrences, w.Finished = nil, true })
	d.do("alice", over)
	require.Empty(t, slices.Collect(d.doc.Windows()), "one that is over is left out")

	cmd := is(func(*state.Window) {})
	d.do("alice", cmd)
	require.False(t, d.do("alice", cmd)[0].Changed, "the same again is the same window")
	d.run("POST /a is maintenance\nGET /a is active\nclock +1h\nPOST /a is active")
	for w := range d.doc.Windows() {
		require.Len(t, w.Occurrences, 1)
		require.Equal(t, "https://tickets.example/1", w.Ticket)
		require.Equal(t, state.OriginWindow, w.Origin)
	}
}
