package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// cursor is the place in the log up to which an endpoint's events were admitted: from then on they are kept on their own.
type cursor struct {
	Epoch string `json:"epoch"`
	Rev   uint64 `json:"rev"`
}

// Bounds of reading.
const (
	readAtOnce = 100
	// A reading ends with the entry that makes it so many events: one entry can hold thousands.
	enoughEvents = 1000
	// How far back a log is read for an endpoint whose cursor is not there: it is new, or the store was lost.
	lookBack = time.Hour
	// How long a state that is not older than the event is waited for.
	stateWithin = 5 * time.Second
)

// portion is what one reading of the log gave.
type portion struct {
	at     cursor
	events []Event
	more   bool
	err    error
}

// read reads on after a cursor. A cursor of another epoch goes on at the beginning of the log there is: a store that was
// repaired begins a new one.
func (r *run) read(ctx context.Context, at cursor) portion {
	if at.Epoch == "" {
		at, err := r.begin(ctx)
		return portion{at: at, more: true, err: err}
	}
	frames, err := r.d.cfg.Log.Frames(ctx, at.Epoch, at.Rev, readAtOnce)
	if errors.Is(err, state.ErrGap) {
		next, err := r.relocate(ctx, at)
		return portion{at: next, more: err == nil, err: err}
	}
	if err != nil {
		return portion{at: at, err: err}
	}
	p := portion{at: at, more: len(frames) == readAtOnce}
	for i := range frames {
		p.events = append(p.events, r.eventsOf(ctx, &frames[i])...)
		p.at.Rev = frames[i].Rev
		if len(p.events) >= enoughEvents {
			p.more = true
			break
		}
	}
	p.err = ctx.Err()
	return p
}

// eventsOf are the events of one entry that the endpoint is sent.
func (r *run) eventsOf(ctx context.Context, f *state.Frame) []Event {
	entry, err := f.Entry()
	if err != nil {
		r.log.Error("an entry of the log cannot be read and is left out", zap.Uint64("revision", f.Rev), zap.Error(err))
		return nil
	}
	if r.endpoint.Disabled || entry.Kind != state.KindChange && entry.Kind != state.KindAnnounce {
		return nil
	}
	var events []Event
	for i := range entry.Records {
		if !r.endpoint.Filter.passes(&entry.Records[i], entry.Patch) {
			continue
		}
		ev := eventOf(r.endpoint.ID, f, &entry, i)
		if r.endpoint.skips(&ev) {
			continue
		}
		ev.State = r.stateOf(ctx, &ev)
		events = append(events, ev)
	}
	return events
}

// stateOf is the state that goes with an event: null where it cannot be had, which is no reason to say nothing.
func (r *run) stateOf(ctx context.Context, ev *Event) json.RawMessage {
	if r.d.cfg.State == nil {
		return json.RawMessage("null")
	}
	ctx, cancel := context.WithTimeout(ctx, stateWithin)
	defer cancel()
	text, err := r.d.cfg.State(ctx, ev)
	if err != nil || len(text) == 0 {
		r.log.Warn("an event goes without its state", zap.String("id", ev.ID), zap.Error(err))
		return json.RawMessage("null")
	}
	return text
}

// begin is where an endpoint begins that has no cursor: with what happened since it was created, within lookBack; one
// that does not know when that was begins now.
func (r *run) begin(ctx context.Context) (cursor, error) {
	pulse, err := r.d.cfg.Log.Pulse(ctx)
	if err != nil {
		return cursor{}, err //nolint:wrapcheck // the store says what was being done
	}
	at := cursor{Epoch: pulse.Epoch, Rev: pulse.Rev}
	if r.endpoint.Created.IsZero() {
		return at, nil
	}
	since := r.endpoint.Created
	if oldest := pulse.Now.Add(-lookBack); oldest.After(since) {
		since = oldest
	}
	at.Rev, err = r.first(ctx, pulse.Meta, func(f *state.Frame) bool {
		e, err := f.Entry()
		return err == nil && !e.At.Before(since)
	})
	return at, err
}

// relocate is where to go on when the log does not reach back to a cursor.
func (r *run) relocate(ctx context.Context, at cursor) (cursor, error) {
	pulse, err := r.d.cfg.Log.Pulse(ctx)
	if err != nil {
		return at, err //nolint:wrapcheck // the store says what was being done
	}
	rev, err := r.first(ctx, pulse.Meta, func(*state.Frame) bool { return true })
	if err != nil {
		return at, err
	}
	if pulse.Epoch == at.Epoch {
		r.log.Error("the log was trimmed before its events were read: they are lost for this endpoint",
			zap.Uint64("after", at.Rev), zap.Uint64("up_to", rev))
	} else {
		r.log.Warn("the store has a new history: events go on with it", zap.String("epoch", pulse.Epoch), zap.Uint64("after", rev))
	}
	return cursor{Epoch: pulse.Epoch, Rev: rev}, nil
}

// first finds, by halves, the revision before the first frame that is there and fits; what fits is followed by what fits.
// Where none does it is the revision of meta.
func (r *run) first(ctx context.Context, meta state.Meta, fits func(*state.Frame) bool) (uint64, error) {
	low, high := uint64(0), meta.Rev // the answer lies between, both included
	for low < high {
		middle := low + (high-low)/2
		frames, err := r.d.cfg.Log.Frames(ctx, meta.Epoch, middle, 1)
		switch {
		case err == nil && len(frames) > 0 && fits(&frames[0]):
			high = middle
		case err == nil || errors.Is(err, state.ErrGap):
			low = middle + 1
		default:
			return 0, err //nolint:wrapcheck // the store says what was being done
		}
	}
	return low, nil
}
