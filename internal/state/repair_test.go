package state_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// admin is what an admin runs: a follower and a repairer.
type admin struct {
	*scene
	repairer *state.Repairer
	disk     *state.Disk

	repairs atomic.Int64
}

// newAdmin starts an admin over a link of its own, with what it kept on disk where dir is given.
func newAdmin(t *testing.T, store state.Backend, dir string) *admin {
	t.Helper()
	a := &admin{scene: newScene(t, store)}
	if dir != "" {
		var err error
		a.disk, err = state.OpenDisk(dir, "admin", nil)
		require.NoError(t, err)
	}
	a.Follower = state.NewFollower(a.link, a.cache, state.FollowerOptions{
		OnApply: func(s *state.Snapshot, frames []state.Frame) { a.repairer.Applied(s, frames) },
	})
	a.repairer = state.NewRepairer(a.link, a.Follower, a.disk, state.RepairOptions{
		OnRepair: func(_, _ state.Meta) { a.repairs.Add(1) },
	})
	return a
}

// begin runs the admin until the test ends or stop.
func (a *admin) begin() *admin {
	a.t.Helper()
	ctx, cancel := context.WithCancel(a.t.Context())
	var done sync.WaitGroup
	done.Go(func() { a.Run(ctx) })
	done.Go(func() { a.repairer.Run(ctx) })
	if a.disk != nil {
		done.Go(func() { a.disk.Run(ctx) })
	}
	a.stop = func() { cancel(); done.Wait() }
	a.t.Cleanup(a.stop)
	synctest.Wait()
	return a
}

// lived is a store with two blocks and something private.
func lived(t *testing.T) *memstore.Store {
	t.Helper()
	s := seeded(t, "GET:/1", "GET:/2")
	statetest.Commit(t, s, statetest.Secret(map[string][]byte{"revoked:7": []byte("1")}))
	return s
}

// repaired requires that the store has back what stood at lost.
func (a *admin) repaired(lost *state.Document) {
	a.t.Helper()
	doc, err := a.link.Behind().Load(a.t.Context())
	require.NoError(a.t, err)
	require.NotEqual(a.t, lost.Epoch, doc.Epoch)
	require.Equal(a.t, lost.Gen+1, doc.Gen)
	require.GreaterOrEqual(a.t, doc.Rev, lost.Rev+1000)
	want, err := lost.With(nil, doc.Meta)
	require.NoError(a.t, err)
	statetest.Same(a.t, want, doc)
	private, err := a.link.Behind().Private(a.t.Context())
	require.NoError(a.t, err)
	require.Equal(a.t, map[string][]byte{"revoked:7": []byte("1")}, private)
	require.Empty(a.t, a.repairer.Alarm())
}

func TestRepairGivesBackWhatTheStoreLost(t *testing.T) {
	for _, c := range []struct {
		name string
		lose func(*testing.T, state.Backend) state.Backend
	}{
		{"wiped", func(*testing.T, state.Backend) state.Backend { return memstore.New() }},
		{"behind", func(t *testing.T, s state.Backend) state.Backend { return restored(t, s, 2, 0) }},
		{"forked at the same revision", func(t *testing.T, s state.Backend) state.Backend { return restored(t, s, 2, 1) }},
		{"forked and longer", func(t *testing.T, s state.Backend) state.Backend { return restored(t, s, 1, 9) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAdmin(t, lived(t), "").begin()
				instance := newScene(t, a.link.Behind()).start()
				a.pass(10 * time.Second)
				lost := a.cache.Load().Document()
				other := c.lose(t, a.link.Behind())
				a.link.Exchange(other)
				instance.link.Exchange(other)
				a.pass(2900 * time.Millisecond)
				require.Zero(t, a.repairs.Load(), "it did not wait for reports")
				require.Equal(t, "x", statetest.Reason(t, instance.cache.Load().Document(), "GET:/2"))
				a.within(3*time.Second, "the repair", func() bool { return a.repairs.Load() == 1 })
				a.repaired(lost)

				// The next command succeeds at once, and instances go on.
				a.equal()
				r, err := a.link.Commit(t.Context(), a.cache.Load().Document().Meta, statetest.Block(t, "GET:/3", "x"))
				require.NoError(t, err)
				instance.within(2*time.Second, "the instance", func() bool { return instance.Status().Rev == r.Frame.Rev })
				instance.equal()
				a.pass(time.Hour)
				require.Equal(t, int64(1), a.repairs.Load())
			})
		})
	}
}

