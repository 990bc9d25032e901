package redisstore_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/parts"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/redisstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// Every handle is a store of its own with its own connections; every test has a namespace of its own.
func TestContract(t *testing.T) {
	server := parts.Redis(t)
	statetest.Run(t, opener(server.URL()))
}

func opener(url string) statetest.Open {
	var namespaces atomic.Int64
	return func(t *testing.T, handles int) []state.Backend {
		t.Helper()
		namespace := fmt.Sprintf("test-%d", namespaces.Add(1))
		var out []state.Backend
		for range handles {
			s, err := redisstore.Open(t.Context(), url, namespace, redisstore.Options{})
			require.NoError(t, err)
			require.Empty(t, s.Warnings()[1:], "only that nothing is durable")
			t.Cleanup(func() { require.NoError(t, s.Close()) })
			out = append(out, s)
		}
		return out
	}
}
