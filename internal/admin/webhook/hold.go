package webhook

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// serve takes the lease of an endpoint whenever it is free, and delivers while it holds it.
func (d *Dispatcher) serve(ctx context.Context, w *worker) {
	// Two workers of one admin are two owners: one that still ends must not share its lease with the next.
	owner := d.cfg.Owner + "/" + strconv.FormatUint(workers.Add(1), 10)
	log := d.log.With(zap.String("endpoint", w.endpoint.ID))
	for ctx.Err() == nil {
		asked := time.Now()
		lease, err := d.cfg.Desk.Lease(ctx, deskOf(w.endpoint.ID), owner, d.cfg.LeaseFor)
		if err != nil {
			w.met = w.met || errors.Is(err, state.ErrConflict)
			if !errors.Is(err, state.ErrConflict) && ctx.Err() == nil {
				log.Debug("the lease cannot be taken", zap.Error(err))
			}
			pass(ctx, d.cfg.LeaseFor/4)
			continue
		}
		err = d.hold(ctx, w, lease, asked)
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, errBare):
			pass(ctx, d.cfg.LeaseFor)
		default:
			log.Warn("deliveries stopped", zap.Error(err))
			pass(ctx, d.cfg.LeaseFor/4)
		}
	}
}

// workers counts workers of the process, for their names.
var workers atomic.Uint64 //nolint:gochecknoglobals // names are unique in the process

// hold delivers while the lease is held, and gives it back.
func (d *Dispatcher) hold(ctx context.Context, w *worker, lease state.Lease, asked time.Time) error {
	r, err := d.newRun(w, lease, asked)
	if err != nil {
		return err
	}
	defer r.client.CloseIdleConnections()
	if err = r.load(ctx, w); err == nil {
		err = r.loop(ctx)
	}
	d.counts.holds(w.endpoint.ID, nil)
	if errors.Is(err, errLost) {
		if r.writing {
			r.shelf.under((<-r.written).shelf)
		}
		w.last, w.lostAt = r, time.Now()
	}
	if !errors.Is(err, errLost) {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
		defer cancel()
		_ = d.cfg.Desk.Release(last, r.lease) // it ends by itself otherwise
	}
	return err
}

// renew asks for more time, well before the lease ends.
func (r *run) renew(ctx context.Context, now time.Time) {
	if now.Before(r.renewAt) {
		return
	}
	r.renewAt = now.Add(r.d.cfg.LeaseFor / 3)
	owner, token := r.lease.Owner, r.lease.Token
	go func() {
		ctx, cancel := context.WithTimeout(ctx, r.d.cfg.LeaseFor)
		defer cancel()
		asked := time.Now()
		n := renewal{asked: asked}
		n.lease, n.err = r.d.cfg.Desk.Lease(ctx, deskOf(r.endpoint.ID), owner, r.d.cfg.LeaseFor)
		if n.err == nil && n.lease.Token != token {
			var fields map[string][]byte
			fields, n.err = r.d.cfg.Desk.ReadDesk(ctx, deskOf(r.endpoint.ID))
			n.wiped = len(fields) == 0
		}
		select {
		case r.renewed <- n:
		default: // the answer before was not looked at yet
		}
	}()
}

// held takes in how that ended. A store that cannot be asked ends nothing: nobody else can ask it either. A lease with
// another token is one that somebody had meanwhile, or that the store forgot with all else: what lies on the desk tells.
func (r *run) held(n renewal) error {
	switch {
	case errors.Is(n.err, state.ErrConflict):
		return errLost
	case n.err != nil:
		return nil
	case n.lease.Token != r.lease.Token && !n.wiped:
		r.lease = n.lease
		return errLost
	case n.lease.Token != r.lease.Token:
		r.log.Warn("the store lost what was to be delivered and is given it back")
		r.lease = n.lease
		r.restore()
	}
	r.until = n.asked.Add(r.d.cfg.LeaseFor)
	return nil
}

// restore puts everything that is known on the shelf again.
func (r *run) restore() {
	if r.cursor.Epoch != "" {
		r.shelf.set(fieldCursor, r.cursor)
	}
	r.lanes.each(func(p *pending) { r.shelf.set(p.field(), p) })
}

// readOn reads the log on while there is room for more.
func (r *run) readOn(ctx context.Context, now time.Time) {
	due := r.more || !now.Before(r.readAt)
	if r.reading || !due || r.full() {
		return
	}
	r.reading, r.more, r.readAt = true, false, now.Add(readEvery)
	at := r.cursor
	go func() { r.portions <- r.read(ctx, at) }()
}

