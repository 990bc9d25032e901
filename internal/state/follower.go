package state

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// The times a follower lives by.
const (
	// Where the source stands is asked this often, give or take a fifth, and the answer is waited for that long.
	pollEvery    = time.Second
	pollDeadline = 800 * time.Millisecond
	// Without a sign of life for three deadlines the link counts as lost.
	silenceAfter = 3 * pollDeadline
	// These bound the pause before a new subscription: full jitter under a bound that doubles.
	reconnectFirst = 50 * time.Millisecond
	reconnectMax   = 2 * time.Second
	// Reading the log, this many frames at a time, and the whole document is given up after so long.
	catchUpBatch   = 1000
	framesDeadline = 10 * time.Second
	loadDeadline   = 60 * time.Second
	// A source that lost or forked our history is adopted after this, if no admin is alive to repair it.
	adoptAfter = 30 * time.Second
	// While the source stands still, what could not be read is tried again this often.
	retryUnreadable = 10 * time.Second
)

// FollowerOptions are what a follower may be told; the zero value is good.
type FollowerOptions struct {
	// OnApply is told of each new snapshot after it became current, with the frames that led to it; none when it
	// replaced the one before as a whole. It is called from one goroutine and must not block.
	OnApply func(*Snapshot, []Frame)
	// OnState is told when the link or the alarm changes. It is called from the same goroutine and must not block.
	OnState func(FollowStatus)
	// Random gives numbers in [0, 1) that spread polls and reconnects; math/rand/v2 when nil.
	Random func() float64
	// Clock is given the source's time with every answer; one of the follower's own when nil.
	Clock *Clock
}

// Follower keeps a Cache equal to a Source.
//
// It subscribes, waits for the confirmation, then catches up. It applies only what extends its own chain; a gap is
// filled from the log, or by the whole document where the log does not reach. Every second it asks where the source
// stands, so that a subscription that lost something is found out. What would take truth back is never adopted: an
// empty source or another epoch that is not newer is held off for ever, a source that lost or forked our history until
// it stood there for adoptAfter without an admin alive. A document that does not compile never replaces one that did.
//
// Run owns all of it in one goroutine; what waits for the network runs beside it and reports back.
type Follower struct {
	source Source
	cache  *Cache
	opt    FollowerOptions

	mu     sync.Mutex
	status FollowStatus
	// horizon is that of the snapshot whose status was last asked for: it is looked for only then.
	horizon struct {
		of *Snapshot
		at time.Time
	}
	// applied is closed, and replaced, with each new snapshot.
	applied chan struct{}
	ready   chan struct{}
	// look holds a wish to look at the source now.
	look chan struct{}
}

// NewFollower makes a follower that fills cache from source once it runs.
func NewFollower(source Source, cache *Cache, opt FollowerOptions) *Follower {
	if opt.Random == nil {
		opt.Random = rand.Float64
	}
	if opt.Clock == nil {
		opt.Clock = NewClock(ClockOptions{})
	}
	return &Follower{
		source: source, cache: cache, opt: opt, status: FollowStatus{Link: LinkReconnecting},
		applied: make(chan struct{}), ready: make(chan struct{}), look: make(chan struct{}, 1),
	}
}

// Clock tells the source's time.
func (f *Follower) Clock() *Clock { return f.opt.Clock }

// SetInitial makes a snapshot current that was kept from before, so that there is an answer while the source cannot be
// reached. It is called before Run, and OnApply is not told.
func (f *Follower) SetInitial(s *Snapshot) { f.swap(s) }

// Look asks the source where it stands now instead of at the next poll, for those who know that it moved. It returns
// at once.
func (f *Follower) Look() {
	select {
	case f.look <- struct{}{}:
	default:
	}
}

// Run follows until ctx ends.
func (f *Follower) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	r := &following{
		Follower: f, ctx: ctx,
		frames: make(chan Frame), links: make(chan linkEvent), pulses: make(chan pulseEvent), fetched: make(chan fetchEvent),
		poll: time.NewTimer(0), reconnect: time.NewTimer(0), silence: time.NewTimer(silenceAfter),
	}
	defer r.work.Wait()
	defer cancel()
	for r.step() {
	}
}

// following is what Run knows. Only its goroutine touches it, except ctx, work and the channels.
type following struct {
	*Follower
	ctx  context.Context
	work sync.WaitGroup

	frames  chan Frame
	links   chan linkEvent
	pulses  chan pulseEvent
	fetched chan fetchEvent

	poll, reconnect, silence *time.Timer

	link     link
	pulsing  bool // a pulse is on its way
	again    bool // and another one must follow it at once
	fetching bool
	missed   bool // something else was to be fetched meanwhile
	hold     hold
	seen     Meta // where the source stood at the last pulse
}

// step handles one event, and reports whether there will be another.
func (r *following) step() bool {
	select {
	case <-r.ctx.Done():
		return false
	case frame := <-r.frames:
		r.onFrame(frame)
	case e := <-r.links:
		r.onLink(e)
	case e := <-r.pulses:
		r.onPulse(e)
	case e := <-r.fetched:
		r.onFetched(e)
	case <-r.poll.C:
		r.kick()
	case <-r.look:
		r.kick()
	case <-r.reconnect.C:
		r.connect()
	case <-r.silence.C:
		r.onSilence()
	}
	r.publish()
	return true
}

// onFrame applies a frame that extends our chain. One that we have is skipped; any other makes us look where the
// source stands.
func (r *following) onFrame(frame Frame) {
	r.contact()
	r.link.deliver(frame.Rev)
	cur := r.cache.Load()
	switch {
	case cur != nil && extends(cur.doc.Meta, &frame):
		r.apply(cur, []Frame{frame})
	case cur != nil && frame.Epoch == cur.doc.Epoch && frame.Rev < cur.doc.Rev:
	case cur != nil && frame.Epoch == cur.doc.Epoch && frame.Rev == cur.doc.Rev && frame.Head == cur.doc.Head:
	default:
		r.kick()
	}
}

func extends(m Meta, f *Frame) bool {
	return f.Epoch == m.Epoch && f.Rev == m.Rev+1 && f.Prev == m.Head
}

// apply makes the snapshot after frames current, each of which extends the one before. A frame that cannot be read is
// a reason to read the whole document: perhaps a later one mends it.
func (r *following) apply(cur *Snapshot, frames []Frame) {
	next, done := cur, 0
	for _, frame := range frames {
		s, err := next.Apply(frame)
		if err != nil {
			break
		}
		next, done = s, done+1
	}
	if done > 0 {
		r.adopt(next, frames[:done])
	}
	if done < len(frames) {
		r.fetchDocument(false)
	}
}

// adopt makes a snapshot current and tells everybody.
func (r *following) adopt(s *Snapshot, frames []Frame) {
	r.hold = hold{}
	r.swap(s)
	r.inStep()
	if r.opt.OnApply != nil {
		r.opt.OnApply(s, frames)
	}
}
