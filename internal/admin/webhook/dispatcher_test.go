package webhook_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestEachEventIsDeliveredOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		s.block(t, "GET:/a", "0")
		d, _ := s.admin(t, "x")
		s.admin(t, "y")
		s.admin(t, "z")
		for i := 1; i <= 300; i++ {
			s.block(t, fmt.Sprintf("GET:/%c", 'a'+i%7), fmt.Sprint(i))
		}
		d.Moved()
		time.Sleep(5 * time.Second)
		got := s.receiver.taken()
		require.Len(t, got, 301, "also what happened before anybody looked")
		last := map[string]int{}
		ids := map[string]bool{}
		for _, one := range got {
			var n int
			_, err := fmt.Sscan(reasons(t, []delivery{one}, one.Path)[0], &n)
			require.NoError(t, err)
			require.True(t, n == 0 || n > last[one.Path], "%s: %d after %d", one.Path, n, last[one.Path])
			last[one.Path] = n
			require.False(t, ids[one.ID])
			ids[one.ID] = true
			require.Contains(t, string(one.Body), `"state":{"path":"GET:/`)
		}
		require.Zero(t, d.Pending())
	})
}

func TestARouteThatIsRetriedKeepsItsOrderAndHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		begin := time.Now()
		s.receiver.answer = func(_ int, d delivery) *http.Response {
			if d.Path == "GET:/slow" && time.Since(begin) < time.Hour {
				return status(503)
			}
			return status(204)
		}
		d, _ := s.admin(t, "x")
		for i := range 5 {
			s.block(t, "GET:/slow", fmt.Sprint(i))
			s.block(t, "GET:/fast", fmt.Sprint(i))
		}
		d.Moved()
		time.Sleep(5 * time.Second)
		require.Equal(t, []string{"0", "1", "2", "3", "4"}, reasons(t, s.receiver.taken(), "GET:/fast"))
		require.Empty(t, reasons(t, s.receiver.taken(), "GET:/slow"))
		require.Equal(t, 5, d.Pending())
		require.GreaterOrEqual(t, d.OldestPending(), 4*time.Second)
		time.Sleep(4 * time.Hour)
		require.Equal(t, []string{"0", "1", "2", "3", "4"}, reasons(t, s.receiver.taken(), "GET:/slow"))
		// Tries at 0 s, 5 s, 5 m, 30 m and 2 h after each other, each up to a fifth later.
		var tries []time.Duration
		id := s.receiver.taken()[len(s.receiver.taken())-5].ID
		for _, one := range s.receiver.all() {
			if one.ID == id {
				tries = append(tries, one.At.Sub(begin))
			}
		}
		require.Len(t, tries, 5)
		for i, wait := range []time.Duration{5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour} {
			got := tries[i+1] - tries[i]
			require.GreaterOrEqual(t, got, wait)
			require.LessOrEqual(t, got, wait*6/5+time.Second)
		}
	})
}

func TestAReceiverCanAskForMoreTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		s.receiver.answer = func(n int, _ delivery) *http.Response {
			if n == 1 {
				return status(429, "Retry-After", "90")
			}
			if n == 2 {
				return status(429, "Retry-After", "99999999999999999999")
			}
			return status(200)
		}
		s.block(t, "GET:/a", "x")
		s.admin(t, "x")
		time.Sleep(80 * time.Second)
		require.Len(t, s.receiver.all(), 1)
		time.Sleep(20 * time.Second)
		require.Len(t, s.receiver.all(), 2)
		time.Sleep(55 * time.Minute)
		require.Len(t, s.receiver.all(), 2)
		time.Sleep(10 * time.Minute)
		require.Len(t, s.receiver.taken(), 1, "an hour is the most")
	})
}

func TestWhatIsNotTakenDiesAndCanBeReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		working := false
		s.receiver.answer = func(int, delivery) *http.Response {
			if !working {
				return status(500)
			}
			return status(200)
		}
		s.block(t, "GET:/a", "1")
		s.block(t, "GET:/a", "2")
		d, _ := s.admin(t, "x", func(c *webhook.Config) { c.Pace = 60 })
		time.Sleep(2 * time.Hour)
		require.Len(t, s.receiver.all(), 16)
		dead, err := d.Dead(t.Context(), "one")
		require.NoError(t, err)
		require.Len(t, dead, 2)
		require.Equal(t, "1", dead[0].Event.Reason)
		require.Equal(t, 8, dead[0].Tries)
		require.Equal(t, "it answered 500", dead[0].Why)
		require.Equal(t, uint64(2), d.Died())
		require.Equal(t, 2, d.DeadLetters())

		attempts, err := d.Replay(t.Context(), one())
		require.NoError(t, err)
		require.Len(t, attempts, 1, "it stops at the first that fails")
		working = true
		_, err = d.Replay(t.Context(), one(), "nobody")
		require.ErrorIs(t, err, state.ErrNotFound)
		attempts, err = d.Replay(t.Context(), one())
		require.NoError(t, err)
		require.Len(t, attempts, 2)
		require.Equal(t, []string{"1", "2"}, reasons(t, s.receiver.taken(), "GET:/a"))
		require.Equal(t, dead[0].Event.ID, s.receiver.taken()[0].ID, "the id is the same")
		dead, err = d.Dead(t.Context(), "one")
		require.NoError(t, err)
		require.Empty(t, dead)
	})
}

func TestGoneDisablesTheEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		s.receiver.answer = func(int, delivery) *http.Response { return status(410) }
		s.block(t, "GET:/a", "1")
		s.block(t, "GET:/a", "2")
		d, _ := s.admin(t, "x")
		time.Sleep(time.Minute)
		require.Len(t, s.receiver.all(), 1)
		all, err := s.endpoints.Endpoints(t.Context())
		require.NoError(t, err)
		require.True(t, all[0].Disabled)
		require.Contains(t, all[0].Why, "410")
		dead, err := d.Dead(t.Context(), "one")
		require.NoError(t, err)
		require.Len(t, dead, 2, "nothing is lost in silence")

		// What happens while it is disabled is not kept for it; enabled again it hears what comes.
		s.block(t, "GET:/a", "3")
		time.Sleep(time.Minute)
		s.receiver.answer = nil
		s.endpoints.set(one())
		time.Sleep(time.Minute)
		s.block(t, "GET:/a", "4")
		time.Sleep(time.Minute)
		require.Equal(t, []string{"4"}, reasons(t, s.receiver.taken(), "GET:/a"))
	})
}

// A commit can hold thousands of records: what waits stays within its bound all the same.
func TestWhatWaitsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		s.receiver.answer = func(int, delivery) *http.Response { return status(503) }
		for i := range 13 {
			c := statetest.Block(t, "GET:/a", fmt.Sprint(i))
			for j := range 999 {
				r := c.Records[0]
				r.Path = fmt.Sprintf("GET:/%d/%d", i, j)
				c.Records = append(c.Records, r)
			}
			statetest.Commit(t, s.store, c)
		}
		d, _ := s.admin(t, "x")
		time.Sleep(4 * time.Minute)
		require.InDelta(t, 10_000, d.Pending(), 1001)
	})
}

// A clock that was wrong for a while keeps nothing waiting for longer than a pause lasts.
func TestATryIsDueWithinThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		at, err := s.store.Pulse(t.Context())
		require.NoError(t, err)
		next := time.Now().AddDate(30, 0, 0).Format(time.RFC3339)
		require.NoError(t, s.store.WriteDesk(t.Context(), state.Lease{Desk: "webhook.one"}, map[string][]byte{
			"c":     fmt.Appendf(nil, `{"epoch":%q,"rev":%d}`, at.Epoch, at.Rev),
			"e:msg": []byte(`{"event":{"id":"msg","event":"disable","path":"GET:/a","reason":"r","at":"2000-01-01T00:00:00Z"},"order":1,"tries":1,"next":"` + next + `"}`),
		}))
		s.admin(t, "x")
		time.Sleep(2 * time.Hour)
		require.Equal(t, []string{"r"}, reasons(t, s.receiver.taken(), "GET:/a"))
	})
}

// One admin after the other stops in order: each event arrives once.
func TestAnotherAdminGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, one())
		fails := 0
		s.receiver.answer = func(int, delivery) *http.Response {
			if fails++; fails%3 == 0 {
				return status(503)
			}
			return status(200)
		}
		for i := range 200 {
			_, stop := s.admin(t, fmt.Sprint("admin-", i))
			s.block(t, fmt.Sprintf("GET:/%c", 'a'+i%3), fmt.Sprint(i))
			time.Sleep(300 * time.Millisecond)
			stop()
		}
		s.admin(t, "last")
		time.Sleep(4 * time.Hour)
		require.Len(t, s.receiver.taken(), 200)
	})
}

func TestAStoreThatLostEverythingIsGivenBackWhatWasPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := memstore.New()
		t.Cleanup(first.Close)
		flaky := statetest.NewFlaky(first)
		s := newStage(t, one())
		s.store = flaky
		base := statetest.Seeded(t, flaky)
		begin := time.Now()
		s.receiver.answer = func(int, delivery) *http.Response {
			if time.Since(begin) < time.Minute {
				return status(503)
			}
			return status(200)
		}
		s.block(t, "GET:/a", "before")
		_, stop := s.admin(t, "x")
		_, stopOther := s.admin(t, "other")
		time.Sleep(20 * time.Second) // the next try is minutes away

		second := memstore.New()
		t.Cleanup(second.Close)
		doc := statetest.Document(t, state.Meta{Epoch: "NEXT", Gen: base.Gen + 1, Rev: 1000}, "GET:/a")
		require.NoError(t, second.Seed(t.Context(), state.Meta{}, doc, nil))
		flaky.Exchange(second)
		s.block(t, "GET:/a", "after")
		time.Sleep(5 * time.Second)
		stop() // whoever goes on has it from the store alone
		stopOther()
		s.admin(t, "y")
		time.Sleep(time.Hour)
		require.Equal(t, []string{"before", "after"}, reasons(t, s.receiver.taken(), "GET:/a"))
		require.True(t, strings.HasPrefix(s.receiver.taken()[1].ID, "msg_NEXT.1001.0.one"))
	})
}

func TestAStoreThatIsAwayLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := memstore.New()
		t.Cleanup(store.Close)
		flaky := statetest.NewFlaky(store)
		s := newStage(t, one())
		s.store = flaky
		statetest.Seeded(t, flaky)
		s.admin(t, "x")
		s.admin(t, "y")
		for i := range 100 {
			s.block(t, "GET:/a", fmt.Sprint(i))
			time.Sleep(40 * time.Millisecond)
			flaky.Cut()
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			flaky.Heal()
		}
		time.Sleep(time.Minute)
		seen := map[string]bool{}
		for _, one := range s.receiver.taken() {
			seen[one.ID] = true
		}
		require.Len(t, seen, 100)
	})
}

func TestTestRedeliverAndTheDeliveryLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := one()
		s := newStage(t, e)
		d, _ := s.admin(t, "x")
		attempts, err := d.Test(t.Context(), e)
		require.NoError(t, err)
		require.Len(t, attempts, len(webhook.Actions()))
		require.Len(t, s.receiver.taken(), len(attempts))

		time.Sleep(time.Second)
		s.block(t, "GET:/a", "real")
		time.Sleep(3 * time.Second)
		logged, err := d.Deliveries(t.Context(), "one")
		require.NoError(t, err)
		require.Len(t, logged, len(attempts)+1)
		first := logged[0]
		require.Equal(t, "real", first.Event.Reason)
		require.Equal(t, webhook.OutcomeDelivered, first.Outcome)
		require.Equal(t, "schedule", first.Why)
		require.Equal(t, 200, first.Response.Status)
		require.Equal(t, "said", first.Response.Body)
		require.NotContains(t, fmt.Sprint(first.Request.Headers), "v1,")
		require.Contains(t, first.Request.Body, `"reason":"real"`)

		again, err := d.Redeliver(t.Context(), e, first.ID)
		require.NoError(t, err)
		require.Equal(t, first.Event.ID, again[0].Event.ID)
		_, err = d.Redeliver(t.Context(), e, "nothing")
		require.ErrorIs(t, err, state.ErrNotFound)
		for range 30 {
			_, err := d.Test(t.Context(), e)
			require.NoError(t, err)
		}
		logged, err = d.Deliveries(t.Context(), "one")
		require.NoError(t, err)
		require.Len(t, logged, 200)
		require.NoError(t, d.Forget(t.Context(), "one"))
		logged, err = d.Deliveries(t.Context(), "one")
		require.NoError(t, err)
		require.Empty(t, logged)
	})
}

// A sample that ends an incident does not overtake the one that opens it: a test would page somebody for good.
func TestSamplesOfARouteAreSentInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := one()
		s := newStage(t, e)
		s.receiver.answer = func(n int, _ delivery) *http.Response {
			time.Sleep(time.Duration(n*7%5) * 100 * time.Millisecond)
			return status(200)
		}
		d, _ := s.admin(t, "x")
		attempts, err := d.Test(t.Context(), e)
		require.NoError(t, err)
		last := map[string]int{}
		for _, got := range s.receiver.taken() {
			at := slices.IndexFunc(attempts, func(a webhook.Attempt) bool { return a.Event.ID == got.ID })
			require.GreaterOrEqual(t, at, last[got.Path], "%s of %s", got.Event, got.Path)
			last[got.Path] = at
		}
		require.Len(t, last, 3)
	})
}

func TestOnlyWhatTheFilterPassesIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := one()
		e.Filter = webhook.Filter{Routes: []string{"GET:/v1/pay"}}
		s := newStage(t, e)
		s.admin(t, "x")
		s.block(t, "GET:/v1/pay", "it")
		s.block(t, "/v1/**", "a set around it")
		s.block(t, "GET:/v1/other", "another")
		statetest.Commit(t, s.store, statetest.Secret(map[string][]byte{"x": {1}}))
		time.Sleep(5 * time.Second)
		require.Len(t, s.receiver.all(), 2)
	})
}

func TestARequestThatFailsIsToldWithoutTheSecretURL(t *testing.T) {
	e := one()
	e.Format = webhook.FormatSlack
	s := newStage(t)
	d := webhook.New(webhook.Config{Log: s.store, Desk: s.store, Endpoints: s.endpoints, Owner: "x"})
	d.Through(failing{})
	attempts, err := d.Test(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, webhook.OutcomeFailed, attempts[0].Outcome)
	require.Contains(t, attempts[0].Error, "no route")
	require.NotContains(t, attempts[0].Error, "/x")

	// Whichever way it is spelled.
	for _, spelled := range []string{"HTTPS://hooks.example.com/top secret", "https://hooks.example.com/top|secret"} {
		e.URL = spelled
		attempts, err = d.Test(t.Context(), e)
		require.NoError(t, err)
		require.Contains(t, attempts[0].Error, "no route")
		require.NotContains(t, attempts[0].Error, "secret")
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("no route") }
