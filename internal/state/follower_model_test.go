package state_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

// history is every place that ever existed in any store, by its head and epoch, with the place it came from.
type history map[state.Meta]state.Meta

// world drives a follower through faults and checks each step it takes.
type world struct {
	*scene
	rand *rand.Rand

	// books guards what follows: it is held while the store is changed, so that the follower's step is checked only once
	// the change is in the books.
	books sync.Mutex
	past  history
	docs  map[state.Meta]*state.Document
	// last is where the follower stood before, over restarts too; gen the highest generation there was; steps how many
	// snapshots were checked and wrong what was wrong with the first bad one.
	last  state.Meta
	gen   uint64
	steps int
	wrong error
}

// record notes where the store behind the link stands, and all that led there. The caller holds books.
func (w *world) record() {
	store := w.link.Behind()
	doc, err := store.Load(w.t.Context())
	if err != nil {
		require.ErrorIs(w.t, err, state.ErrEmpty)
		return
	}
	w.docs[doc.Meta] = doc
	w.gen = max(w.gen, doc.Gen)
	to := doc.Meta
	for to.Rev > 0 {
		if _, known := w.past[to]; known {
			return
		}
		frames, err := store.Frames(w.t.Context(), to.Epoch, to.Rev-1, 1)
		if err != nil {
			require.ErrorIs(w.t, err, state.ErrGap)
			return
		}
		from := state.Meta{Epoch: to.Epoch, Gen: to.Gen, Rev: to.Rev - 1, Head: frames[0].Prev}
		w.past[to] = from
		to = from
	}
}

// check looks at a snapshot that the follower made current.
func (w *world) check(s *state.Snapshot) {
	w.books.Lock()
	defer w.books.Unlock()
	at := s.Document().Meta
	w.steps++
	if err := w.allowed(at); w.wrong == nil && err != nil {
		w.wrong = err
	}
	if want, ok := w.docs[at]; ok && w.wrong == nil && want.RouteCount() != s.Document().RouteCount() {
		w.wrong = fmt.Errorf("revision %d holds %d routes instead of %d", at.Rev, s.Document().RouteCount(), want.RouteCount())
	}
	w.last = at
}

// allowed says why the follower must not go where it went, nil if it may. The caller holds books.
func (w *world) allowed(at state.Meta) error {
	switch {
	case w.last.Epoch == "":
		return nil
	case w.last.Epoch != at.Epoch && at.Gen <= w.last.Gen:
		return fmt.Errorf("it went from generation %d to %d", w.last.Gen, at.Gen)
	case w.last.Epoch != at.Epoch:
		return nil
	}
	from := at
	for from.Rev > w.last.Rev {
		before, ok := w.past[from]
		if !ok {
			return fmt.Errorf("revision %d of %s never existed", from.Rev, from.Epoch)
		}
		from = before
	}
	if from != w.last {
		return fmt.Errorf("it went to revision %d, which does not extend its own %d", at.Rev, w.last.Rev)
	}
	return nil
}

// follow starts a follower as a process would: with what the one before knew.
func (w *world) follow() {
	known := w.cache.Load()
	w.cache = &state.Cache{}
	w.Follower = state.NewFollower(w.link, w.cache, state.FollowerOptions{
		OnApply: func(s *state.Snapshot, _ []state.Frame) { w.check(s) },
	})
	if known != nil {
		w.SetInitial(known)
	}
	w.start()
}

// change commits to the store, whatever it is at the moment.
func (w *world) change(i int) {
	key := fmt.Sprintf("GET:/%d", w.rand.IntN(20))
	p, err := w.link.Behind().Pulse(w.t.Context())
	if err != nil {
		return
	}
	c := statetest.Block(w.t, key, fmt.Sprint("step ", i))
	_, err = w.link.Behind().Commit(w.t.Context(), p.Meta, c)
	require.NoError(w.t, err)
}

