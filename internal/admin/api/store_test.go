package api_test

import (
	"net/http"
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
