package httpsource_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestContract(t *testing.T) {
	statetest.RunSource(t, func(t *testing.T) (state.Source, state.Backend) {
		store := memstore.New()
		return newSource(t, newAdmin(t, store, nil).URL), store
	})
}

func TestFramesThatDoNotFitIntoOneAnswer(t *testing.T) {
	for _, c := range []struct {
		name         string
		frames, size int
	}{
		{"many", 2100, 1},
		{"large", 12, 1 << 20},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := memstore.New()
			base := statetest.Seeded(t, store)
			for range c.frames {
				statetest.Commit(t, store, statetest.Block(t, "GET:/a", strings.Repeat("x", c.size)))
			}
			source := newSource(t, newAdmin(t, store, nil).URL)
			for _, limit := range []int{c.frames + 1, c.frames - 1} {
				want, err := store.Frames(t.Context(), base.Epoch, base.Rev, limit)
				require.NoError(t, err)
				got, err := source.Frames(t.Context(), base.Epoch, base.Rev, limit)
				require.NoError(t, err)
				require.Len(t, got, min(limit, c.frames))
				require.True(t, slices.EqualFunc(want, got, func(a, b state.Frame) bool { return a.Head == b.Head && a.Rev == b.Rev }))
			}
		})
	}
}
