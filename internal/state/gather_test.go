package state_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// Whether there are huge pages is the machine's affair; that verdicts do not change by them is ours.
func TestGather(t *testing.T) {
	few, err := state.Compile(benchDocument(t, 100))
	require.NoError(t, err)
	require.Zero(t, few.Gather(), "it is not worth it")

	const routes = 20_000
	s, err := state.Compile(benchDocument(t, routes))
	require.NoError(t, err)
	requests := benchRequests(routes)
	verdicts := func() (all []state.Decision) {
		for i := range requests {
			all = append(all, s.Decide(&requests[i], epoch0))
		}
		return all
	}
	want := verdicts()
	var work sync.WaitGroup
	var bytes int
	work.Go(func() { bytes = s.Gather() })
	for range 3 {
		require.Equal(t, want, verdicts())
	}
	work.Wait()
	require.Equal(t, want, verdicts())
	t.Logf("%d MB are in huge pages", bytes>>20)
}
