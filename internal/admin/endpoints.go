package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// Endpoints are the receivers that are told of changes: those that people made, in the private part of the store, and
// those that this admin's file and environment name. It is where the dispatcher finds them. Safe for concurrent use.
type Endpoints struct {
	service *Service
	cfg     EndpointsConfig

	courier    Courier
	deliveries Deliveries
	errands    *errands

	seen  atomic.Pointer[endpointsSeen]
	stale atomic.Bool
	// reload holds a token while somebody reads the private part: whoever waits for it can give up, a mutex would hold them.
	reload chan struct{}

	mu sync.Mutex
	// began is since when fixed endpoints are told of changes, by id: since they were first seen here.
	began map[string]time.Time
}

// EndpointsConfig is what Endpoints know besides the store.
type EndpointsConfig struct {
	// Fixed gives the endpoints of the file and the environment; nil is none.
	Fixed func() []Endpoint
	// Trouble says why what is configured now is not in force, empty when it is; nil is never.
	Trouble func() string
	// Changed is told when there may be other endpoints now, from any goroutine; it must not block. Nil is nobody.
	Changed func()
}

// endpointsSeen is the private part as far as it is about endpoints.
type endpointsSeen struct {
	fields map[string][]byte
	at     time.Time
}

// Bounds of endpoints.
const (
	maxEndpoints = 200
	// How long the endpoints are taken as known without being told of a change.
	seenFor = 30 * time.Second
)

// NewEndpoints makes Endpoints. The service trims no log that they have yet to read.
func NewEndpoints(s *Service, cfg EndpointsConfig) *Endpoints {
	if cfg.Fixed == nil {
		cfg.Fixed = func() []Endpoint { return nil }
	}
	if cfg.Trouble == nil {
		cfg.Trouble = func() string { return "" }
	}
	if cfg.Changed == nil {
		cfg.Changed = func() {}
	}
	e := &Endpoints{service: s, cfg: cfg, errands: newErrands(), reload: make(chan struct{}, 1), began: map[string]time.Time{}}
	e.stale.Store(true)
	for _, one := range cfg.Fixed() {
		e.since(one.ID)
	}
	s.unread = e.unread
	return e
}

// since is when a fixed endpoint was first seen here. One that nobody ever delivered to is told of changes from then on:
// from before the first change that this admin made.
func (e *Endpoints) since(id string) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.began[id]; !ok {
		e.began[id] = e.service.Now().UTC()
	}
	return e.began[id]
}

// Changed tells that the endpoints may have changed; it never blocks.
func (e *Endpoints) Changed() {
	e.stale.Store(true)
	e.cfg.Changed()
}

// Applied takes what the follower applied: where that changed the private part, endpoints may have changed.
func (e *Endpoints) Applied(frames []state.Frame) {
	for i := range frames {
		if entry, err := frames[i].Entry(); err != nil || entry.Kind == state.KindPrivate {
			e.Changed()
			return
		}
	}
	if len(frames) == 0 {
		e.Changed() // a whole document: anything may have happened before it
	}
}

// Endpoints implements webhook.Endpoints.
func (e *Endpoints) Endpoints(ctx context.Context) ([]webhook.Endpoint, error) {
	seen := e.seen.Load()
	if seen == nil || e.stale.Load() || time.Since(seen.at) > seenFor {
		var err error
		if seen, err = e.read(ctx); err != nil {
			return nil, err
		}
	}
	all, broken := endpointsIn(seen.fields, e.cfg.Fixed())
	for field, err := range broken {
		e.service.cfg.Log.Error("an endpoint in the store cannot be read; it is sent nothing", zap.String("field", field), zap.Error(err))
	}
	list := make([]webhook.Endpoint, 0, len(all))
	for id, one := range all {
		if one.Source != SourceStore {
			one.Created = e.since(id)
		}
		list = append(list, one.Endpoint)
	}
	return list, nil
}

// read reads the private part, once for all who ask at the same time.
func (e *Endpoints) read(ctx context.Context) (*endpointsSeen, error) {
	select {
	case e.reload <- struct{}{}:
		defer func() { <-e.reload }()
	case <-ctx.Done():
		return nil, fmt.Errorf("read the endpoints: %w: %w", state.ErrUnavailable, ctx.Err())
	}
	e.stale.Store(false) // what comes from now on is read again
	fields, err := e.service.cfg.Store.Private(ctx)
	if err != nil {
		e.stale.Store(true)
		return nil, err //nolint:wrapcheck // the store says what was being done
	}
	seen := &endpointsSeen{fields: map[string][]byte{}, at: time.Now()}
	for field, text := range fields {
		if strings.HasPrefix(field, fieldHook) || strings.HasPrefix(field, fieldHookOff) {
			seen.fields[field] = text
		}
	}
	e.seen.Store(seen)
	return seen, nil
}

// List gives all endpoints, by name and id. What the store holds now is told, or, while it is away, what was last seen.
func (e *Endpoints) List(ctx context.Context, who people.Principal) ([]Endpoint, error) {
	if err := who.May(people.ScopeChange); err != nil {
		return nil, err
	}
	seen, err := e.read(ctx)
	if err != nil {
		if seen = e.seen.Load(); seen == nil {
			return nil, err
		}
	}
	all, _ := endpointsIn(seen.fields, e.cfg.Fixed())
	return sortedEndpoints(all), nil
}

// sortedEndpoints are endpoints by name and id.
func sortedEndpoints(all map[string]Endpoint) []Endpoint {
	return slices.SortedFunc(maps.Values(all), func(a, b Endpoint) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
}

// Get gives one endpoint; state.ErrNotFound when there is none of that id.
func (e *Endpoints) Get(ctx context.Context, who people.Principal, id string) (Endpoint, error) {
	list, err := e.List(ctx, who)
	if err != nil {
		return Endpoint{}, err
	}
	for _, one := range list {
		if one.ID == id {
			return one, nil
		}
	}
	return Endpoint{}, noEndpoint(id)
}

func noEndpoint(id string) error { return fmt.Errorf("webhook %.64q: %w", id, state.ErrNotFound) }

// newEndpointID draws an id, or derives it from an idempotency key: a repeated call then finds what it made.
func newEndpointID(who people.Principal, retry Retry) string {
	if retry.Key == "" {
		return EndpointID("wh-", rand.Text())
	}
	return EndpointID("wh-", who.Name+"\x00"+retry.Key)
}

// activeSecret is the secret that signs without an end; empty where there is none.
func activeSecret(e *webhook.Endpoint) string {
	for _, s := range slices.Backward(e.Secrets) {
		if s.Until.IsZero() {
			return s.Value
		}
	}
	return ""
}
