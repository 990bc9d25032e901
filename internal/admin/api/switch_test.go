package api_test

import (
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

func (a *adminServer) turn(path, body string) wire.ChangedSwitch {
	a.t.Helper()
	var s wire.ChangedSwitch
	a.post(path, body).into(&s)
	return s
}

func (a *adminServer) global() wire.Switch {
	a.t.Helper()
	var s wire.Switch
	a.get("/api/global").into(&s)
	return s
}

func TestTheGlobalSwitch(t *testing.T) {
	a := newAdmin(t, setup{})
	members := a.get("/api/global").is(http.StatusOK)
	require.Equal(t, false, members["enabled"])
	require.Empty(t, members["reason"])
	require.Equal(t, []any{}, members["exempt_paths"])
	require.Equal(t, false, members["include_force_active"])

	on := a.turn("/api/global/enable", `{"reason":"deploy","exempt_paths":["/health","GET:/readiness"],"include_force_active":true}`)
	require.True(t, on.Enabled)
	require.Equal(t, "deploy", on.Reason)
	require.Equal(t, []string{"/health", "GET:/readiness"}, on.ExemptPaths)
	require.True(t, on.IncludeForceActive)
	require.Equal(t, uint64(1), on.Revision)
	require.Equal(t, on.Switch, a.global())

	require.Equal(t, []string{"/other"}, a.turn("/api/global/enable", `{"exempt_paths":["/other"]}`).ExemptPaths, "it replaces")
	off := a.turn("/api/global/disable", "")
	require.False(t, off.Enabled)
	require.Empty(t, off.ExemptPaths)
	before := off.Revision
	require.False(t, a.turn("/api/global/disable", `{}`).Changed)
	require.Equal(t, before, a.global().Revision, "while it is off it changes nothing")
}

func TestExemptionsAreStagedWhileItIsOff(t *testing.T) {
	a := newAdmin(t, setup{})
	staged := a.turn("/api/global/exempt", `{"add":["/health"]}`)
	require.False(t, staged.Enabled, "it switches nothing on")
	require.Equal(t, []string{"/health"}, staged.ExemptPaths)
	require.Equal(t, []string{"/health"}, a.turn("/api/global/enable", `{"exempt_paths":[]}`).ExemptPaths)
	require.Equal(t, []string{"/health", "/b"}, a.turn("/api/global/exempt", `{"add":["/b"]}`).ExemptPaths)
	require.Equal(t, []string{"/b"}, a.turn("/api/global/exempt", `{"remove":["/health"]}`).ExemptPaths)
}

func TestASwitchWithAnEnd(t *testing.T) {
	a := newAdmin(t, setup{})
	require.NotNil(t, a.turn("/api/global/enable", `{"until":"2h"}`).Until)
	a.turn("/api/global/disable", "")
	a.turn("/api/global/enable", `{"reason":"standing"}`)
	both := a.turn("/api/global/enable", `{"until":"2h"}`)
	require.True(t, both.Enabled)
	require.Nil(t, both.Until, "the standing part stays")
	for _, body := range []string{`{"until":"2020-01-01T00:00Z"}`, `{"until":"soon"}`, `{"exempt_paths":["health"]}`, `{"exempt_paths":[""]}`, `{"exempt":["/a"]}`} {
		a.post("/api/global/enable", body).problem(http.StatusBadRequest)
	}
	a.post("/api/global/disable", `{"until":"2h"}`).problem(http.StatusBadRequest)
}

func TestServiceSwitches(t *testing.T) {
	a := newAdmin(t, setup{})
	a.call(http.MethodPut, "/api/instances/gw-1", `{"boot":"b"}`).is(http.StatusOK)
	a.call(http.MethodPut, "/api/instances/gw-2", `{"boot":"b","service":"shipping"}`).is(http.StatusOK)
	on := a.turn("/api/services/orders/maintenance/enable", `{"reason":"db"}`)
	require.Equal(t, "orders", on.Service)
	require.False(t, *on.Known, "nobody had named it before")
	require.Equal(t, []string{"gw-1"}, on.Unscoped)
	var s wire.Switch
	a.get("/api/services/orders/maintenance").into(&s)
	require.True(t, s.Enabled)
	require.True(t, *s.Known)
	a.get("/api/services/shipping/maintenance").into(&s)
	require.True(t, *s.Known, "an instance names it")
	a.get("/api/services/nobody/maintenance").into(&s)
	require.False(t, *s.Known)
	require.JSONEq(t, `[]`, string(newAdmin(t, setup{}).get("/api/services").body), "no services are none, and not null")
	require.JSONEq(t, `["orders","shipping"]`, string(a.get("/api/services").body))
	require.Equal(t, "__waygate:svc_global:orders__", a.audit("?service=orders")[0].Path)
	for _, name := range []string{"Orders", "get", "any", "a%20b", "%2F"} {
		a.post("/api/services/"+name+"/maintenance/enable", "").problem(http.StatusBadRequest)
		a.get("/api/services/" + name + "/maintenance").problem(http.StatusBadRequest)
	}
}

func TestSomebodyElsesSwitchIsTold(t *testing.T) {
	a := newAdmin(t, setup{})
	a.call(http.MethodPost, "/api/global/enable", `{"reason":"mine"}`, "X-Waygate-Actor", "bob").is(http.StatusOK)
	var s wire.ChangedSwitch
	a.call(http.MethodPost, "/api/global/disable", "", "X-Waygate-Actor", "alice").into(&s)
	require.Equal(t, "bob", s.Replaced.Actor)
	require.Equal(t, "mine", s.Replaced.Reason)
}

func TestSeveralChangesAreOneCommit(t *testing.T) {
	a := newAdmin(t, setup{})
	var done wire.ChangesAnswer
	a.post("/api/changes", `{"changes":[
		{"action":"disable","path":"GET:/a","reason":"x"},
		{"action":"maintenance","path":"POST:/b","until":"2h"},
		{"action":"enable","path":"__global__","exempt_paths":["/health"]},
		{"action":"enable","path":"__waygate:svc_global:orders__"}]}`).into(&done)
	require.Equal(t, uint64(1), done.Revision)
	require.Len(t, done.Results, 4)
	require.Equal(t, "disabled", done.Results[0].Route.Status)
	require.Equal(t, "maintenance", done.Results[1].Route.Status)
	require.Equal(t, []string{"/health"}, done.Results[2].Switch.ExemptPaths)
	require.Equal(t, "orders", done.Results[3].Switch.Service)
	require.Len(t, a.audit(""), 4)

	tests := []struct{ name, body string }{
		{"none", `{"changes":[]}`},
		{"no list", `{}`},
		{"an unknown action", `{"changes":[{"action":"disable","path":"GET:/c"},{"action":"explode","path":"/x"}]}`},
		{"a bad key", `{"changes":[{"action":"disable","path":"GET:/c"},{"action":"disable","path":"x"}]}`},
		{"a bad sentinel", `{"changes":[{"action":"disable","path":"__locals__"}]}`},
		{"a member the action does not take", `{"changes":[{"action":"disable","path":"GET:/c"},{"action":"disable","path":"GET:/d","start":"2h"}]}`},
		{"an action that a switch does not have", `{"changes":[{"action":"disable","path":"GET:/c"},{"action":"forget","path":"__global__"}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.in(t).post("/api/changes", tt.body).problem(http.StatusBadRequest)
			require.Equal(t, "active", a.in(t).route("GET:/c").Status, "all or nothing")
		})
	}
	p := a.post("/api/changes", `{"changes":[{"action":"disable","path":"GET:/c"},{"action":"forget","path":"GET:/a"}]}`).problem(http.StatusConflict)
	require.Contains(t, p.Message, "change 2 of 2")
}

func TestAnIdempotencyKeyMakesARetrySafe(t *testing.T) {
	a := newAdmin(t, setup{})
	first := a.call(http.MethodPost, on("GET:/a", "disable"), `{"until":"2h"}`, "Idempotency-Key", "k1").is(http.StatusOK)
	a.do("GET:/a", "enable", "")
	again := a.call(http.MethodPost, on("GET:/a", "disable"), `{"until":"2h"}`, "Idempotency-Key", "k1").is(http.StatusOK)
	require.Equal(t, true, again["duplicate"])
	require.Equal(t, first["revision"], again["revision"])
	require.Equal(t, "active", a.route("GET:/a").Status, "it is not done again")
	a.call(http.MethodPost, on("GET:/b", "disable"), `{"until":"2h"}`, "Idempotency-Key", "k1").problem(http.StatusUnprocessableEntity)
	a.call(http.MethodPost, on("GET:/a", "disable"), `{"until":"3h"}`, "Idempotency-Key", "k1").problem(http.StatusUnprocessableEntity)
	a.call(http.MethodPost, on("GET:/a", "disable"), `{"until":"2h"}`, "Idempotency-Key", "k2").is(http.StatusOK)
	require.Equal(t, "disabled", a.route("GET:/a").Status)
	a.call(http.MethodPost, on("GET:/a", "disable"), `{"until":"2h"}`, "Idempotency-Key", "k1", "X-Waygate-Actor", "somebody else").is(http.StatusOK)
	require.Len(t, a.audit("?route=GET:/a&limit=100"), 4, "two, the enable, and somebody else's")

	a.call(http.MethodDelete, on("GET:/a", "schedule"), "", "Idempotency-Key", "k3").is(http.StatusOK)
	var done wire.ChangesAnswer
	for range 2 {
		a.call(http.MethodPost, "/api/changes", `{"changes":[{"action":"protect","path":"GET:/p"}]}`, "Idempotency-Key", "k4").into(&done)
	}
	require.True(t, done.Duplicate)
	require.True(t, done.Results[0].Route.ForceActive)
}

func TestOneKeyUsedAtOnceIsDoneOnce(t *testing.T) {
	a := newAdmin(t, setup{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			a.call(http.MethodPost, on("GET:/a", "maintenance"), `{"until":"2h","reason":"x"}`, "Idempotency-Key", "same").is(http.StatusOK)
		})
	}
	wg.Wait()
	require.Len(t, a.audit(""), 1)
}

func TestTwoAdminsChangingAtOnceLoseNothing(t *testing.T) {
	store := memstore.New()
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	admins := []*adminServer{newAdmin(t, setup{store: store}), newAdmin(t, setup{store: store})}
	var wg sync.WaitGroup
	const each = 10
	for n, a := range admins {
		for w := range 3 {
			wg.Go(func() {
				for i := range each {
					key := "GET:/" + string(rune('a'+n)) + "/" + string(rune('a'+w)) + "/" + string(rune('a'+i))
					a.post(on(key, "disable"), "").is(http.StatusOK)
				}
			})
		}
	}
	wg.Wait()
	for _, a := range admins {
		var list []wire.Route
		require.Eventually(t, func() bool {
			a.get("/api/routes").into(&list)
			return len(list) == 2*3*each
		}, waitLong, tick)
		for _, r := range list {
			require.Equal(t, "disabled", r.Status, r.Path)
		}
		require.Len(t, a.audit("?limit=1000"), 2*3*each)
	}
}
