package statetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/waygate/waygate/internal/state"
)

// ErrCut is what a Flaky that was cut answers; it wraps state.ErrUnavailable.
var ErrCut = fmt.Errorf("the link was cut: %w", state.ErrUnavailable)

// Flaky is a real store behind a link that fails on demand. It is safe for concurrent use.
type Flaky struct {
	mu    sync.Mutex
	store state.Backend
	mode  mode
	// drop is how many frames are lost on the way, and answers how many answers to commits.
	drop, answers int
	watches       int
	// epoch ends with each change of mode or store: what hangs or watches under it looks again.
	epoch  context.Context
	change context.CancelFunc
}

// mode is how the link fails.
type mode int

const (
	healthy mode = iota
	cut          // connections are reset: watches end, calls are refused
	silent       // nothing comes back: calls hang until their context ends, watches stay open and say nothing
	deaf         // watches stay open and say nothing, all else works
)

// NewFlaky puts a link that works in front of a store.
func NewFlaky(store state.Backend) *Flaky {
	f := &Flaky{store: store}
	f.epoch, f.change = context.WithCancel(context.Background())
	return f
}

// Cut resets all connections: watches end, and every call fails with ErrCut until Heal.
func (f *Flaky) Cut() { f.become(cut) }

// Silence loses everything on the way: calls hang until their context ends and watches stay open without a word, as
// behind a peer that vanished. A watch that went silent stays so after Heal: what was lost does not come back.
func (f *Flaky) Silence() { f.become(silent) }

// Deafen makes watches silent and leaves all else working. A watch that went deaf stays so after Heal.
func (f *Flaky) Deafen() { f.become(deaf) }

// Heal lets everything work again, for calls and watches that begin from now on.
func (f *Flaky) Heal() { f.become(healthy) }

// DropFrames loses the next n frames that a watch would have given.
func (f *Flaky) DropFrames(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop = n
}

// LoseAnswers lets the next n commits happen and loses their answers: state.ErrUnknownOutcome.
func (f *Flaky) LoseAnswers(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers = n
}

// Exchange puts another store in the place of this one, as a wipe, a failover or a restored backup does. Watches end.
func (f *Flaky) Exchange(store state.Backend) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.store = store
	f.turn()
}

// Behind is the store behind the link.
func (f *Flaky) Behind() state.Backend {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.store
}

// Watches is how many watches are open.
func (f *Flaky) Watches() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.watches
}

func (f *Flaky) become(m mode) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mode = m
	f.turn()
}

// turn wakes all that hangs or watches. The caller holds mu.
func (f *Flaky) turn() {
	f.change()
	f.epoch, f.change = context.WithCancel(context.Background())
}

// reach gives the store, or how the link to it fails.
func (f *Flaky) reach(ctx context.Context) (state.Backend, error) {
	f.mu.Lock()
	store, how, epoch := f.store, f.mode, f.epoch
	f.mu.Unlock()
	switch how {
	case cut:
		return nil, ErrCut
	case silent:
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no answer: %w: %w", state.ErrUnavailable, ctx.Err())
		case <-epoch.Done():
			return nil, ErrCut
		}
	default:
		return store, nil
	}
}

// through makes one call over the link.
func through[T any](ctx context.Context, f *Flaky, call func(state.Backend) (T, error)) (T, error) {
	store, err := f.reach(ctx)
	if err != nil {
		var none T
		return none, err
	}
	return call(store)
}

// Pulse implements state.Source.
func (f *Flaky) Pulse(ctx context.Context) (state.Pulse, error) {
	return through(ctx, f, func(s state.Backend) (state.Pulse, error) { return s.Pulse(ctx) })
}

// Load implements state.Source.
func (f *Flaky) Load(ctx context.Context) (*state.Document, error) {
	return through(ctx, f, func(s state.Backend) (*state.Document, error) { return s.Load(ctx) })
}

// Frames implements state.Source.
func (f *Flaky) Frames(ctx context.Context, epoch string, after uint64, limit int) ([]state.Frame, error) {
	return through(ctx, f, func(s state.Backend) ([]state.Frame, error) { return s.Frames(ctx, epoch, after, limit) })
}

// Private implements state.Store.
func (f *Flaky) Private(ctx context.Context) (map[string][]byte, error) {
	return through(ctx, f, func(s state.Backend) (map[string][]byte, error) { return s.Private(ctx) })
}

