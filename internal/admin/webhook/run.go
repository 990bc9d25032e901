package webhook

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of one endpoint's deliveries.
const (
	// How many deliveries are under way at once.
	maxLanes = 16
	// InFlight bounds the deliveries that are under way or whose end is not kept yet: so many can be repeated by whoever
	// goes on after a crash.
	InFlight = 48
	// How many events may be admitted and not delivered; beyond them the log is not read on.
	maxPending = 10_000
	// How many lanes are enough to be ready while there are more events to read.
	enoughReady = 256
	// How long deliveries under way may take when they are to end.
	endWithin = 2 * time.Second
	readEvery = time.Second
	tellEvery = 100 * time.Millisecond
)

var (
	errLost = errors.New("another admin has taken over")
	errBare = errors.New("what another admin had to deliver is not there: it may still give it back")
	errGone = errors.New("the endpoint answered 410 Gone")
)

// run delivers to one endpoint while this admin holds its lease. All fields are its one goroutine's, but for what is
// handed to the others in calls.
type run struct {
	d        *Dispatcher
	endpoint Endpoint
	log      *zap.Logger
	client   *http.Client
	moved    <-chan struct{}

	lease state.Lease
	// until is when the lease ends unless it is renewed, by our own clock, and renewAt when that is tried.
	until, renewAt time.Time

	cursor cursor
	order  uint64
	lanes  *lanes

	shelf shelf
	// writing says that a shelf is being written, of which so many attempts tell; keepAt is when the next may be.
	writing bool
	// failing says that the last write failed, unadmitted that events are being kept before they may be sent.
	failing, unadmitted bool
	unkept              int
	keepAt              time.Time
	// logKept are the fields of the delivery log, oldest first; only the goroutine that writes uses it.
	logKept   []string
	loggedAt  time.Time
	deadThere atomic.Int64

	reading, more bool
	readAt        time.Time
	gone          bool
	toldAt        time.Time

	results  chan result
	portions chan portion
	written  chan wrote
	renewed  chan renewal
}

type result struct {
	lane    *lane
	attempt Attempt
}

type wrote struct {
	shelf shelf
	err   error
}

// renewal is a lease that was asked for again. Wiped says that nothing lay on its desk.
type renewal struct {
	lease state.Lease
	asked time.Time
	wiped bool
	err   error
}

func (d *Dispatcher) newRun(w *worker, lease state.Lease, asked time.Time) (*run, error) {
	client, err := d.client(&w.endpoint)
	if err != nil {
		return nil, err
	}
	return &run{
		d: d, endpoint: w.endpoint, log: d.log.With(zap.String("endpoint", w.endpoint.ID)), client: client, moved: w.moved,
		lease: lease, until: asked.Add(d.cfg.LeaseFor), renewAt: asked.Add(d.cfg.LeaseFor / 3), lanes: newLanes(), shelf: newShelf(), more: true,
		results: make(chan result, maxLanes), portions: make(chan portion, 1), written: make(chan wrote, 1), renewed: make(chan renewal, 1),
	}, nil
}

// loop delivers until ctx ends or the lease is lost: errLost then.
func (r *run) loop(ctx context.Context) error {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	if r.endpoint.Disabled {
		r.abandon("the endpoint is disabled: " + r.endpoint.Why)
	}
	for {
		now := time.Now()
		r.renew(ctx, now)
		r.readOn(ctx, now)
		r.send(sending, now)
		r.keep(sending, now)
		r.tell(now)
		timer.Reset(time.Until(r.wake(now)))
		select {
		case <-ctx.Done():
			return r.end(sending, stop)
		case <-r.moved:
			r.more = true
		case p := <-r.portions:
			r.admit(p)
		case res := <-r.results:
			r.took(ctx, res)
		case w := <-r.written:
			r.kept(w)
		case n := <-r.renewed:
			if err := r.held(n); err != nil {
				return err
			}
		case <-timer.C:
		}
	}
}

// send starts what may be started: no more at once than there are lanes, and no more than a crash may repeat.
func (r *run) send(ctx context.Context, now time.Time) {
	r.lanes.due(now)
	if r.gone || r.endpoint.Disabled || !now.Before(r.until) {
		return
	}
	for r.lanes.sending < maxLanes && r.lanes.sending+r.unkept < InFlight {
		l := r.lanes.next()
		if l == nil {
			return
		}
		p := l.head()
		go func() {
			r.results <- result{l, r.d.attempt(ctx, &r.endpoint, r.client, &p.Event, p.Tries+1, "schedule")}
		}()
	}
}

// took takes in how an attempt ended.
func (r *run) took(ctx context.Context, res result) {
	a, p := &res.attempt, res.lane.head()
	r.note(a)
	r.unkept++
	r.shelf.done++
	if a.Outcome == OutcomeDelivered {
		r.shelf.set(p.field(), nil)
		r.lanes.done(res.lane)
		return
	}
	p.Tries, p.Why = p.Tries+1, a.why()
	wait, again := pause(p.Tries, r.d.cfg.Pace, a.retryAfter)
	switch {
	case a.Outcome == OutcomeGone:
		r.bury(p, errGone.Error())
		r.lanes.done(res.lane)
		r.disable(ctx)
	case !again:
		r.bury(p, p.Why)
		r.lanes.done(res.lane)
	default:
		p.Next = time.Now().Add(wait)
		r.shelf.set(p.field(), p)
		r.lanes.again(res.lane)
	}
}

// note puts an attempt into the counts and the delivery log.
func (r *run) note(a *Attempt) {
	r.d.counts.attempt(a.Outcome)
	a.name()
	r.shelf.attempts = append(r.shelf.attempts, *a)
	if extra := len(r.shelf.attempts) - maxDeliveries; extra > 0 {
		r.shelf.attempts = r.shelf.attempts[extra:]
	}
}

// bury makes a dead letter of an event.
func (r *run) bury(p *pending, why string) {
	r.d.counts.dead.Add(1)
	r.log.Warn("an event could not be delivered and is a dead letter", zap.String("id", p.Event.ID), zap.String("why", why))
	r.shelf.dead = append(r.shelf.dead, DeadLetter{Event: p.Event, Tries: p.Tries, Died: time.Now().UTC(), Why: why})
	r.shelf.set(p.field(), nil)
}

// abandon makes dead letters of all that waits.
func (r *run) abandon(why string) {
	r.lanes.each(func(p *pending) { r.bury(p, why) })
	r.lanes = newLanes()
}

// disable has the endpoint disabled; until that is done nothing more is sent from here.
func (r *run) disable(ctx context.Context) {
	if r.gone {
		return
	}
	r.gone = true
	r.log.Warn("the endpoint answered 410 Gone and is disabled")
	go func() {
		for ctx.Err() == nil {
			err := r.d.cfg.Endpoints.Disable(ctx, r.endpoint.ID, errGone.Error())
			if err == nil {
				r.d.Changed()
				return
			}
			r.log.Warn("the endpoint cannot be disabled yet", zap.Error(err))
			pass(ctx, lookEvery)
		}
	}()
}

// tell shows the backlog to whoever asks for metrics.
func (r *run) tell(now time.Time) {
	if now.Sub(r.toldAt) < tellEvery {
		return
	}
	r.toldAt = now
	b := backlog{pending: r.lanes.total + len(r.shelf.admitted), dead: int(r.deadThere.Load())}
	for _, l := range r.lanes.byKey {
		if at := l.head().Event.At; b.oldest.IsZero() || at.Before(b.oldest) {
			b.oldest = at
		}
	}
	r.d.counts.holds(r.endpoint.ID, &b)
}

// pass waits, or until ctx ends.
func pass(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
