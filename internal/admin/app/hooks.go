package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/waygate/waygate/internal/admin/api"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// leaseAtPace is how long a lease lasts where the pace of tries is for tests.
const leaseAtPace = time.Second

// newHooks makes what delivers events to endpoints.
func (a *app) newHooks() *webhook.Dispatcher {
	host, err := os.Hostname()
	if err != nil {
		host = "admin"
	}
	cfg := webhook.Config{
		Log: a.store, Desk: a.store, Endpoints: a.endpoints, State: a.eventState, Owner: host + "." + uuid.NewString(),
		Pace: a.cfg.WebhookPace, Timeout: a.cfg.WebhookTimeout, Logger: a.log.Named("webhooks"),
	}
	if cfg.Pace >= 100 {
		cfg.LeaseFor = leaseAtPace
	}
	return webhook.New(cfg)
}

func (a *app) endpointsChanged() {
	if a.hooks != nil { // they are told once while they are made
		a.hooks.Changed()
	}
}

// eventState is the state that goes with an event: that of its revision, where this admin was there, else a later one.
func (a *app) eventState(ctx context.Context, ev *webhook.Event) (json.RawMessage, error) {
	doc, err := a.history.from(ctx, ev.Epoch, ev.Rev)
	if err != nil {
		return nil, err
	}
	st, err := api.EventState(doc, ev.Path, ev.At)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what is wrong with the path
	}
	text, err := json.Marshal(st)
	if err != nil {
		return nil, fmt.Errorf("write the state of %s: %w", ev.Path, err)
	}
	return text, nil
}

// errNotThere is what a wait for a revision ends with.
var errNotThere = errors.New("this admin does not see that revision yet")

// historyLength is how many documents are kept. They share what did not change between them.
const historyLength = 512

// history are the last documents, oldest first, all of one epoch.
type history struct {
	mu    sync.Mutex
	docs  []*state.Document
	grown chan struct{} // closed when there is one more; nil while nobody waits
}

// add keeps the next document.
func (h *history) add(d *state.Document) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.docs); n > 0 {
		if last := h.docs[n-1].Meta; last.Epoch != d.Epoch || last.Rev >= d.Rev {
			h.docs = nil
		}
	}
	h.docs = append(h.docs, d)
	if extra := len(h.docs) - historyLength; extra > 0 {
		h.docs[0] = nil
		h.docs = h.docs[extra:]
	}
	if h.grown != nil {
		close(h.grown)
		h.grown = nil
	}
}

// from gives the oldest document that is not older than a revision, as soon as there is one.
func (h *history) from(ctx context.Context, epoch string, rev uint64) (*state.Document, error) {
	for {
		doc, grown := h.look(epoch, rev)
		if doc != nil {
			return doc, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, fmt.Errorf("revision %d: %w", rev, errNotThere)
		}
	}
}

func (h *history) look(epoch string, rev uint64) (*state.Document, <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := sort.Search(len(h.docs), func(i int) bool { return h.docs[i].Rev >= rev })
	if i < len(h.docs) && h.docs[i].Epoch == epoch {
		return h.docs[i], nil
	}
	if h.grown == nil {
		h.grown = make(chan struct{})
	}
	return nil, h.grown
}