// Durability implements state.Store.
func (f *Flaky) Durability() state.Durability { return f.Behind().Durability() }

// Commit implements state.Store.
func (f *Flaky) Commit(ctx context.Context, base state.Meta, c state.Change) (state.Receipt, error) {
	r, err := through(ctx, f, func(s state.Backend) (state.Receipt, error) { return s.Commit(ctx, base, c) })
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && f.answers > 0 {
		f.answers--
		return state.Receipt{}, fmt.Errorf("the answer was lost: %w", state.ErrUnknownOutcome)
	}
	return r, err
}

// Seed implements state.Seeder.
func (f *Flaky) Seed(ctx context.Context, seen state.Meta, doc *state.Document, private map[string][]byte) error {
	return f.do(ctx, func(s state.Backend) error { return s.Seed(ctx, seen, doc, private) })
}

// Beat implements state.Seeder.
func (f *Flaky) Beat(ctx context.Context) error {
	return f.do(ctx, func(s state.Backend) error { return s.Beat(ctx) })
}

// Trim implements state.Trimmer.
func (f *Flaky) Trim(ctx context.Context, epoch string, before uint64) error {
	return f.do(ctx, func(s state.Backend) error { return s.Trim(ctx, epoch, before) })
}

// Report implements state.Fleet.
func (f *Flaky) Report(ctx context.Context, r state.Report) error {
	return f.do(ctx, func(s state.Backend) error { return s.Report(ctx, r) })
}

// Reports implements state.Fleet.
func (f *Flaky) Reports(ctx context.Context) ([]state.Report, error) {
	return through(ctx, f, func(s state.Backend) ([]state.Report, error) { return s.Reports(ctx) })
}

// Forget implements state.Fleet.
func (f *Flaky) Forget(ctx context.Context, id string) error {
	return f.do(ctx, func(s state.Backend) error { return s.Forget(ctx, id) })
}

func (f *Flaky) do(ctx context.Context, call func(state.Backend) error) error {
	_, err := through(ctx, f, func(s state.Backend) (struct{}, error) { return struct{}{}, call(s) })
	return err
}

// Watch implements state.Source.
func (f *Flaky) Watch(ctx context.Context, w state.Watcher) error {
	store, err := f.reach(ctx)
	if err != nil {
		return err
	}
	link, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	l := &flakyLink{f: f, watcher: w, store: store}
	f.count(1)
	defer f.count(-1)
	go l.guard(link, drop)
	err = store.Watch(link, state.Watcher{Subscribed: l.subscribed, Frame: l.frame})
	if cause := context.Cause(link); ctx.Err() == nil && errors.Is(cause, ErrCut) {
		return cause
	}
	return err
}

func (f *Flaky) count(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.watches += n
}

// flakyLink is one watch over the link.
type flakyLink struct {
	f       *Flaky
	watcher state.Watcher
	store   state.Backend
	mu      sync.Mutex
	dead    bool // it went silent and stays so
}

// guard ends the watch when the link is cut or leads to another store, and makes it dead when it goes silent.
func (l *flakyLink) guard(ctx context.Context, drop context.CancelCauseFunc) {
	for {
		l.f.mu.Lock()
		epoch, how, store := l.f.epoch, l.f.mode, l.f.store
		l.f.mu.Unlock()
		if how == cut || store != l.store {
			drop(ErrCut)
		}
		if how == silent || how == deaf {
			l.mu.Lock()
			l.dead = true
			l.mu.Unlock()
		}
		select {
		case <-epoch.Done():
		case <-ctx.Done():
			return
		}
	}
}

func (l *flakyLink) subscribed() {
	if !l.quiet() {
		l.watcher.Subscribed()
	}
}

func (l *flakyLink) frame(f state.Frame) {
	if l.quiet() || l.f.loses() {
		return
	}
	l.watcher.Frame(f)
}

// quiet reports whether the link says nothing any more. It asks the mode itself too: the guard may not have run yet.
func (l *flakyLink) quiet() bool {
	l.f.mu.Lock()
	how := l.f.mode
	l.f.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dead = l.dead || how == silent || how == deaf
	return l.dead
}

// loses reports whether the next frame is one of those to be lost.
func (f *Flaky) loses() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.drop == 0 {
		return false
	}
	f.drop--
	return true
}
