package statetest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func emptyTakesNothing(t *testing.T, open Open) {
	s := one(t, open)
	_, err := s.Commit(t.Context(), state.Meta{}, Block(t, "GET:/a", "x"))
	require.ErrorIs(t, err, state.ErrEmpty)
	_, err = s.Private(t.Context())
	require.ErrorIs(t, err, state.ErrEmpty)
	// A sign of life is no document: the store stays empty whatever the call answers.
	if err := s.Beat(t.Context()); err != nil {
		require.ErrorIs(t, err, state.ErrEmpty)
	}
	_, err = s.Pulse(t.Context())
	require.ErrorIs(t, err, state.ErrEmpty)
	Seeded(t, s)
}

func commitMoves(t *testing.T, open Open) {
	s := one(t, open)
	base := Seeded(t, s)
	change := Block(t, "GET:/payments", "DB migration")
	want, err := change.Frame(base)
	require.NoError(t, err)

	r, err := s.Commit(t.Context(), base, change)
	require.NoError(t, err)
	require.False(t, r.Duplicate)
	require.Equal(t, want, r.Frame)
	require.NoError(t, r.Frame.Verify())
	e, err := r.Frame.Entry()
	require.NoError(t, err)
	require.Equal(t, change.Records, e.Records)

	p, err := s.Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, After(base, r), p.Meta)
	doc, err := s.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, p.Meta, doc.Meta)
	require.Equal(t, "DB migration", Reason(t, doc, "GET:/payments"))
}

func commitConflicts(t *testing.T, open Open) {
	s := one(t, open)
	base := Seeded(t, s)
	first, err := s.Commit(t.Context(), base, Block(t, "GET:/a", "first"))
	require.NoError(t, err)
	now := After(base, first)
	otherHead, otherEpoch, ahead := now, now, now
	otherHead.Head[0] ^= 1
	otherEpoch.Epoch = state.NewEpoch()
	ahead.Rev++
	for _, c := range []struct {
		name string
		base state.Meta
	}{
		{"behind", base},
		{"ahead", ahead},
		{"another head", otherHead},
		{"another epoch", otherEpoch},
		{"none", state.Meta{}},
	} {
		_, err := s.Commit(t.Context(), c.base, Block(t, "GET:/a", c.name))
		require.ErrorIs(t, err, state.ErrConflict, c.name)
	}
	doc, err := s.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, now, doc.Meta)
	require.Equal(t, "first", Reason(t, doc, "GET:/a"))
	_, err = s.Commit(t.Context(), now, Block(t, "GET:/a", "second"))
	require.NoError(t, err)
}

func commitOnce(t *testing.T, open Open) {
	handles := open(t, 2)
	base := Seeded(t, handles[0])
	change := Block(t, "GET:/a", "once")
	change.ID = "retry me: é/1"
	change.Private = map[string][]byte{"cursor": []byte("1")}
	first, err := handles[0].Commit(t.Context(), base, change)
	require.NoError(t, err)
	require.False(t, first.Duplicate)
	now := After(base, first)

	again := Block(t, "GET:/a", "twice")
	again.ID = change.ID
	again.Private = map[string][]byte{"cursor": []byte("2")}
	for _, at := range []state.Meta{base, now} {
		r, err := handles[1].Commit(t.Context(), at, again)
		require.NoError(t, err)
		require.True(t, r.Duplicate)
		require.Equal(t, first.Frame, r.Frame)
	}
	doc, err := handles[1].Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, now, doc.Meta)
	require.Equal(t, "once", Reason(t, doc, "GET:/a"))
	private, err := handles[1].Private(t.Context())
	require.NoError(t, err)
	require.Equal(t, "1", string(private["cursor"]))

	other := Block(t, "GET:/a", "another id")
	other.ID = change.ID + "0"
	r, err := handles[1].Commit(t.Context(), now, other)
	require.NoError(t, err)
	require.False(t, r.Duplicate)

	// Long after others changed more, the first receipt is still the one given back.
	r, err = handles[0].Commit(t.Context(), base, again)
	require.NoError(t, err)
	require.True(t, r.Duplicate)
	require.Equal(t, first.Frame, r.Frame)
}

func patchSetsAndRemoves(t *testing.T, open Open) {
	s := one(t, open)
	base := Seeded(t, s)
	want := state.NewDocument(base)
	window := state.Window{
		ID: "w-1", Target: state.Target{Service: "orders"}, Effect: state.EffectDisabled, Origin: state.OriginUntil,
		Reason: "<b>&\u2028 é \x00",
	}
	wide := Block(t, "orders:GET:/users/{id}", "<i> & \u2029")
	require.NoError(t, wide.Patch.SetGlobal(state.Switch{IncludeProtected: true}))
	require.NoError(t, wide.Patch.SetService("orders", state.Switch{By: "ops"}))
	require.NoError(t, wide.Patch.SetWindow(window))
	drop := Forget(t, "orders:GET:/users/{id}")
	drop.Patch.DropWindow("w-1")
	for _, c := range []state.Change{wide, Block(t, "GET:/a%25b", "x"), drop, Forget(t, "/never/there"), Secret(nil)} {
		r := Commit(t, s, c)
		var err error
		want, err = want.With(c.Patch, After(base, r))
		require.NoError(t, err)
		doc, err := s.Load(t.Context())
		require.NoError(t, err)
		Same(t, want, doc)
	}
	require.Equal(t, 1, want.RouteCount())
}

func privateStaysPrivate(t *testing.T, open Open) {
	const secret = "5ec2e7-fingerprint"
	s := one(t, open)
	doc := state.Genesis(1)
	require.NoError(t, s.Seed(t.Context(), state.Meta{}, doc, map[string][]byte{"old": []byte(secret), "bin": {0, 255}}))
	both := Block(t, "GET:/a", "with a secret")
	both.Private = map[string][]byte{"token:1": []byte(secret), "empty": nil}
	Commit(t, s, both)
	Commit(t, s, Secret(map[string][]byte{"old": nil, "token:2": []byte(secret)}))
	Commit(t, s, Block(t, "GET:/b", "without"))

	private, err := s.Private(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		"bin": {0, 255}, "token:1": []byte(secret), "token:2": []byte(secret),
	}, private)
	frames, err := s.Frames(t.Context(), doc.Epoch, 0, 100)
	require.NoError(t, err)
	require.Len(t, frames, 3)
	for _, f := range frames {
		require.NotContains(t, string(f.Payload), secret)
	}

	conflict := Secret(map[string][]byte{"token:3": []byte(secret)})
	_, err = s.Commit(t.Context(), doc.Meta, conflict)
	require.ErrorIs(t, err, state.ErrConflict)
	private, err = s.Private(t.Context())
	require.NoError(t, err)
	require.NotContains(t, private, "token:3")
}

func committersLoseNothing(t *testing.T, open Open) {
	const admins, each = 4, 15
	handles := open(t, admins)
	base := Seeded(t, handles[0])
	done := make([]<-chan error, admins)
	for a, s := range handles {
		done[a] = commitAll(t, s, blocks(t, each, fmt.Sprintf("GET:/admin%d/%%d", a)))
	}
	for _, d := range done {
		require.NoError(t, <-d)
	}
	doc, err := handles[0].Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, admins*each, doc.RouteCount())
	require.Equal(t, uint64(admins*each), doc.Rev)
	frames, err := handles[1].Frames(t.Context(), base.Epoch, base.Rev, admins*each+1)
	require.NoError(t, err)
	require.Len(t, frames, admins*each)
	require.NoError(t, chained(base, frames))
	require.Equal(t, doc.Head, frames[len(frames)-1].Head)
}
