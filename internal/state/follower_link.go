package state

import (
	"context"
	"errors"
	"time"
)

// link is the subscription as it stands.
type link struct {
	// id tells the events of this subscription from those of one before.
	id     int
	cancel context.CancelFunc
	// up is set while the subscription is confirmed, since is when it was begun, then when it was confirmed, and tries
	// counts those that failed.
	up    bool
	since time.Time
	tries int
	// delivered is the highest revision of epoch that it gave us or did not have to; owed is one that it must give us,
	// and waiting since when we wait for that or for any sign of progress.
	epoch           string
	delivered, owed uint64
	waiting         time.Time
}

// deliver notes that the subscription gave us a revision.
func (l *link) deliver(rev uint64) {
	if rev > l.delivered {
		l.delivered, l.waiting = rev, time.Now()
	}
}

// linkEvent says that a subscription was confirmed, or that it ended.
type linkEvent struct {
	id  int
	up  bool
	err error
}

// pulseEvent is the answer to a pulse.
type pulseEvent struct {
	pulse   Pulse
	err     error
	started time.Time
	base    Meta // where we stood when it was asked for
	link    int  // the subscription that was up then, zero for none
	// sent and received are when, by the local clock.
	sent, received time.Time
}

// connect subscribes anew.
func (r *following) connect() {
	ctx, cancel := context.WithCancel(r.ctx)
	r.link = link{id: r.link.id + 1, cancel: cancel, since: time.Now(), tries: r.link.tries}
	id := r.link.id
	r.work.Go(func() {
		defer cancel()
		err := r.source.Watch(ctx, Watcher{
			Subscribed: func() { send(ctx, r.links, linkEvent{id: id, up: true}) },
			Frame:      func(f Frame) { send(ctx, r.frames, f) },
		})
		send(r.ctx, r.links, linkEvent{id: id, err: err})
	})
}

// send hands an event to the loop unless ctx ends before it is taken.
func send[T any](ctx context.Context, to chan<- T, event T) {
	select {
	case to <- event:
	case <-ctx.Done():
	}
}

// onLink notes that a subscription came up, which is when to catch up, or that it ended, which is when to try again.
func (r *following) onLink(e linkEvent) {
	if e.id != r.link.id {
		return
	}
	if e.up {
		r.link.up, r.link.since = true, time.Now()
		r.contact()
		r.kick()
		return
	}
	if e.err != nil && !errors.Is(e.err, context.Canceled) {
		r.trouble(e.err)
	}
	if r.link.up && time.Since(r.link.since) >= reconnectMax {
		r.link.tries = 0
	}
	r.link.up, r.link.cancel = false, nil
	bound := reconnectMax
	if r.link.tries < 6 { // 50 ms << 6 is beyond the bound
		bound = min(bound, reconnectFirst<<r.link.tries)
		r.link.tries++
	}
	r.reconnect.Reset(time.Duration(r.opt.Random() * float64(bound)))
}

// drop ends a subscription that is of no use any more; connect follows.
func (r *following) drop() {
	r.link.up = false
	if r.link.cancel != nil {
		r.link.cancel()
	}
}

// onSilence gives the link up: for too long there was no sign of life.
func (r *following) onSilence() {
	r.silence.Reset(silenceAfter)
	if r.link.up {
		r.trouble(errSilent)
		r.drop()
		return
	}
	r.dropUnconfirmed()
}

// dropUnconfirmed drops a subscription that was begun and not confirmed for too long.
func (r *following) dropUnconfirmed() {
	if !r.link.up && r.link.cancel != nil && time.Since(r.link.since) >= silenceAfter {
		r.trouble(errSilent)
		r.drop()
	}
}

var errSilent = errors.New("the source is silent")

// kick asks where the source stands, now. An answer that is on its way may be too old: another one follows it.
func (r *following) kick() {
	if r.pulsing {
		r.again = true
		return
	}
	r.pulsing, r.again = true, false
	e := pulseEvent{started: time.Now(), base: r.meta()}
	if r.link.up {
		e.link = r.link.id
	}
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(r.ctx, pollDeadline)
		defer cancel()
		e.sent = r.opt.Clock.Local()
		e.pulse, e.err = r.source.Pulse(ctx)
		e.received = r.opt.Clock.Local()
		send(r.ctx, r.pulses, e)
	})
}

// onPulse plans the next pulse and draws the conclusions from this one.
func (r *following) onPulse(e pulseEvent) {
	r.pulsing = false
	spread := time.Duration((0.8 + 0.4*r.opt.Random()) * float64(pollEvery))
	r.poll.Reset(max(0, spread-time.Since(e.started)))
	if r.again {
		r.kick()
	}
	r.dropUnconfirmed()
	switch {
	case errors.Is(e.err, ErrEmpty):
		r.contact()
		r.holdOff(hold{kind: holdEmpty})
	case e.err != nil:
		r.trouble(e.err)
	default:
		r.contact()
		if r.opt.Clock.Observe(e.sent, e.received, e.pulse.Now) {
			r.kick()
		}
		r.seen = e.pulse.Meta
		r.reconcile(e.pulse, e.base)
		r.suspect(e)
	}
}

// suspect drops a subscription that owes us a revision and did not move for long: it is deaf. The first pulse that was
// asked for under a subscription, or that shows a new epoch, is the floor: nothing up to there is owed.
func (r *following) suspect(e pulseEvent) {
	l := &r.link
	switch {
	case !l.up || e.link != l.id:
	case l.epoch != e.pulse.Epoch:
		l.epoch, l.delivered, l.owed = e.pulse.Epoch, e.pulse.Rev, 0
	case l.owed <= l.delivered:
		l.owed, l.waiting = e.pulse.Rev, time.Now()
	case time.Since(l.waiting) >= pollDeadline:
		r.trouble(errDeaf)
		r.drop()
	}
}

var errDeaf = errors.New("the subscription does not tell what happens")
