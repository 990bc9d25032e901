package httpsource_test

import (
	"testing"

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
