package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// Courier sends what is asked for, besides what is delivered by itself. A webhook.Dispatcher is one.
type Courier interface {
	Test(ctx context.Context, e webhook.Endpoint) ([]webhook.Attempt, error)
	Redeliver(ctx context.Context, e webhook.Endpoint, ids ...string) ([]webhook.Attempt, error)
	Replay(ctx context.Context, e webhook.Endpoint, ids ...string) ([]webhook.Attempt, error)
	// Forget takes out all that is kept for an endpoint that is gone.
	Forget(ctx context.Context, id string) error
}

// Deliveries is what is known of what was sent. A webhook.Dispatcher is one.
type Deliveries interface {
	Deliveries(ctx context.Context, id string) ([]webhook.Attempt, error)
	Dead(ctx context.Context, id string) ([]webhook.DeadLetter, error)
	// ReadTo is the place in the log up to which the events of an endpoint are kept on their own, if any is.
	ReadTo(ctx context.Context, id string) (epoch string, rev uint64, known bool, err error)
}

// ErrBusy means that too much is being sent by hand already.
var ErrBusy = errors.New("too many tests and redeliveries are under way")

// Bounds of what is sent by hand.
const (
	// How long a caller waits for receivers: they give up themselves soon after.
	answerWithin = 3 * time.Second
	// How long the whole may take, whoever waits for it.
	sendWithin = 10 * time.Minute
	sendAtOnce = 16
	// How many deliveries one call can name.
	maxRedeliver = 200
)

// Sent is what came of sending by hand.
type Sent struct {
	// Done is false while it is still under way: how it ends, the deliveries tell.
	Done     bool
	Attempts []webhook.Attempt
}

// errands are what is sent by hand. They outlive the calls that asked for them, and end with the admin.
type errands struct {
	ctx     context.Context // the admin's life, not a call's
	cancel  context.CancelFunc
	running sync.WaitGroup
	slots   chan struct{}
}