// full reports whether there is enough to do before more is read.
func (r *run) full() bool {
	return r.lanes.total >= maxPending || len(r.lanes.ready) >= enoughReady || len(r.shelf.admitted) > 0 || r.unadmitted
}

// admit takes in a portion of the log. Its events are sent once they are kept.
func (r *run) admit(p portion) {
	r.reading = false
	if p.err != nil {
		r.log.Debug("the log cannot be read", zap.Error(p.err))
		return // readAt is when it is tried again
	}
	if p.at != r.cursor {
		r.cursor = p.at
		r.shelf.set(fieldCursor, p.at)
	}
	r.more = r.more || p.more
	for i := range p.events {
		r.order++
		ev := &pending{Event: p.events[i], Order: r.order}
		r.shelf.set(ev.field(), ev)
		r.shelf.admitted = append(r.shelf.admitted, ev)
	}
}

// keep writes what is on the shelf, soon or at once.
func (r *run) keep(ctx context.Context, now time.Time) {
	attempts := len(r.shelf.attempts) > 0 && now.Sub(r.loggedAt) >= attemptEvery
	if r.writing || r.shelf.empty() && !attempts {
		return
	}
	urgent := len(r.shelf.admitted) > 0 || r.shelf.done >= keepAtOnce
	if now.Before(r.keepAt) && (!urgent || r.failing) {
		return
	}
	s := r.shelf
	r.shelf = newShelf()
	if attempts {
		r.loggedAt = now
	} else {
		r.shelf.attempts, s.attempts = s.attempts, nil
	}
	r.writing, r.unadmitted, r.keepAt = true, len(s.admitted) > 0, now.Add(keepEvery)
	lease := r.lease
	go func() {
		err := r.write(ctx, &s, lease)
		r.written <- wrote{s, err} // without what was written although the rest was not
	}()
}

// kept takes in how that ended: what was admitted may be sent, what was attempted is over.
func (r *run) kept(w wrote) {
	r.writing, r.failing = false, w.err != nil
	if errors.Is(w.err, state.ErrConflict) {
		// Whether another admin has it, or the store lost everything, the next renewal tells. Nothing is sent until then.
		r.until, r.renewAt = time.Time{}, time.Time{}
	}
	if w.err != nil {
		r.log.Debug("what was delivered cannot be kept", zap.Error(w.err))
		r.shelf.under(w.shelf)
		r.keepAt = time.Now().Add(keepAgain)
		return
	}
	r.unadmitted = false
	r.unkept -= w.shelf.done
	for _, p := range w.shelf.admitted {
		r.lanes.add(p)
	}
}

// wake is when something is to be done next that nobody tells.
func (r *run) wake(now time.Time) time.Time {
	at := now.Add(time.Hour)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	sooner(r.renewAt)
	if !r.reading && !r.full() {
		sooner(later(r.readAt, now))
	}
	sooner(later(r.lanes.wake(), now))
	if !r.writing && !r.shelf.empty() {
		sooner(later(r.keepAt, now))
	}
	if !r.writing && len(r.shelf.attempts) > 0 {
		sooner(later(later(r.loggedAt.Add(attemptEvery), r.keepAt), now))
	}
	return at
}

// later is t, but not before now; zero stays zero.
func later(t, now time.Time) time.Time {
	if !t.IsZero() && t.Before(now) {
		return now
	}
	return t
}

// end lets what is under way end and keeps what came of it.
func (r *run) end(sending context.Context, stop context.CancelFunc) error {
	ctx, cancel := context.WithTimeout(sending, 2*endWithin)
	defer cancel()
	late := time.NewTimer(endWithin)
	defer late.Stop()
	for r.lanes.sending > 0 || r.writing {
		select {
		case res := <-r.results:
			if sending.Err() != nil && res.attempt.Outcome == OutcomeFailed {
				r.lanes.again(res.lane) // we broke it off: that is no failure
				continue
			}
			r.took(ctx, res)
		case w := <-r.written:
			r.kept(w)
		case <-late.C:
			stop()
		}
	}
	if r.shelf.empty() && len(r.shelf.attempts) == 0 {
		return nil
	}
	last, done := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer done()
	return r.write(last, &r.shelf, r.lease)
}
