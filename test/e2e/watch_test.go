package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// watcher sends requests at a steady rate through Envoy and remembers every answer that is not the expected one.
type watcher struct {
	line     *line
	every    time.Duration
	limit    int // of requests; 0 is until stopped
	stop     chan struct{}
	finished sync.WaitGroup

	mu    sync.Mutex
	sent  int
	wrong []string
}

// expectation is a path and what must be answered to it.
type expectation struct {
	path    string
	refused bool
}

// watch begins to send: in turn each of expected, one request every interval, at most limit of them.
func (l *line) watch(every time.Duration, limit int, expected ...expectation) *watcher {
	w := &watcher{line: l, every: every, limit: limit, stop: make(chan struct{})}
	w.finished.Go(func() { w.run(expected) })
	return w
}

func (w *watcher) run(expected []expectation) {
	tick := time.NewTicker(w.every)
	defer tick.Stop()
	var requests sync.WaitGroup
	defer requests.Wait()
	for n := 0; w.limit == 0 || n < w.limit; n++ {
		select {
		case <-w.stop:
			return
		case <-w.line.t.Context().Done():
			return
		case <-tick.C:
		}
		e := expected[n%len(expected)]
		requests.Go(func() { w.one(e) })
	}
}

func (w *watcher) one(e expectation) {
	began := time.Now()
	a, err := w.line.try(http.MethodGet, e.path, nil)
	problem := ""
	switch {
	case err != nil:
		problem = err.Error()
	case e.refused && (a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, `"code"`)):
		problem = fmt.Sprintf("%d %.60q instead of a refusal", a.status, a.body)
	case !e.refused && a.status != http.StatusOK:
		problem = fmt.Sprintf("%d %.60q instead of 200", a.status, a.body)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent++
	if problem != "" {
		w.wrong = append(w.wrong, fmt.Sprintf("%s %s: %s", began.Format("15:04:05.000"), e.path, problem))
	}
}

// wait waits until all requests were sent and answered.
func (w *watcher) wait() (sent int, wrong []string) {
	w.finished.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent, w.wrong
}

// end stops sending and gives the result.
func (w *watcher) end() (sent int, wrong []string) {
	close(w.stop)
	return w.wait()
}

// reached waits until n requests were answered.
func (w *watcher) reached(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(waitLong); ; {
		w.mu.Lock()
		sent := w.sent
		w.mu.Unlock()
		if sent >= n {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("only %d of %d requests were answered", sent, n)
		}
		pause(t, w.every)
	}
}

// pause lets time pass that belongs to the scenario, such as how long a server stays down.
func pause(t *testing.T, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-t.Context().Done():
		t.Fatal("the test was stopped")
	}
}
