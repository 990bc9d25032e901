package app

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/api"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

func documentAt(t *testing.T, epoch string, rev uint64) *state.Document {
	t.Helper()
	return statetest.Document(t, state.Meta{Epoch: epoch, Gen: 1, Rev: rev}, "GET:/a")
}

func TestAnEventGoesWithTheStateOfItsRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h history
		for rev := uint64(1); rev <= historyLength+10; rev++ {
			h.add(documentAt(t, "E", rev))
		}
		for asked, want := range map[uint64]uint64{1: 11, 100: 100, historyLength + 10: historyLength + 10} {
			doc, err := h.from(t.Context(), "E", asked)
			require.NoError(t, err)
			require.Equal(t, want, doc.Rev)
		}
		// One that is not there yet is waited for, and one of another history never comes.
		next := documentAt(t, "E", 900)
		go func() {
			time.Sleep(time.Second)
			h.add(next)
		}()
		doc, err := h.from(t.Context(), "E", 800)
		require.NoError(t, err)
		require.Equal(t, uint64(900), doc.Rev)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = h.from(ctx, "F", 1)
		require.ErrorIs(t, err, errNotThere)
		h.add(documentAt(t, "F", 2000))
		doc, err = h.from(t.Context(), "F", 1)
		require.NoError(t, err)
		require.Equal(t, "F", doc.Epoch)
	})
}

func TestTheStateOfAnEventIsThatOfTheCalls(t *testing.T) {
	doc := documentAt(t, "E", 7)
	st, err := api.EventState(doc, "GET:/a", time.Now())
	require.NoError(t, err)
	route, ok := st.(wire.Route)
	require.True(t, ok)
	require.Equal(t, "maintenance", route.Status)
	require.Equal(t, uint64(7), route.Revision)
	st, err = api.EventState(doc, state.GlobalPath, time.Now())
	require.NoError(t, err)
	global, ok := st.(wire.Switch)
	require.True(t, ok)
	require.False(t, global.Enabled)
	_, err = api.EventState(doc, "nothing", time.Now())
	require.Error(t, err)
}
