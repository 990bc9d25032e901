package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// countingSource counts what is asked of a source.
type countingSource struct {
	state.Source
	pulses, loads, watches atomic.Int64
}

func (c *countingSource) Pulse(ctx context.Context) (state.Pulse, error) {
	c.pulses.Add(1)
	return c.Source.Pulse(ctx)
}

func (c *countingSource) Load(ctx context.Context) (*state.Document, error) {
	c.loads.Add(1)
	return c.Source.Load(ctx)
}

func (c *countingSource) Watch(ctx context.Context, w state.Watcher) error {
	c.watches.Add(1)
	return c.Source.Watch(ctx, w)
}

// restored is a store that went back to revision rev of another one, and went on from there by more commits.
func restored(t *testing.T, from state.Backend, rev uint64, more int) *memstore.Store {
	t.Helper()
	p, err := from.Pulse(t.Context())
	require.NoError(t, err)
	frames, err := from.Frames(t.Context(), p.Epoch, 0, int(rev))
	require.NoError(t, err)
	doc := state.NewDocument(state.Meta{Epoch: p.Epoch, Gen: p.Gen})
	for _, f := range frames {
		e, err := f.Entry()
		require.NoError(t, err)
		doc, err = doc.With(e.Patch, state.Meta{Epoch: p.Epoch, Gen: p.Gen, Rev: f.Rev, Head: f.Head})
		require.NoError(t, err)
	}
	fields, err := doc.Fields()
	require.NoError(t, err)
	s := memstore.Open(memstore.Options{Kept: memstore.Kept{Meta: doc.Meta, Fields: fields, Tail: frames}})
	for i := range more {
		statetest.Commit(t, s, statetest.Block(t, fmt.Sprintf("GET:/fork/%d", i), "another history"))
	}
	return s
}

func TestFollowerHoldsAnEmptyStoreOffForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t, "GET:/a", "GET:/b")).start()
		at := s.Status().Meta
		s.link.Exchange(memstore.New())
		s.pass(3 * time.Second)
		s.unmoved(at)
		require.Contains(t, s.Status().Alarm, "empty")
		s.pass(4 * time.Hour)
		s.unmoved(at)

		// A document of an epoch that is not newer is none either, one of a newer epoch is.
		statetest.Seeded(t, s.link.Behind())
		s.pass(4 * time.Hour)
		s.unmoved(at)
		p, err := s.link.Pulse(t.Context())
		require.NoError(t, err)
		next := state.Meta{Epoch: state.NewEpoch(), Gen: at.Gen + 1, Rev: at.Rev + 1000}
		require.NoError(t, s.link.Seed(t.Context(), p.Meta, statetest.Document(t, next, "GET:/a"), nil))
		s.within(1300*time.Millisecond, "the newer epoch", func() bool { return s.Status().Meta == next })
		s.equal()
		require.Equal(t, state.LinkConnected, s.Status().Link)
		require.Empty(t, s.Status().Alarm)
		require.Equal(t, at.Rev+1001, s.commit("GET:/c").Frame.Rev)
		s.equal()
	})
}

func TestFollowerHoldsALostHistoryOff(t *testing.T) {
	for _, c := range []struct {
		name  string
		rev   uint64
		more  int
		alarm string
	}{
		{name: "behind", rev: 2, more: 0, alarm: "went back"},
		{name: "forked at the same revision", rev: 4, more: 1, alarm: "not the one"},
		{name: "forked and shorter", rev: 1, more: 2, alarm: "went back"},
		{name: "forked and longer", rev: 2, more: 10, alarm: "not the one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, seeded(t, "GET:/1", "GET:/2", "GET:/3", "GET:/4", "GET:/5")).start()
				at := s.Status().Meta
				other := restored(t, s.link.Behind(), c.rev, c.more)
				s.link.Exchange(other)

				// While an admin is alive it is up to them.
				ctx, die := context.WithCancel(t.Context())
				go beat(ctx, other)
				s.pass(3 * time.Second)
				s.unmoved(at)
				require.Contains(t, s.Status().Alarm, c.alarm)
				s.pass(time.Hour)
				s.unmoved(at)

				// Without one it is given in to, once nobody can be alive.
				die()
				s.pass(4 * time.Second)
				s.unmoved(at)
				s.within(4*time.Second, "giving in", func() bool { return s.Status().Epoch == at.Epoch && s.Status().Meta != at })
				s.equal()
				require.Equal(t, state.LinkConnected, s.Status().Link)
			})
		})
	}
}

