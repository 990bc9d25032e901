package api_test

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
	"github.com/waygate/waygate/internal/state/statetest"
)

func newFlaky(t *testing.T) *statetest.Flaky {
	t.Helper()
	store := memstore.New()
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	return statetest.NewFlaky(store)
}

func TestWhileTheStoreIsAwayReadsWorkAndChangesAre503(t *testing.T) {
	tests := []struct {
		name string
		harm func(*statetest.Flaky)
	}{
		{"cut off", (*statetest.Flaky).Cut},
		{"silent", (*statetest.Flaky).Silence},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			store := newFlaky(t)
			a := newAdmin(t, setup{store: store, password: "sesame"})
			a.do("GET:/a", "disable", "")
			tt.harm(store)
			require.Equal(t, "disabled", a.route("GET:/a").Status)
			a.get("/api/global").is(http.StatusOK)
			a.get("/api/services/orders/maintenance").is(http.StatusOK)
			a.get("/api/auth/me").is(http.StatusOK)
			require.Len(t, a.audit(""), 1, "what is in memory can be read")
			a.post("/api/auth/login", `{"username":"alice","password":"sesame"}`).is(http.StatusOK)
			for _, change := range [][2]string{
				{http.MethodPost, on("GET:/a", "enable")}, {http.MethodPost, "/api/global/enable"}, {http.MethodPost, "/api/auth/logout"},
			} {
				began := time.Now()
				r := a.call(change[0], change[1], "")
				r.problem(http.StatusServiceUnavailable)
				require.NotEmpty(t, r.header.Get("Retry-After"))
				require.Less(t, time.Since(began), waitLong)
			}
			store.Heal()
			require.Eventually(t, func() bool { return a.post(on("GET:/a", "enable"), "").status == http.StatusOK }, waitLong, 50*time.Millisecond)
		})
	}
}

// The doctor is asked when something hangs: it must not, whoever else waits for the store, and blames that alone.
func TestTheDoctorAnswersWhileTheStoreIsSilent(t *testing.T) {
	store := newFlaky(t)
	a := newAdmin(t, setup{store: store})
	a.post("/api/webhooks", receiver).is(http.StatusOK)
	a.get("/api/webhooks")
	store.Silence()
	a.endpoints.Changed()
	var waiting sync.WaitGroup
	defer waiting.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	waiting.Go(func() { // as the dispatcher does, with no deadline of its own
		_, _ = a.endpoints.Endpoints(ctx)
	})
	began := time.Now()
	var webhooks []wire.Webhook
	a.get("/api/webhooks").into(&webhooks)
	require.Len(t, webhooks, 1, "what was last seen")
	require.Less(t, time.Since(began), waitLong)
	began = time.Now()
	var d wire.Doctor
	a.get("/api/doctor").into(&d)
	require.Less(t, time.Since(began), waitLong)
	require.False(t, d.Reachable)
	var failed []string
	for _, f := range d.Findings {
		require.NotContains(t, f.Message, "nothing is enforced")
		if f.Level == "fail" {
			failed = append(failed, f.Subject)
		}
	}
	require.Equal(t, []string{"store", "fleet"}, failed)
}

func TestALostAnswerIsAskedForAgain(t *testing.T) {
	for _, retry := range []string{"", "k1"} {
		store := newFlaky(t)
		a := newAdmin(t, setup{store: store})
		store.LoseAnswers(2)
		var r wire.ChangedRoute
		a.call(http.MethodPost, on("GET:/a", "disable"), "", "Idempotency-Key", retry).into(&r)
		require.True(t, r.Changed)
		require.False(t, r.Duplicate)
		require.Equal(t, uint64(1), r.Revision)
		require.Len(t, a.audit(""), 1)
	}
}

func TestAnOutcomeThatStaysUnknownIsSaidToBe(t *testing.T) {
	store := newFlaky(t)
	a := newAdmin(t, setup{store: store})
	store.LoseAnswers(1_000_000)
	began := time.Now()
	p := a.call(http.MethodPost, on("GET:/a", "disable"), "", "Idempotency-Key", "k1").problem(http.StatusGatewayTimeout)
	require.Equal(t, wire.ProblemOutcome, p.Type)
	require.Less(t, time.Since(began), waitLong)
	store.Heal()
	store.LoseAnswers(0)
	again := a.call(http.MethodPost, on("GET:/a", "disable"), "", "Idempotency-Key", "k1").is(http.StatusOK)
	require.Equal(t, true, again["duplicate"])
	require.Len(t, a.audit(""), 1)
}

func TestAViewThatLagsIsNotWhatIsChanged(t *testing.T) {
	store := newFlaky(t)
	one, two := newAdmin(t, setup{store: store}), newAdmin(t, setup{store: store.Behind()})
	store.Deafen() // the first hears of nothing, but can ask and commit
	two.do("GET:/a", "disable", "")
	one.do("GET:/b", "disable", "")
	for _, key := range []string{"GET:/a", "GET:/b"} {
		require.Eventually(t, func() bool { return two.route(key).Status == "disabled" }, waitLong, tick, key)
	}
}
