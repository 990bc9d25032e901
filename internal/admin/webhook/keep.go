package webhook

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Names of the fields on an endpoint's desk, and on that of its delivery log.
const (
	fieldCursor  = "c"
	fieldEvent   = "e:"
	fieldAttempt = "a:"
	fieldDead    = "d:"
)

// deskOf is the desk of an endpoint: its cursor and what is to be delivered. Only the holder of its lease writes there.
func deskOf(endpoint string) string { return "webhook." + endpoint }

// logOf is the desk of an endpoint's delivery log and dead letters. Every field of it is written once and removed at any
// time, so that any admin may do either.
func logOf(endpoint string) string { return "webhook." + endpoint + ".log" }

// The pace of keeping: after a write this long passes before the next, unless that many attempts wait for it. Attempts
// go to the delivery log more rarely: it is for reading.
const (
	keepEvery    = 10 * time.Millisecond
	keepAtOnce   = 16
	keepAgain    = 250 * time.Millisecond
	attemptEvery = time.Second
)

// shelf collects what is to be kept until it is written.
type shelf struct {
	fields map[string][]byte
	// done is how many attempts have ended of which fields tell.
	done     int
	dead     []DeadLetter
	attempts []Attempt
	// admitted are events that may be sent once they are kept.
	admitted []*pending
}

func newShelf() shelf { return shelf{fields: map[string][]byte{}} }

func (s *shelf) empty() bool { return len(s.fields) == 0 && len(s.dead) == 0 }

// set keeps a value under a field; nil removes it.
func (s *shelf) set(field string, v any) {
	if v == nil {
		s.fields[field] = nil
		return
	}
	text, err := json.Marshal(v)
	if err != nil {
		return // nothing of ours cannot be written
	}
	s.fields[field] = text
}

// under puts what could not be written back below what came since.
func (s *shelf) under(failed shelf) {
	maps.Copy(failed.fields, s.fields)
	s.fields = failed.fields
	s.done += failed.done
	s.dead = append(failed.dead, s.dead...)
	s.attempts = append(failed.attempts, s.attempts...)
	s.admitted = append(failed.admitted, s.admitted...)
}

// write keeps what a shelf holds: first what is for reading, then, under the lease, what decides what is sent.
func (r *run) write(ctx context.Context, s *shelf, lease state.Lease) error {
	if len(s.dead) > 0 || len(s.attempts) > 0 {
		fields, names, err := r.logged(ctx, s)
		if err == nil {
			err = r.d.cfg.Desk.WriteDesk(ctx, state.Lease{Desk: logOf(r.endpoint.ID)}, fields)
		}
		if err != nil {
			return err //nolint:wrapcheck // the store says what was being done
		}
		r.logKept, s.attempts, s.dead = names, nil, nil
	}
	if len(s.fields) == 0 {
		return nil
	}
	return r.d.cfg.Desk.WriteDesk(ctx, lease, s.fields) //nolint:wrapcheck // the store says what was being done
}

// logged are the fields for the delivery log, with those that are to make room, and the names of the attempts then.
func (r *run) logged(ctx context.Context, s *shelf) (map[string][]byte, []string, error) {
	out, names := newShelf(), slices.Clone(r.logKept)
	for _, a := range s.attempts {
		out.set(fieldAttempt+a.ID, a)
		names = append(names, fieldAttempt+a.ID)
	}
	for len(names) > maxDeliveries {
		out.set(names[0], nil)
		names = names[1:]
	}
	if len(s.dead) == 0 {
		return out.fields, names, nil
	}
	// There may be fewer by now than were written: people replay them.
	there, err := r.d.cfg.Desk.ReadDesk(ctx, logOf(r.endpoint.ID))
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // the store says what was being done
	}
	letters := append(deadIn(there), s.dead...)
	for len(letters) > maxDead {
		out.set(fieldDead+letters[0].Event.ID, nil)
		letters = letters[1:]
	}
	for i := range s.dead {
		if slices.ContainsFunc(letters, func(l DeadLetter) bool { return l.Event.ID == s.dead[i].Event.ID }) {
			out.set(fieldDead+s.dead[i].Event.ID, s.dead[i])
		}
	}
	r.deadThere.Store(int64(len(letters)))
	return out.fields, names, nil
}

// load takes up what the last holder left. Where nothing is there although somebody held the lease, the store lost it:
// whoever knows it goes on, and anybody else gives them the time to, once.
func (r *run) load(ctx context.Context, w *worker) error {
	fields, err := r.d.cfg.Desk.ReadDesk(ctx, deskOf(r.endpoint.ID))
	if err != nil {
		return err //nolint:wrapcheck // the store says what was being done
	}
	logged, err := r.d.cfg.Desk.ReadDesk(ctx, logOf(r.endpoint.ID))
	if err != nil {
		return err //nolint:wrapcheck // the store says what was being done
	}
	r.deadThere.Store(int64(len(deadIn(logged))))
	for field := range logged {
		if strings.HasPrefix(field, fieldAttempt) {
			r.logKept = append(r.logKept, field)
		}
	}
	slices.Sort(r.logKept) // by time
	last, met := w.last, w.met
	w.last, w.met = nil, false
	switch known := last != nil && time.Since(w.lostAt) < 3*r.d.cfg.LeaseFor; {
	case len(fields) > 0:
	case known:
		r.log.Warn("the store lost what was to be delivered and is given it back")
		r.goOn(last)
		return nil
	case met:
		return errBare
	}
	var left []*pending
	for field, text := range fields {
		var p pending
		switch {
		case field == fieldCursor:
			err = json.Unmarshal(text, &r.cursor)
		case strings.HasPrefix(field, fieldEvent):
			err = json.Unmarshal(text, &p)
			left = append(left, &p)
		}
		if err != nil {
			return state.ErrDamaged
		}
	}
	r.take(left)
	return nil
}

// goOn takes up what this admin had to deliver when it lost the lease.
func (r *run) goOn(last *run) {
	r.cursor, r.shelf.dead, r.shelf.attempts = last.cursor, last.shelf.dead, last.shelf.attempts
	left := last.shelf.admitted
	last.lanes.each(func(p *pending) { left = append(left, p) })
	r.take(left)
	r.restore()
}

// take puts events into their lanes.
func (r *run) take(left []*pending) {
	slices.SortFunc(left, func(a, b *pending) int { return int(int64(a.Order) - int64(b.Order)) })
	for _, p := range left {
		r.order = max(r.order, p.Order)
		if most := time.Now().Add(longest(p.Tries)); p.Next.After(most) {
			p.Next = most // the clock it was set by was wrong
		}
		r.lanes.add(p)
	}
}
