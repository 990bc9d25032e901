package state_test

import (
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
