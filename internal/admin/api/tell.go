package api

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/stream"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// teller makes events of the frames that one client is told of.
type teller struct {
	service *admin.Service
	lines   func(*state.Frame) ([]admin.AuditLine, error)
	changes bool // tells what was set, too
	// at is the snapshot after the last frame, nil where that is not known.
	at *state.Snapshot
}

func newTeller(service *admin.Service, lines func(*state.Frame) ([]admin.AuditLine, error), changes bool) *teller {
	t := &teller{service: service, lines: lines, changes: changes}
	if view, err := service.View(); err == nil {
		t.at = view.Snapshot // of use where the first frame follows it
	}
	return t
}

// tell implements stream.Tell.
func (t *teller) tell(f *state.Frame) ([]stream.Event, error) {
	view, err := t.after(f)
	if err != nil {
		return nil, err
	}
	lines, err := t.lines(f)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the frame
	}
	told := make([]stream.Event, len(lines))
	for i := range lines {
		l := &lines[i]
		data, err := json.Marshal(wire.Event{AuditEntry: auditEntry(l, t.changes), State: stateOf(view, l)})
		if err != nil {
			return nil, fmt.Errorf("encode an event: %w", err)
		}
		told[i] = stream.Event{Name: string(l.Action), Data: data, Part: l.Index + 1}
	}
	return told, nil
}

// after is the view right after a frame. A client that goes on from long ago gets the present one until it has caught
// up: the log does not say what was true then.
func (t *teller) after(f *state.Frame) (admin.View, error) {
	view, err := t.service.View()
	if err != nil {
		return admin.View{}, err //nolint:wrapcheck // nothing is known yet
	}
	was := t.at
	t.at = nil
	switch here := view.Place(); {
	case here.Epoch == f.Epoch && here.Rev == f.Rev:
		t.at = view.Snapshot
	case was != nil:
		if t.at, err = was.Apply(*f); err != nil {
			t.at = nil // it is not the frame that follows
		}
	}
	if t.at == nil {
		return view, nil
	}
	return admin.View{Snapshot: t.at}, nil
}

// stateOf is what a view tells of what a line is about: at the time of the line, unless the view has one of its own.
func stateOf(view admin.View, l *admin.AuditLine) any {
	var t state.Target
	if err := t.UnmarshalText([]byte(l.Path)); err != nil {
		return nil
	}
	view.Now = latest(view.Now, l.At)
	if t.Key.Path == "" {
		return switchState(view.Document(), t, view.Now, view.Place())
	}
	st := view.Document().State(t.Key, view.Now)
	return route(&st, view.Place())
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
