package admin_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// doubtful is a store that could not sync a change, and takes none since.
type doubtful struct {
	*memstore.Store
	asked atomic.Int64
}

func (d *doubtful) Commit(context.Context, state.Meta, state.Change) (state.Receipt, error) {
	if d.asked.Add(1) == 1 {
		return state.Receipt{}, state.ErrUnknownOutcome
	}
	return state.Receipt{}, state.ErrUnavailable
}

func TestAnAnswerThatStaysAwayIsAskedForInPeace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &doubtful{Store: newStore(t)}
		core, logs := observer.New(zap.InfoLevel)
		n := newNode(t, store, admin.Config{Log: zap.New(core)})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		who := people.Principal{Name: "alice", Platform: state.PlatformCLI, Role: people.Operator}
		key, _, err := state.ParseKey("GET:/a")
		require.NoError(t, err)
		_, err = n.Do(ctx, who, admin.Retry{}, state.Command{Verb: state.VerbDisable, Target: state.Target{Key: key}})
		require.ErrorIs(t, err, state.ErrUnknownOutcome)
		require.Equal(t, 1, logs.FilterMessageSnippet("the answer to a change was lost").Len())
		require.Less(t, store.asked.Load(), int64(100))
		n.stop()
	})
}

// sluggish is a store that takes its time to commit.
type sluggish struct{ *memstore.Store }

func (s sluggish) Commit(ctx context.Context, base state.Meta, change state.Change) (state.Receipt, error) {
	time.Sleep(3500 * time.Millisecond) // of the bubble's clock
	return s.Store.Commit(ctx, base, change)
}

// Clients in the field wait for 5 seconds. A change that is made late is answered by then, whether our view has it or not.
func TestAChangeThatIsMadeLateIsAnsweredInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, sluggish{newStore(t)}, admin.Config{})
		n.stop()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		began := time.Now()
		who := people.Principal{Name: "alice", Platform: state.PlatformCLI, Role: people.Operator}
		_, err := n.Do(ctx, who, admin.Retry{}, state.Command{Verb: state.VerbDisable, Target: key(t, "/a")})
		require.NoError(t, err)
		require.Less(t, time.Since(began), 4500*time.Millisecond)
	})
}

// A change whose outcome nobody would hear of is not begun.
func TestAChangeWithoutTimeIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, newStore(t), admin.Config{})
		who := people.Principal{Name: "alice", Platform: state.PlatformCLI, Role: people.Operator}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := n.Do(ctx, who, admin.Retry{}, state.Command{Verb: state.VerbDisable, Target: key(t, "/a")})
		require.ErrorIs(t, err, state.ErrUnavailable)
		require.ErrorContains(t, err, "nothing was changed")
		r, err := n.Do(t.Context(), who, admin.Retry{}, state.Command{Verb: state.VerbDisable, Target: key(t, "/a")})
		require.NoError(t, err)
		require.True(t, r.Changed)
		n.stop()
	})
}
