package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// hookSecret signs the deliveries of these tests.
const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver is a server that takes webhooks, fails one in ten and does not answer one in twenty.
type receiver struct {
	server *httptest.Server

	mu sync.Mutex
	// requests counts what came, and stalled what was taken and not answered.
	requests, refused, stalled int
	by                         map[string]*message
	order                      map[string][]int // the numbers of a route's events, each when it was taken first
	taken, again               int
	wrong                      []string
	faulty                     bool
}

// message is what came under one id.
type message struct {
	taken, failed int
	body          [32]byte
	signed        map[string]string // signature by timestamp
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{by: map[string]*message{}, order: map[string][]int{}}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

// file is a webhooks file with the receiver in it.
func (r *receiver) file() string {
	return fmt.Sprintf("webhooks:\n  - name: receiver\n    url: %s/hook\n    secret: %s\n    allow: [127.0.0.1]\n", r.server.URL, hookSecret)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender died
	}
	switch r.take(req.Header, body) {
	case http.StatusOK:
	case http.StatusGatewayTimeout:
		<-req.Context().Done()
	default:
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

// take notes what came, and says how to answer: 504 stands for not at all.
func (r *receiver) take(h http.Header, body []byte) int {
	var event struct{ Path, Reason string }
	if err := json.Unmarshal(body, &event); err != nil {
		event.Reason = "0"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	id := h.Get("webhook-id")
	m := r.by[id]
	if m == nil {
		m = &message{body: sha256.Sum256(body), signed: map[string]string{}}
		r.by[id] = m
	}
	r.check(m, h, body)
	stalls := r.faulty && r.requests%20 == 7 && m.failed < 6
	if r.faulty && r.requests%10 == 3 && m.failed < 6 {
		m.failed++
		r.refused++
		return http.StatusServiceUnavailable
	}
	m.taken++
	if m.taken == 1 {
		var n int
		if _, err := fmt.Sscan(event.Reason, &n); err != nil {
			r.wrong = append(r.wrong, "no number: "+string(body))
		}
		r.order[event.Path] = append(r.order[event.Path], n)
		r.taken++
	} else {
		r.again++
	}
	if stalls {
		m.failed++
		r.stalled++
		return http.StatusGatewayTimeout
	}
	return http.StatusOK
}

// check holds a delivery to its signature, and to what came before under the same id.
func (r *receiver) check(m *message, h http.Header, body []byte) {
	at := h.Get("webhook-timestamp")
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), at, body)
	signature := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	switch {
	case h.Get("webhook-signature") != signature:
		r.wrong = append(r.wrong, "signature of "+h.Get("webhook-id"))
	case m.body != sha256.Sum256(body):
		r.wrong = append(r.wrong, "another body under "+h.Get("webhook-id"))
	}
	m.signed[at] = signature
}

// begin forgets what came until now, and begins to fail.
func (r *receiver) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by, r.order = map[string]*message{}, map[string][]int{}
	r.requests, r.taken, r.again, r.faulty = 0, 0, 0, true
}

// seen is how many events were taken.
func (r *receiver) seen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.taken
}

// requireAll holds what came against n events of each route, numbered from 1, and at most so many repetitions by crashes.
func (r *receiver) requireAll(t *testing.T, routes map[string]int, crashes int) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.Empty(t, r.wrong)
	moved := 0
	for _, m := range r.by {
		if len(m.signed) > 1 {
			moved++
		}
	}
	for path, n := range routes {
		require.Len(t, r.order[path], n, "%s: lost or invented", path)
		for i, got := range r.order[path] {
			require.Equal(t, i+1, got, "%s: out of order", path)
		}
	}
	t.Logf("%d events in %d requests: %d refused, %d stalled, %d taken again (at most %d), %d with more than one timestamp",
		r.taken, r.requests, r.refused, r.stalled, r.again, r.stalled+crashes, moved)
	require.LessOrEqual(t, r.again, r.stalled+crashes)
}
