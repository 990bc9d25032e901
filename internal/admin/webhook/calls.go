package webhook

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// name gives an attempt its id: ids sort by time.
func (a *Attempt) name() {
	a.ID = fmt.Sprintf("%016x%s", a.At.UnixMicro(), strings.ToLower(rand.Text()[:6]))
}

// why tells in a few words how an attempt ended.
func (a *Attempt) why() string {
	if a.Error != "" {
		return a.Error
	}
	return "it answered " + strconv.Itoa(a.Response.Status)
}

// Deliveries are the last attempts for an endpoint, newest first; a new one is there within about a second.
func (d *Dispatcher) Deliveries(ctx context.Context, endpoint string) ([]Attempt, error) {
	fields, err := d.cfg.Desk.ReadDesk(ctx, logOf(endpoint))
	return attemptsIn(fields), err //nolint:wrapcheck // the store says what was being done
}

// Dead are the dead letters of an endpoint, oldest first.
func (d *Dispatcher) Dead(ctx context.Context, endpoint string) ([]DeadLetter, error) {
	fields, err := d.cfg.Desk.ReadDesk(ctx, logOf(endpoint))
	return deadIn(fields), err //nolint:wrapcheck // the store says what was being done
}

// ReadTo is the place in the log up to which the events of an endpoint are kept on their own; known is false where none
// is kept yet.
func (d *Dispatcher) ReadTo(ctx context.Context, endpoint string) (epoch string, rev uint64, known bool, err error) {
	fields, err := d.cfg.Desk.ReadDesk(ctx, deskOf(endpoint))
	if err != nil || fields[fieldCursor] == nil {
		return "", 0, false, err //nolint:wrapcheck // the store says what was being done
	}
	var at cursor
	if err := json.Unmarshal(fields[fieldCursor], &at); err != nil {
		return "", 0, false, fmt.Errorf("the place of the webhook %s in the log: %w", endpoint, state.ErrDamaged)
	}
	return at.Epoch, at.Rev, true, nil
}

// Test sends a sample of each event that the endpoint would be sent, each route's in order, and tells how each ended. The endpoint need
// not be stored, and may be disabled.
func (d *Dispatcher) Test(ctx context.Context, e Endpoint) ([]Attempt, error) {
	var events []Event
	now, run := time.Now().UTC(), "TEST"+rand.Text()[:10]
	for _, ev := range samples(&e, now) {
		record := state.Record{Action: ev.Action, Path: ev.Path}
		if e.skips(&ev) || !e.Filter.passes(&record, nil) {
			continue
		}
		ev.Epoch = run
		ev.ID = messageID(run, ev.Rev, ev.Index, e.ID)
		events = append(events, ev)
	}
	attempts := make([]Attempt, len(events))
	return attempts, d.sending(ctx, &e, func(send func(*Event, int, string) Attempt) error {
		var running sync.WaitGroup
		for _, lane := range inLanes(events) {
			running.Go(func() {
				for _, i := range lane {
					attempts[i] = send(&events[i], 1, "test")
				}
			})
		}
		running.Wait()
		return d.keepAttempts(ctx, e.ID, attempts, nil)
	})
}

// inLanes are the indices of events by their lanes: what ends an incident must not overtake what opens it.
func inLanes(events []Event) map[string][]int {
	lanes := map[string][]int{}
	for i := range events {
		key := events[i].lane()
		lanes[key] = append(lanes[key], i)
	}
	return lanes
}

