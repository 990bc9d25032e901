package statetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

func deskIsHeldOnce(t *testing.T, open Open) {
	handles := open(t, 2)
	first, err := handles[0].Lease(t.Context(), "d.1", "a", time.Minute)
	require.NoError(t, err)
	require.Equal(t, "a", first.Owner)
	require.Equal(t, "d.1", first.Desk)
	require.Greater(t, first.Token, uint64(time.Now().Add(-time.Hour).UnixMilli()), "it begins at the store's clock")
	require.WithinDuration(t, time.Now().Add(time.Minute), first.Until, 30*time.Second)
	_, err = handles[1].Lease(t.Context(), "d.1", "b", time.Minute)
	require.ErrorIs(t, err, state.ErrConflict)
	again, err := handles[1].Lease(t.Context(), "d.1", "a", time.Minute)
	require.NoError(t, err)
	require.Equal(t, first.Token, again.Token, "a renewed lease keeps its token")
	other, err := handles[1].Lease(t.Context(), "d.2", "b", time.Minute)
	require.NoError(t, err, "another desk is another lease")

	require.NoError(t, handles[0].Release(t.Context(), other), "whoever has it may end it")
	require.NoError(t, handles[0].Release(t.Context(), first))
	require.NoError(t, handles[0].Release(t.Context(), first), "once more is no error")
	next, err := handles[1].Lease(t.Context(), "d.1", "b", time.Minute)
	require.NoError(t, err)
	require.Greater(t, next.Token, first.Token)
	require.NoError(t, handles[0].Release(t.Context(), first), "a lost one ends nothing")
	_, err = handles[0].Lease(t.Context(), "d.1", "a", time.Minute)
	require.ErrorIs(t, err, state.ErrConflict)
}

func deskLeaseEnds(t *testing.T, open Open) {
	handles := open(t, 2)
	first, err := handles[0].Lease(t.Context(), "d", "a", 30*time.Millisecond)
	require.NoError(t, err)
	// Nobody took it meanwhile: it is still the last one, and may be renewed.
	limit := time.Now().Add(patience)
	var next state.Lease
	for {
		require.True(t, time.Now().Before(limit), "the lease does not end")
		if next, err = handles[1].Lease(t.Context(), "d", "b", time.Minute); err == nil {
			break
		}
		require.ErrorIs(t, err, state.ErrConflict)
	}
	require.Greater(t, next.Token, first.Token)
	require.ErrorIs(t, handles[0].WriteDesk(t.Context(), first, map[string][]byte{"f": {1}}), state.ErrConflict)
	fields, err := handles[0].ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Empty(t, fields)
	require.NoError(t, handles[1].WriteDesk(t.Context(), next, map[string][]byte{"f": {2}}))
}

func deskKeepsFields(t *testing.T, open Open) {
	handles := open(t, 2)
	// A desk can be there before the document is, as after a wipe.
	lease, err := handles[0].Lease(t.Context(), "d", "a", time.Minute)
	require.NoError(t, err)
	base := Seeded(t, handles[0])
	empty, err := handles[1].ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Empty(t, empty)
	require.NoError(t, handles[0].WriteDesk(t.Context(), lease, map[string][]byte{"a": []byte("1"), "b": {0, 255}, "none": nil}))
	require.NoError(t, handles[0].WriteDesk(t.Context(), lease, map[string][]byte{"a": {}, "c": []byte(strings.Repeat("x", 100_000))}))
	require.NoError(t, handles[1].WriteDesk(t.Context(), state.Lease{Desk: "d"}, map[string][]byte{"d": []byte("by anybody")}))
	require.NoError(t, handles[0].WriteDesk(t.Context(), lease, nil))
	fields, err := handles[1].ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Equal(t, map[string][]byte{
		"b": {0, 255}, "c": []byte(strings.Repeat("x", 100_000)), "d": []byte("by anybody"),
	}, fields)

	many := map[string][]byte{}
	for i := range 3000 {
		many[fmt.Sprint("m", i)] = []byte{1}
	}
	require.NoError(t, handles[0].WriteDesk(t.Context(), lease, many))
	for name := range many {
		many[name] = nil
	}
	require.NoError(t, handles[0].WriteDesk(t.Context(), lease, many))
	fields, err = handles[1].ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Len(t, fields, 3)

	// It is no part of the document: nothing moved, and a commit touches nothing on it.
	at, err := handles[0].Pulse(t.Context())
	require.NoError(t, err)
	require.Equal(t, base, at.Meta)
	Commit(t, handles[0], Block(t, "GET:/a", "x"))
	again, err := handles[1].ReadDesk(t.Context(), "d")
	require.NoError(t, err)
	require.Equal(t, fields, again)
}

func deskNamesAreChecked(t *testing.T, open Open) {
	s := one(t, open)
	for _, name := range []string{"", ".d", "a/b", "a b", "a:b", strings.Repeat("x", state.MaxDeskName+1)} {
		var invalid *state.InvalidError
		_, err := s.Lease(t.Context(), name, "a", time.Minute)
		require.ErrorAs(t, err, &invalid, "%q", name)
		_, err = s.ReadDesk(t.Context(), name)
		require.ErrorAs(t, err, &invalid, "%q", name)
		require.ErrorAs(t, s.WriteDesk(t.Context(), state.Lease{Desk: name}, map[string][]byte{"f": {1}}), &invalid, "%q", name)
		require.ErrorAs(t, s.Release(t.Context(), state.Lease{Desk: name}), &invalid, "%q", name)
	}
}
