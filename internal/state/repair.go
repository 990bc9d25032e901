package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// EpochStep is by how much the first revision of an epoch that goes on from another one is higher than the last that
// whoever began it knew.
const EpochStep = 1000

// The terms of a repair.
const (
	// Instances have this long to report what they enforce before a store is repaired.
	repairAfter = 3 * time.Second
	// The revision of a repaired store is this much higher, so that nobody takes it for one of the lost history.
	repairStep = EpochStep
)

// RepairOptions are what a repairer may be told; the zero value is good.
type RepairOptions struct {
	// OnRepair is told when this admin gave the store its document back, with what was there and what is there now.
	OnRepair func(lost, now Meta)
	// OnState is told when the alarm changes; the empty alarm is none.
	OnState func(alarm string)
}

// Repairer gives a store back what it lost. Every admin runs one.
//
// It remembers the last good document and private part, on disk too if it is given one. Each second it looks where the
// store stands and tells that an admin is alive. A store that is empty, went back or forked has lost what was
// acknowledged: after repairAfter, in which instances report what they enforce, the last good document is seeded under
// a new epoch, in one step that compares what was seen, so of several admins exactly one does it. If an instance
// reports more than this admin knows, nobody guesses: the alarm stands until a person decides. The same holds for a
// store that holds another history that is not newer: it may be somebody else's.
type Repairer struct {
	backend  Backend
	follower *Follower
	disk     *Disk
	opt      RepairOptions

	mu      sync.Mutex
	good    *Document
	private map[string][]byte
	unread  bool // the private part may have changed since it was read
	alarm   string

	// wake holds a wish to look at the store now.
	wake chan struct{}

	// Only Run touches what follows. Lost is since when the store is seen to have lost our history, and outran the
	// place that we stood at when the store was first seen ahead of it.
	lost   time.Time
	outran Meta
}

// NewRepairer makes a repairer for the store that follower follows. Its Applied must be called with each snapshot the
// follower applies. Disk may be nil.
func NewRepairer(backend Backend, follower *Follower, disk *Disk, opt RepairOptions) *Repairer {
	if opt.OnRepair == nil {
		opt.OnRepair = func(Meta, Meta) {}
	}
	if opt.OnState == nil {
		opt.OnState = func(string) {}
	}
	return &Repairer{backend: backend, follower: follower, disk: disk, opt: opt, wake: make(chan struct{}, 1)}
}

// SetInitial tells what is known from before, from disk. It is called before Run.
func (r *Repairer) SetInitial(s Saved) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good, r.private = s.Document, s.Private
}

// Applied tells that a document became current, as FollowerOptions.OnApply does. It returns at once.
func (r *Repairer) Applied(s *Snapshot, frames []Frame) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.good, r.unread = s.doc, true
	r.keep()
	if len(frames) == 0 || slices.ContainsFunc(frames, isPrivate) {
		select {
		case r.wake <- struct{}{}:
		default:
		}
	}
}

// isPrivate reports whether a frame says that only the private part changed; it need not be right, only quick: the next
// look reads the private part in any case.
func isPrivate(f Frame) bool { return bytes.HasPrefix(f.Payload, []byte(`{"kind":"private"`)) }

// keep hands what is known to the disk. The caller holds mu. Without a private part there is nothing to repair with.
func (r *Repairer) keep() {
	if r.disk != nil && r.good != nil && r.private != nil {
		r.disk.Keep(Saved{Document: r.good, Private: r.private})
	}
}

// Alarm says what is wrong with the store and what to do, empty when nothing is.
func (r *Repairer) Alarm() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.alarm
}

// Run watches over the store until ctx ends.
func (r *Repairer) Run(ctx context.Context) {
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-r.wake:
		case <-ctx.Done():
			return
		}
		start := time.Now()
		alarm, err := r.look(ctx)
		if err == nil {
			r.raise(alarm)
		}
		next.Reset(max(0, r.pause()-time.Since(start)))
	}
}

// pause is how long until the next look: a store that is to be repaired is looked at when that is due.
func (r *Repairer) pause() time.Duration {
	if r.lost.IsZero() {
		return BeatEvery
	}
	if due := repairAfter - time.Since(r.lost); due > 0 {
		return min(BeatEvery, due)
	}
	return BeatEvery
}

func (r *Repairer) raise(alarm string) {
	r.mu.Lock()
	changed := r.alarm != alarm
	r.alarm = alarm
	r.mu.Unlock()
	if changed {
		r.opt.OnState(alarm)
	}
}

// known is the last good document.
func (r *Repairer) known() *Document {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.good
}