func TestRepairIsDoneByOneAdmin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := lived(t)
		admins := make([]*admin, 4)
		for i := range admins {
			admins[i] = newAdmin(t, store, "").begin()
		}
		admins[0].pass(10 * time.Second)
		for range 5 {
			lost := admins[0].cache.Load().Document()
			empty := memstore.New()
			for _, a := range admins {
				a.link.Exchange(empty)
				a.repairs.Store(0)
			}
			admins[0].pass(10 * time.Second)
			total := int64(0)
			for _, a := range admins {
				total += a.repairs.Load()
				a.repaired(lost)
				a.equal()
			}
			require.Equal(t, int64(1), total)
		}
	})
}

func TestRepairLeavesToAPersonWhatItDoesNotKnow(t *testing.T) {
	for _, c := range []struct {
		name   string
		report func(at state.Meta) state.Report
		alarm  string
	}{
		{"an instance knows a higher revision", func(at state.Meta) state.Report {
			return state.Report{ID: "gw-1", Epoch: at.Epoch, Gen: at.Gen, Rev: at.Rev + 1}
		}, "gw-1 enforces revision 4 while this admin knows 3"},
		{"an instance knows a newer epoch", func(at state.Meta) state.Report {
			return state.Report{ID: "gw-1", Epoch: "later", Gen: at.Gen + 1, Rev: 1}
		}, "gw-1"},
		{"an instance knows as much", func(at state.Meta) state.Report {
			return state.Report{ID: "gw-1", Epoch: at.Epoch, Gen: at.Gen, Rev: at.Rev}
		}, ""},
		{"an instance knows another epoch that is older", func(at state.Meta) state.Report {
			return state.Report{ID: "gw-1", Epoch: "earlier", Gen: at.Gen - 1, Rev: at.Rev + 9}
		}, ""},
		{"an instance knows nothing", func(state.Meta) state.Report { return state.Report{ID: "gw-1"} }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAdmin(t, lived(t), "").begin()
				a.pass(10 * time.Second)
				lost := a.cache.Load().Document()
				a.link.Exchange(memstore.New())
				a.pass(2 * time.Second)
				require.NoError(t, a.link.Report(t.Context(), c.report(lost.Meta)))
				a.pass(time.Hour)
				if c.alarm == "" {
					a.repaired(lost)
					return
				}
				require.Contains(t, a.repairer.Alarm(), c.alarm)
				require.Zero(t, a.repairs.Load())
				_, err := a.link.Pulse(t.Context())
				require.ErrorIs(t, err, state.ErrEmpty)
				a.unmoved(lost.Meta)
				// Forgetting the instance is such a decision.
				require.NoError(t, a.link.Forget(t.Context(), "gw-1"))
				a.pass(3 * time.Second)
				a.repaired(lost)
			})
		})
	}
}

func TestRepairDoesNotTouchAnotherHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmin(t, lived(t), "").begin()
		a.pass(10 * time.Second)
		ours := a.cache.Load().Document()
		other := seeded(t, "GET:/theirs")
		statetest.Commit(t, other, statetest.Secret(map[string][]byte{"theirs": []byte("1")}))
		want, err := other.Load(t.Context())
		require.NoError(t, err)
		a.link.Exchange(other)
		a.pass(time.Hour)
		require.Contains(t, a.repairer.Alarm(), "another history")
		got, err := other.Load(t.Context())
		require.NoError(t, err)
		statetest.Same(t, want, got)
		a.unmoved(ours.Meta)

		// Nor does it take that history's private part for its own.
		a.link.Exchange(memstore.New())
		a.pass(10 * time.Second)
		a.repaired(ours)
	})
}

func TestRepairFromDisk(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmin(t, lived(t), dir).begin()
		a.pass(3 * time.Second)
		lost := a.cache.Load().Document()
		a.stop()

		b := newAdmin(t, memstore.New(), dir)
		saved, err := b.disk.Load()
		require.NoError(t, err)
		statetest.Same(t, lost, saved.Document)
		snap, err := state.Compile(saved.Document)
		require.NoError(t, err)
		b.SetInitial(snap)
		b.repairer.SetInitial(saved)
		b.begin()
		b.pass(5 * time.Second)
		b.repaired(lost)
		b.equal()
	})
}

