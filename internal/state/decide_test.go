package state

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestDecideSmoke(t *testing.T) {
	d := NewDocument(Meta{Epoch: "e"})
	p := Patch{}
	k, shown, err := ParseKey("GET:/users/{id}")
	require.NoError(t, err)
	me, _, _ := ParseKey("GET:/users/me")
	require.NoError(t, p.SetRoute(Route{Key: k, Shown: shown, Standing: &Block{Effect: EffectDisabled, Reason: "x", Except: []Key{me}}}))
	d, err = d.With(p, Meta{Epoch: "e", Rev: 1})
	require.NoError(t, err)
	s, err := Compile(d)
	require.NoError(t, err)
	ask := func(m, target string) Decision { return s.Decide(&Request{Method: m, Target: target}, time.Now()) }
	require.Equal(t, CauseDisabled, ask("GET", "/users/7").Cause)
	require.Equal(t, CauseDisabled, ask("HEAD", "/Users/7").Cause)
	require.Equal(t, CauseNone, ask("POST", "/users/7").Cause)
	require.Equal(t, CauseNone, ask("GET", "/users/me").Cause)
	require.Equal(t, CauseDisabled, ask("GET", "/users/me;a").Cause)
	require.Equal(t, CauseDisabled, ask("GET", "/users/Me").Cause)
	require.Equal(t, CauseUnreadable, ask("GET", "/a%").Cause)
}
