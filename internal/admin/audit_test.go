package admin_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
)

// The view has a change before the memory of the last frames has it. Whoever reads in between finds it in the audit.
func TestTheAuditIsNotBehindTheView(t *testing.T) {
	store := newStore(t)
	var cache state.Cache
	var service *admin.Service
	late := make(chan struct{})
	follower := state.NewFollower(store, &cache, state.FollowerOptions{OnApply: func(snap *state.Snapshot, frames []state.Frame) {
		if snap.Document().Rev == 3 {
			<-late
		}
		service.Applied(snap, frames)
	}})
	service = admin.New(admin.Config{Store: store, Fleet: store, Cache: &cache, Follower: follower, Log: zap.NewNop()})
	go follower.Run(t.Context())
	<-follower.Ready()
	defer close(late)
	who := people.Principal{Name: "alice", Platform: state.PlatformCLI, Role: people.Operator}
	for i, path := range []string{"/a", "/b", "/c"} {
		_, err := service.Do(t.Context(), who, admin.Retry{}, state.Command{Verb: state.VerbDisable, Target: key(t, path)})
		require.NoError(t, err)
		lines, _, err := service.Audit(t.Context(), admin.AuditQuery{Limit: 10})
		require.NoError(t, err)
		require.Len(t, lines, i+1)
		require.Equal(t, path, lines[0].Path)
	}
}
