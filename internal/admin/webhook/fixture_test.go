package webhook_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver takes deliveries, as a server or as the transport of a client.
type receiver struct {
	// answer says how to answer the nth delivery, from 1; nil answers 200.
	answer func(n int, d delivery) *http.Response

	mu  sync.Mutex
	got []delivery
}

// delivery is what arrived.
type delivery struct {
	ID, Path, Event string
	Header          http.Header
	Body            []byte
	At              time.Time
	Status          int
}

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	d := delivery{ID: req.Header.Get(webhook.HeaderID), Header: req.Header, Body: body, At: time.Now(), Status: 200}
	var event struct{ Event, Path string }
	if err := json.Unmarshal(body, &event); err == nil {
		d.Event, d.Path = event.Event, event.Path
	}
	r.mu.Lock()
	n := len(r.got) + 1
	r.mu.Unlock()
	answer := status(200)
	if r.answer != nil {
		answer = r.answer(n, d)
	}
	d.Status = answer.StatusCode
	r.mu.Lock()
	r.got = append(r.got, d)
	r.mu.Unlock()
	return answer, nil
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	answer, err := r.RoundTrip(req)
	if err != nil {
		return
	}
	maps.Copy(w.Header(), answer.Header)
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// taken are the deliveries that were answered with 2xx.
func (r *receiver) taken() []delivery {
	return slices.DeleteFunc(r.all(), func(d delivery) bool { return d.Status/100 != 2 })
}

func (r *receiver) all() []delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// status is an answer.
func status(code int, headers ...string) *http.Response {
	a := &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte("said")))}
	for i := 0; i+1 < len(headers); i += 2 {
		a.Header.Set(headers[i], headers[i+1])
	}
	return a
}

// endpoints are some that are set by a test.
type endpoints struct {
	mu  sync.Mutex
	all []webhook.Endpoint
}

func (e *endpoints) Endpoints(context.Context) ([]webhook.Endpoint, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.all), nil
}

func (e *endpoints) Disable(_ context.Context, id, why string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.all {
		if e.all[i].ID == id {
			e.all[i].Disabled, e.all[i].Why = true, why
		}
	}
	return nil
}

func (e *endpoints) set(all ...webhook.Endpoint) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = all
}

// one is an endpoint that was there before everything.
func one() webhook.Endpoint {
	return webhook.Endpoint{ID: "one", URL: "https://hooks.example.com/x", Secrets: []webhook.Secret{{Value: secret}}, Created: time.Unix(0, 0)}
}

// stage is a store with endpoints and a receiver.
type stage struct {
	store     state.Backend
	endpoints *endpoints
	receiver  *receiver
}

func newStage(t *testing.T, all ...webhook.Endpoint) *stage {
	t.Helper()
	store := memstore.New()
	t.Cleanup(store.Close)
	statetest.Seeded(t, store)
	return &stage{store: store, endpoints: &endpoints{all: all}, receiver: &receiver{}}
}

// admin begins an admin's dispatcher. It ends with the test, or when stop is called: as an orderly stop does.
func (s *stage) admin(t *testing.T, name string, set ...func(*webhook.Config)) (d *webhook.Dispatcher, stop func()) {
	t.Helper()
	cfg := webhook.Config{
		Log: s.store, Desk: s.store, Endpoints: s.endpoints, Owner: name,
		State: func(_ context.Context, ev *webhook.Event) (json.RawMessage, error) {
			return fmt.Appendf(nil, `{"path":%q,"revision":%d}`, ev.Path, ev.Rev), nil
		},
	}
	for _, f := range set {
		f(&cfg)
	}
	d = webhook.New(cfg)
	d.Through(s.receiver)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return d, stop
}

// block blocks a route.
func (s *stage) block(t *testing.T, key, reason string) {
	t.Helper()
	statetest.Commit(t, s.store, statetest.Block(t, key, reason))
}

// reasons are what deliveries tell of a route, in the order in which they arrived.
func reasons(t *testing.T, all []delivery, path string) []string {
	t.Helper()
	var out []string
	for _, d := range all {
		var event struct{ Reason string }
		require.NoError(t, json.Unmarshal(d.Body, &event))
		if d.Path == path {
			out = append(out, event.Reason)
		}
	}
	return out
}
