package admin_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

// node is one admin of several on a store.
type node struct {
	*admin.Service
	stop func()
}

// newNode begins an admin that tends windows until it is stopped. It is called in a bubble.
func newNode(t *testing.T, store state.Backend, cfg admin.Config) *node {
	t.Helper()
	var cache state.Cache
	var service *admin.Service
	follower := state.NewFollower(store, &cache, state.FollowerOptions{OnApply: func(snap *state.Snapshot, frames []state.Frame) {
		service.Applied(snap, frames)
	}})
	cfg.Store, cfg.Fleet, cfg.Cache, cfg.Follower = store, store, &cache, follower
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	service = admin.New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { follower.Run(ctx) })
	running.Go(func() { service.Tend(ctx) })
	<-follower.Ready()
	n := &node{Service: service, stop: sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})}
	t.Cleanup(n.stop)
	return n
}

func (n *node) do(t *testing.T, commands ...state.Command) admin.Result {
	t.Helper()
	who := people.Principal{Name: "alice", Platform: state.PlatformCLI, Role: people.Operator}
	r, err := n.Do(t.Context(), who, admin.Retry{}, commands...)
	require.NoError(t, err)
	return r
}

func newStore(t *testing.T) *memstore.Store {
	t.Helper()
	store := memstore.New()
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	return store
}

// told are the announcements in the log of a store.
func told(t *testing.T, store state.Store) (all []state.Record, at []time.Time) {
	t.Helper()
	p, err := store.Pulse(t.Context())
	require.NoError(t, err)
	frames, err := store.Frames(t.Context(), p.Epoch, 0, 1_000_000)
	require.NoError(t, err)
	for i := range frames {
		e, err := frames[i].Entry()
		require.NoError(t, err)
		if e.Kind == state.KindAnnounce {
			require.Equal(t, state.ActorSystem, e.Actor)
			for _, r := range e.Records {
				all, at = append(all, r), append(at, e.At)
			}
		}
	}
	return all, at
}

func key(t *testing.T, text string) state.Target {
	t.Helper()
	k, _, err := state.ParseKey(text)
	require.NoError(t, err)
	return state.Target{Key: k}
}

func TestSeveralAdminsAnnounceEverythingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		cfg := admin.Config{UpcomingLead: 15 * time.Minute}
		nodes := []*node{newNode(t, store, cfg), newNode(t, store, cfg), newNode(t, store, cfg)}
		random := rand.New(rand.NewPCG(1, 2))
		began := time.Now()
		want := map[string]time.Time{}
		for i := range 60 {
			start := began.Add(time.Hour + time.Duration(random.IntN(600))*time.Minute)
			end := start.Add(time.Duration(11+random.IntN(120)) * time.Minute)
			path := fmt.Sprintf("/%d", i)
			nodes[i%3].do(t, state.Command{Verb: state.VerbAddWindow, Target: key(t, path), Window: &state.Window{Start: start, End: end}})
			want["window_upcoming "+path] = start.Add(-15 * time.Minute)
			want["maintenance_on "+path] = start
			want["window_ending "+path] = end.Add(-10 * time.Minute)
			want["maintenance_off "+path] = end
		}
		// Admins come and go all the time; sometimes none is there.
		for time.Since(began) < 15*time.Hour {
			time.Sleep(time.Duration(random.IntN(600)) * time.Second)
			i := random.IntN(len(nodes))
			nodes[i].stop()
			if random.IntN(2) == 0 {
				nodes[i] = newNode(t, store, cfg)
			}
			if random.IntN(4) == 0 {
				for i := range nodes {
					nodes[i].stop()
				}
			}
		}
		last := newNode(t, store, cfg)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		records, at := told(t, store)
		require.Len(t, records, len(want))
		for i, r := range records {
			due, ok := want[string(r.Action)+" "+r.Path]
			require.True(t, ok, "%s %s is announced twice, or should not be", r.Action, r.Path)
			require.Equal(t, due.UTC(), r.Due.UTC())
			require.False(t, at[i].Before(due), "announced before it was due")
			delete(want, string(r.Action)+" "+r.Path)
		}
		require.True(t, slices.IsSortedFunc(records, func(a, b state.Record) int { return a.Due.Compare(b.Due) }))
		last.stop()
	})
}

func TestLateAnnouncementsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		first := newNode(t, store, admin.Config{})
		first.do(t, state.Command{Verb: state.VerbAddWindow, Target: key(t, "/a"), Window: &state.Window{
			Start: time.Now().Add(time.Hour), End: time.Now().Add(2 * time.Hour),
		}})
		time.Sleep(time.Hour + time.Second)
		synctest.Wait()
		require.Equal(t, uint64(1), first.Announcements().Made())
		require.Zero(t, first.Announcements().Late())
		first.stop()
		time.Sleep(5 * time.Hour)
		second := newNode(t, store, admin.Config{})
		time.Sleep(2 * time.Second)
		require.Equal(t, uint64(2), second.Announcements().Made())
		require.Equal(t, uint64(2), second.Announcements().Late())
		second.stop()
	})
}

// A command comes after what the window did before it, though nobody had announced that yet.
func TestACommandComesAfterWhatWindowsDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		first := newNode(t, store, admin.Config{})
		first.do(t, state.Command{Verb: state.VerbAddWindow, Target: key(t, "/a"), Window: &state.Window{
			Start: time.Now().Add(time.Hour), End: time.Now().Add(2 * time.Hour),
		}})
		first.stop()
		time.Sleep(90 * time.Minute)
		second := newNode(t, store, admin.Config{})
		r := second.do(t, state.Command{Verb: state.VerbEnable, Target: key(t, "/a")})
		require.Equal(t, []string{"window"}, r.Outcomes[0].Cleared)
		time.Sleep(2 * time.Hour)
		records, _ := told(t, store)
		require.Len(t, records, 1)
		require.Equal(t, state.ActionMaintenanceOn, records[0].Action)
		second.stop()
	})
}

func TestBlocksThatNobodyScheduledEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newStore(t)
		n := newNode(t, store, admin.Config{Overrides: admin.Overrides{Default: time.Hour, Max: 24 * time.Hour}})
		now := n.Now().UTC()
		r := n.do(t, state.Command{Verb: state.VerbMaintenance, Target: key(t, "/a")})
		require.Equal(t, now.Add(time.Hour), *r.Document().State(key(t, "/a").Key, r.Now).Until)
		r = n.do(t, state.Command{Verb: state.VerbEnable, Target: state.Target{Global: true}})
		require.Equal(t, now.Add(time.Hour), *r.Document().GlobalState(r.Now).Until)
		who := people.Principal{Name: "alice", Platform: state.PlatformCLI, Role: people.Operator}
		_, err := n.Do(t.Context(), who, admin.Retry{}, state.Command{Verb: state.VerbDisable, Target: key(t, "/b"), End: now.Add(25 * time.Hour)})
		require.ErrorContains(t, err, "24h0m0s at the most")
		_, err = n.Do(t.Context(), who, admin.Retry{}, state.Command{Verb: state.VerbChangeWindow, WindowID: r.Document().GlobalState(r.Now).Windows[0].ID, End: now.Add(25 * time.Hour)})
		require.ErrorContains(t, err, "at the most")
		n.do(t, state.Command{Verb: state.VerbSchedule, Target: key(t, "/c"), Start: now.Add(time.Hour), End: now.Add(48 * time.Hour)})

		// "Disabled until" in two commands: the second one gives the end.
		n.do(t, state.Command{Verb: state.VerbDisable, Target: key(t, "/d"), Reason: "x"})
		r = n.do(t, state.Command{Verb: state.VerbSchedule, Target: key(t, "/d"), Reason: "x", Start: n.Now(), End: now.Add(3 * time.Hour)})
		st := r.Document().State(key(t, "/d").Key, r.Now)
		require.Equal(t, state.Disabled, st.Status)
		require.Equal(t, now.Add(3*time.Hour), *st.Until)
		require.Len(t, st.Windows, 1)
		n.do(t, state.Command{Verb: state.VerbDisable, Target: key(t, "/e"), Reason: "x"})
		_, err = n.Do(t.Context(), who, admin.Retry{}, state.Command{Verb: state.VerbSchedule, Target: key(t, "/e"), Reason: "x", Start: n.Now(), End: now.Add(25 * time.Hour)})
		require.ErrorContains(t, err, "at the most")
		n.stop()
	})
}
