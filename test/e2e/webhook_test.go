package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/parts"
)

// Webhooks arrive, in order and signed, whoever is killed.
func TestWebhooks(t *testing.T) { testWebhooks(t, 3_000, 10, 500*time.Millisecond, 10_000) }

// admins are several on one Redis.
type admins struct {
	t    *testing.T
	set  []string
	args []string

	mu  sync.Mutex
	all []*parts.Waygate
	url []string
}

func newAdmins(t *testing.T, n, pace int, r *receiver, redis *parts.RedisServer) *admins {
	t.Helper()
	file := filepath.Join(t.TempDir(), "webhooks.yaml")
	require.NoError(t, os.WriteFile(file, []byte(r.file()), 0o600))
	a := &admins{t: t, set: []string{
		"WAYGATE_BACKEND=redis", "WAYGATE_REDIS_URL=" + redis.URL(), "WAYGATE_WEBHOOKS_FILE=" + file,
		fmt.Sprintf("WAYGATE_WEBHOOK_PACE=%d", pace), "WAYGATE_WEBHOOK_TIMEOUT=300ms", "WAYGATE_LOG_LEVEL=warn",
	}, args: []string{"--listen", "127.0.0.1:0"}}
	for range n {
		w := parts.StartWaygate(t, parts.AdminProgram, a.set, a.args...)
		a.all, a.url = append(a.all, w), append(a.url, w.URL())
	}
	return a
}

// replace kills one and starts another in its place.
func (a *admins) replace(i int) {
	a.t.Helper()
	a.all[i].Kill()
	w := parts.StartWaygate(a.t, parts.AdminProgram, a.set, a.args...)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all[i], a.url[i] = w, w.URL()
}

func (a *admins) any() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.url[rand.IntN(len(a.url))]
}

// commit makes changes as one commit, through whichever admin answers.
func (a *admins) commit(ctx context.Context, id string, changes []map[string]string) error {
	body, err := json.Marshal(map[string]any{"changes": changes})
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	for ctx.Err() == nil {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.any()+"/api/changes", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Idempotency-Key", id)
		answer, err := client.Do(req)
		if err != nil {
			continue // it was killed; another one answers
		}
		_ = answer.Body.Close()
		switch answer.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusServiceUnavailable, http.StatusConflict, http.StatusTooManyRequests:
		default:
			return fmt.Errorf("a change was answered with %d", answer.StatusCode)
		}
	}
	return ctx.Err()
}

const (
	hookRoutes = 200
	hookBatch  = 20
)

// produce makes n events, evenly over about the time given, and tells how many there are of each route.
func (a *admins) produce(ctx context.Context, n int, over time.Duration) (map[string]int, error) {
	routes := map[string]int{}
	tick := time.NewTicker(max(over/time.Duration(n/hookBatch), time.Millisecond))
	defer tick.Stop()
	for made := 0; made < n; made += hookBatch {
		var changes []map[string]string
		for i := range hookBatch {
			path := fmt.Sprintf("GET:/r/%d", (made+i)%hookRoutes)
			routes[path]++
			changes = append(changes, map[string]string{"action": "maintenance", "path": path, "reason": fmt.Sprint(routes[path])})
		}
		if err := a.commit(ctx, fmt.Sprint("batch-", made), changes); err != nil {
			return routes, err
		}
		<-tick.C
	}
	return routes, nil
}

// testWebhooks makes n deliveries from three admins to a receiver that fails, and kills admins meanwhile, one in about each
// beat. Pace divides the pauses between tries.
func testWebhooks(t *testing.T, n, kills int, beat time.Duration, pace int) {
	t.Helper()
	redis := parts.Redis(t)
	r := newReceiver(t)
	a := newAdmins(t, 3, pace, r, redis)
	// An endpoint of a file begins when an admin first sees it: what happens before is not for it.
	warm := 0
	for r.seen() == 0 {
		warm++
		require.NoError(t, a.commit(t.Context(), fmt.Sprint("warm-", warm), []map[string]string{{"action": "maintenance", "path": "GET:/warm", "reason": fmt.Sprint(warm)}}))
		pause(t, 100*time.Millisecond)
	}
	pause(t, time.Second)
	r.begin()

	type made struct {
		routes map[string]int
		err    error
	}
	done := make(chan made, 1)
	began := time.Now()
	go func() {
		routes, err := a.produce(t.Context(), n, time.Duration(kills)*beat)
		done <- made{routes, err}
	}()
	for range kills {
		pause(t, rand.N(beat))
		a.replace(rand.IntN(len(a.all)))
	}
	m := <-done
	require.NoError(t, m.err)
	limit := time.Now().Add(3 * time.Minute)
	for r.seen() < n {
		require.True(t, time.Now().Before(limit), "only %d of %d events arrived", r.seen(), n)
		pause(t, 20*time.Millisecond)
	}
	t.Logf("%d events and %d kills in %v", n, kills, time.Since(began).Round(time.Second))
	pause(t, time.Second) // what is repeated, is repeated by now
	r.requireAll(t, m.routes, kills*webhook.InFlight)
}
