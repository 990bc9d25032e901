package stream

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Config is what a Handler shows.
type Config struct {
	// Source is the store.
	Source state.Source
	// Cache is this admin's own view of it, and Follower keeps it.
	Cache    *state.Cache
	Follower *state.Follower
	// Namespace names the Waygate that the store belongs to; whoever asks for another one is refused.
	Namespace string
	Log       *zap.Logger
}

// namespaceHeader names the namespace in every answer.
const namespaceHeader = "X-Waygate-Namespace"

// Bounds of what is served at once, and of one call.
const (
	maxStreams  = 1024
	maxWatchers = 256 // of events by name: however many pages are open, the instances have their streams
	maxCalls    = 64
	callFor     = 30 * time.Second
)

// Handler serves the stream at an address that ends in /stream, and the single questions below it. It does not ask who
// is calling: what it is mounted in does. It is safe for concurrent use.
type Handler struct {
	cfg     Config
	life    context.Context
	end     context.CancelFunc
	streams chan struct{}
	watches chan struct{}
	calls   chan struct{}

	shelf shelf
	beats beats
}

// New makes a handler.
func New(cfg Config) *Handler {
	h := &Handler{
		cfg: cfg, streams: make(chan struct{}, maxStreams), watches: make(chan struct{}, maxWatchers), calls: make(chan struct{}, maxCalls),
	}
	h.life, h.end = context.WithCancel(context.Background())
	return h
}

// Close ends all streams and refuses new ones, so that they do not hold up the server's stop. It returns at once.
func (h *Handler) Close() { h.end() }

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set(namespaceHeader, h.cfg.Namespace)
	asked := r.URL.Query()
	switch {
	case r.Method != http.MethodGet:
		refuseMethod(w)
		return
	case asked.Has("namespace") && asked.Get("namespace") != h.cfg.Namespace:
		refuse(w, problem{Status: http.StatusConflict, Type: kindNamespace, Message: "this admin serves the namespace " +
			strconv.Quote(h.cfg.Namespace) + ", not " + strconv.Quote(asked.Get("namespace"))})
		return
	}
	switch path.Base(r.URL.Path) {
	case "stream":
		c := &client{Handler: h, w: w, control: http.NewResponseController(w)}
		c.voice = frames{c}
		c.serve(r, h.streams, askedPlace(r))
	case "pulse":
		h.answer(w, r, h.pulse)
	case "document":
		h.answer(w, r, h.document)
	case "frames":
		h.answer(w, r, h.frames)
	default:
		refuse(w, problem{Status: http.StatusNotFound, Message: "there is no such address: the stream has pulse, document and frames"})
	}
}

// serve has the client follow the log until it goes, does not keep up, or the server stops.
func (c *client) serve(r *http.Request, slots chan struct{}, from place) {
	if !take(slots) {
		refuse(c.w, busy("too many streams at once"))
		return
	}
	defer func() { <-slots }()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()

	err := c.control.SetWriteDeadline(time.Now().Add(patience))
	if errors.Is(err, http.ErrNotSupported) {
		refuse(c.w, problem{Status: http.StatusInternalServerError, Message: "streams are not possible on this connection"})
		c.cfg.Log.Error("a stream could not be bounded", zap.Error(err))
		return
	}
	spare := hurry(ctx, c.control)
	err = c.follow(ctx, from)
	spare()
	_ = c.control.SetWriteDeadline(time.Now().Add(farewell)) // for the end of the response, which the server sends
	if errors.Is(err, errSlow) || err != nil && ctx.Err() == nil && !errors.Is(err, errGone) {
		c.cfg.Log.Info("a stream was ended", zap.String("client", r.RemoteAddr), zap.Error(err))
	}
}

// answer answers a single question.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, question func(context.Context, *http.Request) (*text, error)) {
	if !take(h.calls) {
		refuse(w, busy("too many calls at once"))
		return
	}
	defer func() { <-h.calls }()
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(h.life, cancel)()
	soon, done := context.WithTimeout(ctx, callFor)
	defer done()
	body, err := question(soon, r)
	if err != nil {
		refuse(w, problemOf(err))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body.bytes)))
	if err := sendWhole(ctx, w, body.bytes); err != nil {
		h.cfg.Log.Debug("an answer could not be sent", zap.String("client", r.RemoteAddr), zap.Error(err))
	}
}

// sendWhole sends a body within the time a client may take.
func sendWhole(ctx context.Context, w http.ResponseWriter, body []byte) error {
	control := http.NewResponseController(w)
	defer hurry(ctx, control)()
	if err := control.SetWriteDeadline(time.Now().Add(timeFor(len(body)))); err != nil {
		return fmt.Errorf("bound an answer: %w", err)
	}
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("send an answer: %w", err)
	}
	if err := control.Flush(); err != nil {
		return fmt.Errorf("send an answer: %w", err)
	}
	return control.SetWriteDeadline(time.Time{})
}

func take(slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
		return false
	}
}