func TestRepairKeepsThePrivatePartAtOnce(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		a := newAdmin(t, lived(t), dir).begin()
		a.pass(1500 * time.Millisecond)
		statetest.Commit(t, a.link, statetest.Secret(map[string][]byte{"revoked:8": []byte("1")}))
		a.pass(time.Millisecond)
		a.stop()
		saved, err := a.disk.Load()
		require.NoError(t, err)
		require.Contains(t, saved.Private, "revoked:8")
		require.Equal(t, uint64(4), saved.Document.Rev)
	})
}

func TestRepairNeedsThePrivatePart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		doc := at(t, 1, 5)
		snap, err := state.Compile(doc)
		require.NoError(t, err)
		a := newAdmin(t, memstore.New(), "")
		a.SetInitial(snap)
		a.repairer.SetInitial(state.Saved{Document: doc})
		a.begin()
		a.pass(time.Hour)
		require.Zero(t, a.repairs.Load())
		require.Contains(t, a.repairer.Alarm(), "users and tokens")
	})
}

func TestRepairWaitsForTheStoreToAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmin(t, lived(t), "").begin()
		a.pass(10 * time.Second)
		lost := a.cache.Load().Document()
		for _, fail := range []func(){a.link.Cut, a.link.Silence} {
			fail()
			a.pass(time.Minute)
			require.Empty(t, a.repairer.Alarm())
			require.Zero(t, a.repairs.Load())
			a.link.Heal()
			a.pass(5 * time.Second)
			require.Zero(t, a.repairs.Load(), "nothing was lost")
		}
		// A store that was seen empty and then not at all gets its three seconds from when it is back.
		a.link.Exchange(memstore.New())
		a.pass(2 * time.Second)
		a.link.Cut()
		a.pass(time.Minute)
		a.link.Heal()
		a.pass(2900 * time.Millisecond)
		require.Zero(t, a.repairs.Load())
		a.pass(5 * time.Second)
		a.repaired(lost)
	})
}

func TestRepairBeatsWhileAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAdmin(t, lived(t), "").begin()
		for range 20 {
			a.pass(700 * time.Millisecond)
			p, err := a.link.Pulse(t.Context())
			require.NoError(t, err)
			require.True(t, p.AdminAlive())
			require.LessOrEqual(t, p.Now.Sub(p.Beat), time.Second)
		}
		a.stop()
		a.pass(6 * time.Second)
		p, err := a.link.Pulse(t.Context())
		require.NoError(t, err)
		require.False(t, p.AdminAlive())
	})
}

// swapping is a backend that becomes another store when its private part is asked for.
type swapping struct {
	*statetest.Flaky
	other atomic.Pointer[memstore.Store]
}

func (s *swapping) Private(ctx context.Context) (map[string][]byte, error) {
	if other := s.other.Load(); other != nil {
		s.Exchange(other)
	}
	return s.Flaky.Private(ctx)
}

func TestRepairTakesNoPrivatePartOfAnotherHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other := seeded(t, "GET:/1", "GET:/2", "GET:/3", "GET:/4", "GET:/5")
		statetest.Commit(t, other, statetest.Secret(map[string][]byte{"theirs": []byte("1")}))
		a := newAdmin(t, lived(t), "")
		link := &swapping{Flaky: a.link}
		a.repairer = state.NewRepairer(link, a.Follower, nil, state.RepairOptions{
			OnRepair: func(_, _ state.Meta) { a.repairs.Add(1) },
		})
		a.begin()
		a.pass(10 * time.Second)
		link.other.Store(other)
		statetest.Commit(t, link.Behind(), statetest.Block(t, "GET:/3", "x"))
		a.pass(2 * time.Second)
		lost := a.cache.Load().Document()
		require.Equal(t, uint64(4), lost.Rev)
		link.other.Store(nil)
		a.link.Exchange(memstore.New())
		a.pass(10 * time.Second)
		a.repaired(lost)
	})
}