// look sees where the store stands and does what there is to do. The error says that the store could not be asked, and
// then the alarm stays what it was.
func (r *Repairer) look(ctx context.Context) (alarm string, err error) {
	ctx, cancel := context.WithTimeout(ctx, framesDeadline)
	defer cancel()
	good := r.known()
	if good == nil {
		return "", nil
	}
	p, err := r.pulse(ctx)
	empty := errors.Is(err, ErrEmpty)
	if err != nil && !empty {
		// Nobody knows what the store holds when it comes back: the time for reports begins anew.
		r.lost = time.Time{}
		return "", err
	}
	ours := good.Meta
	if r.known().Meta != ours {
		return r.Alarm(), nil
	}
	is := lineageOf(ours, p.Meta)
	if !empty && is == foreign {
		r.lost = time.Time{}
		return "the store holds another history that is not newer than ours: " +
			"point this admin to its own store, or decide with waygate-admin init --from-snapshot", nil
	}
	if is == ahead && r.outgrown(ctx, ours) {
		is = forked
	}
	if !empty {
		if err := r.backend.Beat(ctx); err != nil {
			return "", err
		}
	}
	if !empty && is != behind && is != forked {
		r.lost = time.Time{}
		return "", r.readPrivate(ctx, ours)
	}
	return r.repair(ctx, good, p.Meta)
}

func (r *Repairer) pulse(ctx context.Context) (Pulse, error) {
	ctx, cancel := context.WithTimeout(ctx, pollDeadline)
	defer cancel()
	return r.backend.Pulse(ctx)
}

// outgrown reports whether a store that is ahead of us did not come from where we are. Only where we did not move since
// the last look is there a reason to ask: usually the follower is about to apply what came.
func (r *Repairer) outgrown(ctx context.Context, ours Meta) bool {
	if r.outran != ours {
		r.outran = ours
		return false
	}
	frames, err := r.backend.Frames(ctx, ours.Epoch, ours.Rev, 1)
	return err == nil && len(frames) > 0 && frames[0].Rev == ours.Rev+1 && frames[0].Prev != ours.Head
}

// repair gives the last good document to a store that stands at seen, the zero Meta being an empty one, once instances
// had time to report.
func (r *Repairer) repair(ctx context.Context, good *Document, seen Meta) (alarm string, err error) {
	if r.lost.IsZero() {
		r.lost = time.Now()
	}
	if time.Since(r.lost) < repairAfter {
		return fmt.Sprintf("the store lost revision %d and is about to be repaired", good.Rev), nil
	}
	reports, err := r.backend.Reports(ctx)
	if err != nil {
		return "", fmt.Errorf("read the reports before a repair: %w", err)
	}
	for i := range reports {
		if knowsMore(&reports[i], good.Meta) {
			return fmt.Sprintf("the store lost its history, and instance %s enforces revision %d while this admin knows %d: "+
				"an admin that knows more repairs it, or decide with waygate-admin init --from-snapshot",
				reports[i].ID, reports[i].Rev, good.Rev), nil
		}
	}
	r.mu.Lock()
	private := r.private
	r.mu.Unlock()
	if private == nil {
		return "the store lost its history, and this admin does not know its users and tokens to give them back: " +
			"decide with waygate-admin init --from-snapshot", nil
	}
	next := Meta{
		Epoch: NewEpoch(), Gen: max(good.Gen, seen.Gen) + 1, Rev: max(good.Rev, seen.Rev) + repairStep, Head: good.Head,
	}
	doc, err := good.With(nil, next)
	if err != nil {
		return "", fmt.Errorf("repair the store: %w", err)
	}
	switch err := r.backend.Seed(ctx, seen, doc, private); {
	case errors.Is(err, ErrConflict):
		// Another admin was faster, or the store moved: the next look tells.
		return r.Alarm(), nil
	case err != nil:
		return "", fmt.Errorf("repair the store: %w", err)
	}
	r.lost = time.Time{}
	r.follower.Look()
	r.opt.OnRepair(seen, next)
	return "", nil
}

// knowsMore reports whether an instance enforces something that came after what we know.
func knowsMore(r *Report, ours Meta) bool {
	return r.Gen > ours.Gen || r.Epoch == ours.Epoch && r.Rev > ours.Rev
}

// readPrivate reads the private part after the document changed. What it reads counts only while the store stands in
// our epoch, not behind us, before and after: never is a good private part replaced by that of another history.
func (r *Repairer) readPrivate(ctx context.Context, ours Meta) error {
	r.mu.Lock()
	unread := r.unread
	r.unread = false
	r.mu.Unlock()
	if !unread {
		return nil
	}
	private, err := r.backend.Private(ctx)
	var p Pulse
	if err == nil {
		p, err = r.pulse(ctx)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil || p.Epoch != ours.Epoch || p.Rev < ours.Rev {
		r.unread = true
		return err
	}
	if private == nil {
		private = map[string][]byte{}
	}
	r.private = maps.Clone(private)
	r.keep()
	return nil
}