func beat(ctx context.Context, s state.Seeder) {
	for ctx.Err() == nil {
		if s.Beat(ctx) != nil {
			return
		}
		select {
		case <-time.After(state.BeatEvery):
		case <-ctx.Done():
		}
	}
}

func TestFollowerGivesInAfterThirtySeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, seeded(t, "GET:/1", "GET:/2")).start()
		at := s.Status().Meta
		s.link.Exchange(restored(t, s.link.Behind(), 1, 0))
		s.within(2*time.Second, "noticing", func() bool { return s.Status().Link == state.LinkHolding })
		s.pass(29 * time.Second)
		s.unmoved(at)
		s.within(3*time.Second, "giving in", func() bool { return s.Status().Rev == 1 })
		s.equal()
	})
}

func TestFollowerGoesOnWhenTheOldHistoryIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := seeded(t, "GET:/1", "GET:/2")
		s := newScene(t, good).start()
		at := s.Status().Meta
		for _, bad := range []state.Backend{memstore.New(), restored(t, good, 1, 0), restored(t, good, 1, 7)} {
			s.link.Exchange(bad)
			s.pass(3 * time.Second)
			s.unmoved(at)
			s.link.Exchange(good)
			s.within(3*time.Second, "going on", func() bool { return s.Status().Link == state.LinkConnected })
			s.equal()
		}
		s.link.Exchange(restored(t, good, 1, 7))
		s.pass(3 * time.Second)
		s.unmoved(at)
		s.link.Exchange(good)
		statetest.Commit(t, good, statetest.Block(t, "GET:/3", "x"))
		s.within(3*time.Second, "going on", func() bool { return s.Status().Link == state.LinkConnected })
		s.equal()
	})
}

// future is a store of a newer release: a field that this one cannot read is in its document and in its last frame.
func future(t *testing.T, from state.Backend) *memstore.Store {
	t.Helper()
	s := restored(t, from, 2, 0)
	kept := s.Kept()
	c := statetest.Block(t, "GET:/future", "x")
	c.Patch["z:unheard-of"] = json.RawMessage(`{"a":1}`)
	f, err := c.Frame(kept.Meta)
	require.NoError(t, err)
	kept.Meta.Rev, kept.Meta.Head = f.Rev, f.Head
	kept.Fields["z:unheard-of"] = c.Patch["z:unheard-of"]
	kept.Tail = []state.Frame{f}
	return memstore.Open(memstore.Options{Kept: kept})
}

func TestFollowerKeepsAGoodSnapshotFromWhatItCannotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good := seeded(t, "GET:/1", "GET:/2")
		s := newScene(t, good)
		counting := &countingSource{Source: s.link}
		s.Follower = state.NewFollower(counting, s.cache, state.FollowerOptions{})
		s.start()
		at := s.Status().Meta
		bad := future(t, good)
		s.link.Exchange(bad)
		s.pass(3 * time.Second)
		s.unmoved(at)
		require.Contains(t, s.Status().Alarm, "cannot be read")
		before := counting.loads.Load()
		s.pass(100 * time.Second)
		s.unmoved(at)
		require.InDelta(t, 10, counting.loads.Load()-before, 3, "a document that cannot be read is not read each second")

		// A commit that takes the field away mends it.
		p, err := bad.Pulse(t.Context())
		require.NoError(t, err)
		c := statetest.Block(t, "GET:/3", "x")
		mended := restoredWithout(t, bad, c, p.Meta)
		s.link.Exchange(mended)
		s.within(3*time.Second, "going on", func() bool { return s.Status().Rev == 4 })
		s.equal()
		require.Empty(t, s.Status().Alarm)
	})
}

// restoredWithout is the store after one more commit that takes the unheard-of field away.
func restoredWithout(t *testing.T, bad *memstore.Store, c state.Change, at state.Meta) *memstore.Store {
	t.Helper()
	kept := bad.Kept()
	f, err := c.Frame(at)
	require.NoError(t, err)
	delete(kept.Fields, "z:unheard-of")
	maps.Copy(kept.Fields, c.Patch)
	kept.Meta.Rev, kept.Meta.Head = f.Rev, f.Head
	kept.Tail = []state.Frame{f}
	return memstore.Open(memstore.Options{Kept: kept})
}