// rewind puts a store in place that went back a few revisions and on from there.
func (w *world) rewind() {
	p, err := w.link.Behind().Pulse(w.t.Context())
	if err != nil || p.Rev == 0 {
		return
	}
	if _, err := w.link.Behind().Frames(w.t.Context(), p.Epoch, 0, 1); err != nil {
		return
	}
	other := restored(w.t, w.link.Behind(), p.Rev-uint64(w.rand.IntN(int(min(p.Rev, 4)))), w.rand.IntN(6))
	w.link.Exchange(other)
}

// seed gives the store another document in a newer epoch, as a repair does.
func (w *world) seed() {
	seen := state.Meta{}
	if p, err := w.link.Behind().Pulse(w.t.Context()); err == nil {
		seen = p.Meta
	}
	w.gen++
	next := state.Meta{Epoch: state.NewEpoch(), Gen: w.gen, Rev: w.last.Rev + 1000, Head: w.last.Head}
	doc := statetest.Document(w.t, next, "GET:/seeded")
	require.NoError(w.t, w.link.Behind().Seed(w.t.Context(), seen, doc, nil))
}

// act does one thing at random and lets time pass.
func (w *world) act(i int) {
	if w.rand.IntN(16) == 0 {
		w.stop()
		w.follow()
	} else {
		w.books.Lock()
		w.disturb(i)
		w.record()
		w.books.Unlock()
	}
	w.pass(time.Duration(w.rand.Int64N(int64(3 * time.Second))))
	w.books.Lock()
	defer w.books.Unlock()
	require.NoError(w.t, w.wrong)
}

// disturb does something to the store or the link. The caller holds books.
func (w *world) disturb(i int) {
	switch w.rand.IntN(15) {
	case 0:
		w.link.Cut()
	case 1:
		w.link.Silence()
	case 2:
		w.link.Deafen()
	case 3, 4, 5:
		w.link.Heal()
	case 6:
		w.link.DropFrames(w.rand.IntN(4))
	case 7:
		empty := memstore.New()
		if w.rand.IntN(2) == 0 {
			statetest.Seeded(w.t, empty)
		}
		w.link.Exchange(empty)
	case 8:
		w.rewind()
	case 9:
		w.seed()
	default:
		for range w.rand.IntN(5) {
			w.change(i)
		}
	}
}

// beating is an admin that is always alive, so that a lost history is never given in to.
func (w *world) beating(ctx context.Context) {
	for ctx.Err() == nil {
		if err := w.link.Behind().Beat(ctx); err != nil && ctx.Err() == nil {
			require.ErrorIs(w.t, err, state.ErrEmpty)
		}
		select {
		case <-time.After(state.BeatEvery):
		case <-ctx.Done():
		}
	}
}

// Whatever happens to the store and the link, a follower only ever goes on from where it stands, or to a newer epoch;
// and once the store is good again it holds what the store holds.
func TestFollowerModel(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &world{
					scene: newScene(t, seeded(t, "GET:/a")), rand: rand.New(rand.NewPCG(seed, 1)),
					past: history{}, docs: map[state.Meta]*state.Document{},
				}
				w.record()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				w.follow()
				w.link.Heal()
				go func() { w.beating(ctx) }()
				for i := range 60 {
					w.act(i)
				}
				w.link.Heal()
				w.link.DropFrames(0)
				w.books.Lock()
				w.seed()
				w.record()
				w.change(-1)
				w.record()
				w.books.Unlock()
				w.within(8*time.Second, "going on with a good store", func() bool {
					p, err := w.link.Behind().Pulse(t.Context())
					return err == nil && w.Status().Meta == p.Meta && w.Status().Link == state.LinkConnected
				})
				synctest.Wait()
				w.equal()
				require.Empty(t, w.Status().Alarm)
				require.NoError(t, w.wrong)
				require.Positive(t, w.steps)
			})
		})
	}
}
