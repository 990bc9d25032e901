package kill_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waygate/waygate/internal/admin/webhook"
)

// The endpoint that the receiver is, as the admin knows it, and the key it signs with.
const (
	hookName     = "receiver"
	hookEndpoint = "file-" + hookName
	hookKey      = "a key of thirty-two bytes, no more"
)

// receiver is a server that takes webhooks. Each life of the admin has an address of its own, so that it is known which
// of them sent what.
type receiver struct {
	server *httptest.Server

	mu sync.Mutex
	// free is closed when what is held is answered; nil while nothing is held.
	free chan struct{}
	all  []delivery // in the order in which they came
	by   map[string]*message
	// wrong is what is wrong with single deliveries.
	wrong []string
}

// delivery is one event sent once, by one life of the admin.
type delivery struct {
	id   string
	life int
	held bool
}

// message is what came under one id.
type message struct {
	said said
	// bodies are all there were, each once.
	bodies [][]byte
	// answered says that a life of the admin can know that it was taken.
	answered bool
}

// said is a body but for the state in it, and the revision of that.
type said struct {
	Event, Path, Reason, Timestamp string

	State struct{ Revision uint64 }
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{by: map[string]*message{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(func() { r.release(); r.server.Close() })
	return r
}

// file is the webhooks file of one life of the admin.
func (r *receiver) file(life int) string {
	secret := webhook.SecretPrefix + base64.StdEncoding.EncodeToString([]byte(hookKey))
	return fmt.Sprintf("webhooks:\n  - name: %s\n    url: %s/%d\n    secret: %s\n    allow: [127.0.0.1]\n", hookName, r.server.URL, life, secret)
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the admin ended in the middle of it
	}
	if free := r.take(req, body); free != nil {
		select {
		case <-free:
		case <-req.Context().Done():
		}
	}
}

// take notes what came. What it returns, if anything, is to be waited for before the answer.
func (r *receiver) take(req *http.Request, body []byte) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	id := req.Header.Get(webhook.HeaderID)
	life, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/"))
	if err != nil {
		r.wrong = append(r.wrong, "a delivery to "+req.URL.Path)
	}
	m := r.by[id]
	if m == nil {
		m = &message{}
		r.by[id] = m
	}
	if problem := m.take(body); problem != "" {
		r.wrong = append(r.wrong, problem+" of "+id)
	}
	if problem := unsigned(req.Header, body); problem != "" {
		r.wrong = append(r.wrong, problem+" of "+id)
	}
	r.all = append(r.all, delivery{id, life, r.free != nil})
	m.answered = m.answered || r.free == nil
	return r.free
}

// take notes one body, and says what is wrong with it.
func (m *message) take(body []byte) string {
	if slices.ContainsFunc(m.bodies, func(b []byte) bool { return bytes.Equal(b, body) }) {
		return ""
	}
	m.bodies = append(m.bodies, body)
	var is said
	if err := json.Unmarshal(body, &is); err != nil {
		return fmt.Sprintf("the body %q", body)
	}
	if len(m.bodies) == 1 {
		m.said = is
		return ""
	}
	earlier := is.State.Revision < m.said.State.Revision
	is.State = m.said.State
	if earlier || is != m.said {
		return fmt.Sprintf("another body, %s after %s,", body, m.bodies[0])
	}
	return ""
}

// unsigned says what is wrong with a signature, as one who only has the key and a clock can tell.
func unsigned(h http.Header, body []byte) string {
	at, err := strconv.ParseInt(h.Get(webhook.HeaderTimestamp), 10, 64)
	if err != nil || time.Since(time.Unix(at, 0)).Abs() > 5*time.Minute {
		return "the timestamp " + h.Get(webhook.HeaderTimestamp)
	}
	mac := hmac.New(sha256.New, []byte(hookKey))
	fmt.Fprintf(mac, "%s.%d.%s", h.Get(webhook.HeaderID), at, body)
	if h.Get(webhook.HeaderSignature) != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		return "the signature"
	}
	return ""
}

// hold keeps what comes from now on without an answer, until release.
func (r *receiver) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = make(chan struct{})
}

// release answers what is held, if somebody still waits for it, and at once what comes from now on.
func (r *receiver) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free != nil {
		close(r.free)
		r.free = nil
	}
}

// holds reports whether something that a life of the admin sent was held.
func (r *receiver) holds(life int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.all) - 1; i >= 0 && r.all[i].life == life; i-- {
		if r.all[i].held {
			return true
		}
	}
	return false
}

// cameFrom reports whether a life sent all of some events.
func (r *receiver) cameFrom(life int, ids map[string]bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := 0
	for i := range r.all {
		if r.all[i].life == life && ids[r.all[i].id] {
			sent++
		}
	}
	return sent >= len(ids)
}

// answered reports whether an event came, and the answer was given that ends its deliveries.
func (r *receiver) answered(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.by[id]
	return m != nil && m.answered
}

// came reports whether an event was sent at all.
func (r *receiver) came(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by[id] != nil
}