func newErrands() *errands {
	e := &errands{slots: make(chan struct{}, sendAtOnce)}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// Through tells what sends and what knows of it. It is called once, before anything else.
func (e *Endpoints) Through(c Courier, d Deliveries) { e.courier, e.deliveries = c, d }

// unread refuses to remove what lies before a revision of the log while an enabled endpoint has yet to read some of it.
func (e *Endpoints) unread(ctx context.Context, epoch string, before uint64) error {
	all, err := e.Endpoints(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		if all[i].Disabled {
			continue
		}
		in, rev, known, err := e.deliveries.ReadTo(ctx, all[i].ID)
		switch {
		case err != nil:
			return err //nolint:wrapcheck // it says of which endpoint
		case !known:
			continue // it begins with what is there
		case in != epoch:
			rev = 0 // it has yet to begin with this history
		}
		if rev+1 < before {
			return state.Invalid("before", "the webhook %q has read the log up to revision %d only and would never be sent what goes: wait, trim before %d, or disable it",
				cmp.Or(all[i].Name, all[i].ID), rev, rev+1)
		}
	}
	return nil
}

// Close ends what is sent by hand and waits for that.
func (e *Endpoints) Close() {
	e.errands.cancel()
	e.errands.running.Wait()
}

// send sends without the caller: a receiver that hangs keeps nobody waiting for longer than answerWithin.
func (e *Endpoints) send(ctx context.Context, id string, do func(ctx context.Context) ([]webhook.Attempt, error)) (Sent, error) {
	select {
	case e.errands.slots <- struct{}{}:
	default:
		return Sent{}, ErrBusy
	}
	type end struct {
		attempts []webhook.Attempt
		err      error
	}
	ended := make(chan end, 1)
	e.errands.running.Go(func() {
		defer func() { <-e.errands.slots }()
		ctx, cancel := context.WithTimeout(e.errands.ctx, sendWithin)
		defer cancel()
		attempts, err := do(ctx)
		if err != nil {
			e.service.cfg.Log.Warn("sending by hand failed", zap.String("endpoint", id), zap.Error(err))
		}
		ended <- end{attempts, err}
	})
	timer := time.NewTimer(answerWithin)
	defer timer.Stop()
	select {
	case is := <-ended:
		return Sent{Done: true, Attempts: is.attempts}, is.err
	case <-timer.C:
	case <-ctx.Done():
	}
	return Sent{}, nil
}

// Test sends a sample of each event that an endpoint would be sent.
func (e *Endpoints) Test(ctx context.Context, who people.Principal, id string) (Sent, error) {
	one, err := e.Get(ctx, who, id)
	if err != nil {
		return Sent{}, err
	}
	return e.send(ctx, id, func(ctx context.Context) ([]webhook.Attempt, error) { return e.courier.Test(ctx, one.Endpoint) })
}

// Redeliver sends again what deliveries or dead letters name, by the ids of either; state.ErrNotFound where one is not
// there. Dead letters that arrive are dead no more.
func (e *Endpoints) Redeliver(ctx context.Context, who people.Principal, id string, ids []string) (Sent, error) {
	one, err := e.Get(ctx, who, id)
	if err != nil {
		return Sent{}, err
	}
	if len(ids) == 0 || len(ids) > maxRedeliver {
		return Sent{}, state.Invalid("deliveries", "name 1 to %d deliveries, or say all_dead", maxRedeliver)
	}
	dead, known, err := e.named(ctx, id, ids)
	if err != nil {
		return Sent{}, err
	}
	return e.send(ctx, id, func(ctx context.Context) ([]webhook.Attempt, error) {
		var all []webhook.Attempt
		for _, some := range []struct {
			ids  []string
			send func(context.Context, webhook.Endpoint, ...string) ([]webhook.Attempt, error)
		}{{dead, e.courier.Replay}, {known, e.courier.Redeliver}} {
			if len(some.ids) == 0 {
				continue
			}
			attempts, err := some.send(ctx, one.Endpoint, some.ids...)
			if all = append(all, attempts...); err != nil {
				return all, err //nolint:wrapcheck // it says what went wrong
			}
		}
		return all, nil
	})
}

// named tells dead letters from other deliveries, each once: a delivery whose event is dead is its dead letter.
func (e *Endpoints) named(ctx context.Context, id string, ids []string) (dead, known []string, err error) {
	letters, err := e.deliveries.Dead(ctx, id)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // the store says what was being done
	}
	attempts, err := e.deliveries.Deliveries(ctx, id)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // the store says what was being done
	}
	events := map[string]string{}
	for i := range attempts {
		events[attempts[i].ID], events[attempts[i].Event.ID] = attempts[i].Event.ID, attempts[i].Event.ID
	}
	isDead := map[string]bool{}
	for i := range letters {
		event := letters[i].Event.ID
		events[event], isDead[event] = event, true
	}
	taken := map[string]bool{}
	for _, asked := range ids {
		event := events[asked]
		switch {
		case event == "":
			return nil, nil, fmt.Errorf("delivery %.100q: %w", asked, state.ErrNotFound)
		case taken[event]:
		case isDead[event]:
			dead = append(dead, event)
		default:
			known = append(known, asked)
		}
		taken[event] = true
	}
	return dead, known, nil
}

// Replay sends all dead letters of an endpoint, oldest first, up to the first that does not arrive.
func (e *Endpoints) Replay(ctx context.Context, who people.Principal, id string) (Sent, error) {
	one, err := e.Get(ctx, who, id)
	if err != nil {
		return Sent{}, err
	}
	return e.send(ctx, id, func(ctx context.Context) ([]webhook.Attempt, error) { return e.courier.Replay(ctx, one.Endpoint) })
}

// Log gives the last attempts for an endpoint, newest first.
func (e *Endpoints) Log(ctx context.Context, who people.Principal, id string) ([]webhook.Attempt, error) {
	if _, err := e.Get(ctx, who, id); err != nil {
		return nil, err
	}
	return e.deliveries.Deliveries(ctx, id) //nolint:wrapcheck // the store says what was being done
}

// Dead gives the dead letters of an endpoint, oldest first.
func (e *Endpoints) Dead(ctx context.Context, who people.Principal, id string) ([]webhook.DeadLetter, error) {
	if _, err := e.Get(ctx, who, id); err != nil {
		return nil, err
	}
	return e.deliveries.Dead(ctx, id) //nolint:wrapcheck // the store says what was being done
}
