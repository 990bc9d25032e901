package statetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
)

// patience bounds every wait for something that happens at once in a store that keeps its contract.
const patience = 20 * time.Second

// Open opens a new, empty store and gives several handles onto it, each as another process would hold it. Where one
// handle serves everybody it is given several times. What it opens it closes when the test ends.
type Open func(t *testing.T, handles int) []state.Backend

// OpenSource opens a new, empty store and a source that reads it from afar.
type OpenSource func(t *testing.T) (state.Source, state.Backend)

// Run holds a store to the whole contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	RunSource(t, func(t *testing.T) (state.Source, state.Backend) {
		handles := open(t, 2)
		return handles[0], handles[1]
	})
	for _, c := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"an empty store takes no commit", emptyTakesNothing},
		{"a commit moves the store by one revision", commitMoves},
		{"a commit on another base is a conflict", commitConflicts},
		{"a commit is made once per idempotency id", commitOnce},
		{"a patch sets and removes fields", patchSetsAndRemoves},
		{"the private part is committed along and stays private", privateStaysPrivate},
		{"two admins changing at once lose nothing", committersLoseNothing},
		{"commits and reads are linearizable", linearizable},
		{"a seed compares what it saw", seedCompares},
		{"exactly one of several seeds wins", seedOnce},
		{"a seed replaces everything", seedReplaces},
		{"a beat shows in the pulse", beatShows},
		{"the log is trimmed at its beginning", trimShortens},
		{"reports are stamped by the store", reportsAreStamped},
		{"an instance is forgotten", instanceForgotten},
		{"a desk is held once", deskIsHeldOnce},
		{"a lease ends", deskLeaseEnds},
		{"a desk keeps its fields", deskKeepsFields},
		{"names of desks are checked", deskNamesAreChecked},
		{"a cancelled call changes nothing", cancelledChangesNothing},
		{"the durability is one of those there are", durabilityNamed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

// RunSource holds a source to the reading half of the contract.
func RunSource(t *testing.T, open OpenSource) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(*testing.T, OpenSource)
	}{
		{"an empty store says so", emptySaysSo},
		{"pulse and document follow the commits", readsFollow},
		{"the document is read in one step", loadIsAtomic},
		{"frames are the log", framesAreTheLog},
		{"frames that are gone are a gap", framesGap},
		{"a watch misses nothing and doubles nothing", watchMissesNothing},
		{"a watch goes on over a seed or ends", watchOverSeed},
		{"a watch ends with its context", watchEnds},
		{"a cancelled read is an error", cancelledRead},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

func one(t *testing.T, open Open) state.Backend {
	t.Helper()
	return open(t, 1)[0]
}

func durabilityNamed(t *testing.T, open Open) {
	known := []state.Durability{
		state.DurableMemory, state.DurableNone, state.DurableEverySec, state.DurableAlways, state.DurableWaitAOF,
		state.DurableFsync,
	}
	require.Contains(t, known, one(t, open).Durability())
}