// Redeliver sends once more what attempts in the delivery log sent, under the ids it had then, one after the other, and
// tells how each ended. Ids are those of attempts or of events; state.ErrNotFound names one that is not there.
func (d *Dispatcher) Redeliver(ctx context.Context, e Endpoint, ids ...string) ([]Attempt, error) {
	logged, err := d.Deliveries(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	var events []*Event
	for _, id := range ids {
		i := slices.IndexFunc(logged, func(a Attempt) bool { return a.ID == id || a.Event.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("delivery %q: %w", id, state.ErrNotFound)
		}
		events = append(events, &logged[i].Event)
	}
	return d.inTurn(ctx, &e, events, "redeliver")
}

// Replay sends dead letters, oldest first, and takes out those that arrive; it stops at the first that does not. Without
// ids it sends all of them. It tells how each attempt ended.
func (d *Dispatcher) Replay(ctx context.Context, e Endpoint, ids ...string) ([]Attempt, error) {
	letters, err := d.Dead(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	for _, id := range ids {
		if !slices.ContainsFunc(letters, func(l DeadLetter) bool { return l.Event.ID == id }) {
			return nil, fmt.Errorf("dead letter %q: %w", id, state.ErrNotFound)
		}
	}
	var events []*Event
	for i := range letters {
		if len(ids) == 0 || slices.Contains(ids, letters[i].Event.ID) {
			events = append(events, &letters[i].Event)
		}
	}
	return d.inTurn(ctx, &e, events, "replay")
}

// Forget takes out all that is kept for an endpoint; call it once the endpoint is gone.
func (d *Dispatcher) Forget(ctx context.Context, endpoint string) error {
	for _, desk := range []string{deskOf(endpoint), logOf(endpoint)} {
		fields, err := d.cfg.Desk.ReadDesk(ctx, desk)
		if err != nil {
			return err //nolint:wrapcheck // the store says what was being done
		}
		for field := range fields {
			fields[field] = nil
		}
		if err := d.cfg.Desk.WriteDesk(ctx, state.Lease{Desk: desk}, fields); err != nil {
			return err //nolint:wrapcheck // the store says what was being done
		}
	}
	return nil
}

// sending lends a client to do.
func (d *Dispatcher) sending(ctx context.Context, e *Endpoint, do func(send func(*Event, int, string) Attempt) error) error {
	if err := e.Validate(); err != nil {
		return err
	}
	client, err := d.client(e)
	if err != nil {
		return err
	}
	defer client.CloseIdleConnections()
	return do(func(ev *Event, try int, why string) Attempt {
		a := d.attempt(ctx, e, client, ev, try, why)
		a.name()
		d.counts.attempt(a.Outcome)
		return a
	})
}

// inTurn sends events one after the other. A replay takes out what arrives, and ends at what does not.
func (d *Dispatcher) inTurn(ctx context.Context, e *Endpoint, events []*Event, why string) ([]Attempt, error) {
	attempts := []Attempt{}
	err := d.sending(ctx, e, func(send func(*Event, int, string) Attempt) error {
		var arrived []string
		for _, ev := range events {
			a := send(ev, 1, why)
			attempts = append(attempts, a)
			if a.Outcome == OutcomeDelivered && why == "replay" {
				arrived = append(arrived, ev.ID)
			}
			if a.Outcome != OutcomeDelivered && why == "replay" || ctx.Err() != nil {
				break
			}
		}
		return d.keepAttempts(context.WithoutCancel(ctx), e.ID, attempts, arrived)
	})
	return attempts, err
}

// keepAttempts puts attempts into the delivery log, where the oldest make room, and takes dead letters out.
func (d *Dispatcher) keepAttempts(ctx context.Context, endpoint string, attempts []Attempt, arrived []string) error {
	there, err := d.Deliveries(ctx, endpoint)
	if err != nil {
		return err
	}
	out := newShelf()
	for i := range there {
		if i+len(attempts) >= maxDeliveries {
			out.set(fieldAttempt+there[i].ID, nil)
		}
	}
	for i := range attempts {
		if i+maxDeliveries >= len(attempts) {
			out.set(fieldAttempt+attempts[i].ID, attempts[i])
		}
	}
	for _, id := range arrived {
		out.set(fieldDead+id, nil)
	}
	return d.cfg.Desk.WriteDesk(ctx, state.Lease{Desk: logOf(endpoint)}, out.fields) //nolint:wrapcheck // the store says what was being done
}
