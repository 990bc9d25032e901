package memstore_test

import (
	"testing"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestContract(t *testing.T) {
	statetest.Run(t, func(_ *testing.T, handles int) []state.Backend {
		s := memstore.New()
		out := make([]state.Backend, handles)
		for i := range out {
			out[i] = s
		}
		return out
	})
}
