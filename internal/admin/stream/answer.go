package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of a piece of the log.
const (
	maxFrames    = 1000
	maxFrameSize = 8 << 20 // of all frames together, after the first
	settleFor    = time.Second
)

// pulseBody says where the store stands.
type pulseBody struct {
	Namespace string `json:"namespace"`
	state.Meta
	// Now is the store's clock, and Beat the last sign of life of an admin by it.
	Now  time.Time `json:"now"`
	Beat time.Time `json:"beat,omitzero"`
	// Trouble says, in a heartbeat, why the store could not be asked; then Now is this admin's clock, as it was last corrected by
	// the store's.
	Trouble string `json:"trouble,omitempty"`
}

func (h *Handler) pulseBody(p state.Pulse) pulseBody {
	body := pulseBody{Namespace: h.cfg.Namespace, Meta: p.Meta, Now: stamp(p.Now)}
	if !p.Beat.IsZero() {
		body.Beat = stamp(p.Beat)
	}
	return body
}

// stamp makes a time that every client can read: in UTC, with at most six fractional digits.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func (h *Handler) pulse(ctx context.Context, _ *http.Request) (*text, error) {
	p, err := h.cfg.Source.Pulse(ctx)
	if err != nil {
		return nil, fmt.Errorf("read where the store stands: %w", err)
	}
	return encode(h.pulseBody(p))
}

// document is the whole document at the place where the store stands. It is this admin's own view if that gets there
// soon, which costs the store nothing.
func (h *Handler) document(ctx context.Context, _ *http.Request) (*text, error) {
	p, err := h.cfg.Source.Pulse(ctx)
	if err != nil {
		return nil, fmt.Errorf("read where the store stands: %w", err)
	}
	soon, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	if h.cfg.Follower.Wait(soon, p.Epoch, p.Rev) == nil {
		if doc := h.cfg.Cache.Load().Document(); doc.Meta == p.Meta || doc.Epoch == p.Epoch && doc.Rev > p.Rev {
			return h.shelf.document(doc, h.cfg.Namespace)
		}
	}
	doc, err := h.cfg.Source.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the document: %w", err)
	}
	return h.shelf.document(doc, h.cfg.Namespace)
}

// framesBody is a piece of the log.
type framesBody struct {
	Namespace string        `json:"namespace"`
	Frames    []state.Frame `json:"frames"`
	// More says that there are more than fit into this answer.
	More bool `json:"more"`
}

func (h *Handler) frames(ctx context.Context, r *http.Request) (*text, error) {
	asked := r.URL.Query()
	after, err := strconv.ParseUint(asked.Get("after"), 10, 64)
	if err != nil {
		return nil, state.Invalid("after", "after names a revision, as a number")
	}
	limit := maxFrames
	if asked.Has("limit") {
		if limit, err = strconv.Atoi(asked.Get("limit")); err != nil || limit < 1 {
			return nil, state.Invalid("limit", "limit is how many frames there may be: 1 or more")
		}
	}
	body := framesBody{Namespace: h.cfg.Namespace}
	if body.Frames, err = h.cfg.Source.Frames(ctx, asked.Get("epoch"), after, min(limit, maxFrames)); err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	body.More = limit > maxFrames && len(body.Frames) == maxFrames
	size := 0
	for i := range body.Frames {
		if size += len(body.Frames[i].Payload); size > maxFrameSize && i > 0 {
			body.Frames, body.More = body.Frames[:i], true
			break
		}
	}
	if body.Frames == nil {
		body.Frames = []state.Frame{}
	}
	return encode(body)
}

func encode(body any) (*text, error) {
	line, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode an answer: %w", err)
	}
	return &text{bytes: line}, nil
}

// beats has the store asked once for all heartbeats that are due at about the same time.
type beats struct {
	mu    sync.Mutex
	asked time.Time
	last  pulseBody
}

// beatWithin is how long the store has to answer for a heartbeat: it goes out anyway, and in time.
const beatWithin = beatEvery / 2

// heartbeat is the data of a heartbeat.
func (h *Handler) heartbeat() ([]byte, error) {
	h.beats.mu.Lock()
	defer h.beats.mu.Unlock()
	if h.beats.asked.IsZero() || time.Since(h.beats.asked) >= beatEvery/4 {
		ctx, cancel := context.WithTimeout(h.life, beatWithin)
		defer cancel()
		p, err := h.cfg.Source.Pulse(ctx)
		if err != nil {
			p = state.Pulse{Now: h.cfg.Follower.Clock().Now()}
		}
		h.beats.last = h.pulseBody(p)
		h.beats.last.Trouble = trouble(err)
		h.beats.asked = time.Now()
	}
	line, err := json.Marshal(h.beats.last)
	if err != nil {
		return nil, fmt.Errorf("encode a heartbeat: %w", err)
	}
	return line, nil
}

func trouble(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, state.ErrEmpty):
		return state.ErrEmpty.Error()
	default:
		return state.ErrUnavailable.Error()
	}
}
