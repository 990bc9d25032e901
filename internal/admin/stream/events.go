package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Event is something that a frame tells, by a name that a browser can listen for.
type Event struct {
	// Name is one word, Data one line of JSON.
	Name string
	Data []byte
	// Part counts the parts of the frame up to and with this one, whether the others are told or not.
	Part int
}

// Tell gives what a frame has to tell to one client, in order; nothing is no event. It is called with the frames of one
// history one after the other, from one goroutine.
type Tell func(f *state.Frame) ([]Event, error)

const (
	// A browser does not look at heartbeats; what they are for is that nobody between takes the link for a dead one, and
	// that we find out when the browser is gone.
	eventsBeat = 5 * time.Second
	// How long a browser waits before it comes back.
	comeBack = 2 * time.Second
	// The resetEvent tells that what lies between what the client knows and the present cannot be told.
	resetEvent = "reset"
)

// Events tells of the log by events with names, in the form that an EventSource reads. It begins after the place the
// client names (as at the stream), otherwise with what comes next. Every event has an id from which it goes on, and
// heartbeats, which are comments, move that on where there is nothing to tell. Where the log does not lead on from the
// client's place, an event "reset" names the place from which it is told.
func (h *Handler) Events(w http.ResponseWriter, r *http.Request, tell Tell) {
	w.Header().Set(namespaceHeader, h.cfg.Namespace)
	if r.Method != http.MethodGet { // HEAD: there is no end to come to
		refuseMethod(w)
		return
	}
	from := askedPlace(r)
	if from == (place{}) && r.Header.Get("Last-Event-ID") == "" && !r.URL.Query().Has("after") {
		from.now = true
	}
	c := &client{Handler: h, w: w, control: http.NewResponseController(w)}
	c.voice = &events{client: c, tell: tell, from: from}
	c.serve(r, h.watches, from)
}

// events is the voice in which pages are told of the log.
type events struct {
	*client
	tell  Tell
	from  place
	begun bool
}

func (e *events) every() time.Duration { return eventsBeat }

// frame sends what a frame tells. The id of an event that others of the same frame follow names that frame's parts.
func (e *events) frame(ctx context.Context, p *page, n int) error {
	f := &p.frames[n]
	told, err := e.tell(f)
	if err != nil {
		return fmt.Errorf("tell of frame %d: %w", f.Rev, err)
	}
	has := 0
	if e.from.epoch == f.Epoch && e.from.rev+1 == f.Rev {
		has = e.from.parts
	}
	for i, event := range told {
		if event.Part <= has {
			continue
		}
		at := place{epoch: f.Epoch, rev: f.Rev}
		if i < len(told)-1 {
			at.rev, at.parts = f.Rev-1, event.Part
		}
		if err := e.send(ctx, event.Name, at, event.Data); err != nil {
			return err
		}
	}
	return nil
}

// resetBody says from where on a client is told.
type resetBody struct {
	Revision uint64 `json:"revision"`
	Epoch    string `json:"epoch"`
}

func (e *events) document(ctx context.Context, doc *state.Document) error {
	line, err := json.Marshal(resetBody{Revision: doc.Rev, Epoch: doc.Epoch})
	if err != nil {
		return fmt.Errorf("encode a reset: %w", err)
	}
	return e.send(ctx, resetEvent, place{epoch: doc.Epoch, rev: doc.Rev}, line)
}

// beat sends a comment, and the place of the client as an id without an event. A place inside a frame is named by the
// event that has it.
func (e *events) beat(ctx context.Context) error {
	text := []byte(": waygate\n")
	if !e.begun {
		e.begun = true
		text = append(strconv.AppendInt(append(text, "retry: "...), comeBack.Milliseconds(), 10), '\n')
	}
	inside := e.from.parts > 0 && e.from.epoch == e.at.Epoch && e.from.rev == e.at.Rev
	if e.at.Epoch != "" && !inside {
		text = append(append(append(text, "id: "...), place{epoch: e.at.Epoch, rev: e.at.Rev}.String()...), '\n')
	}
	return e.put(ctx, append(text, '\n'))
}
