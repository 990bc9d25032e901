package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/memstore"
)

const (
	waitLong = 20 * time.Second
	tick     = 10 * time.Millisecond
)

func TestTheAuditTellsWhoDidWhat(t *testing.T) {
	a := newAdmin(t, setup{})
	require.JSONEq(t, "[]", string(a.get("/api/audit").body))
	a.call(http.MethodPost, on("orders:GET:/a", "maintenance"), `{"reason":"db"}`, "X-Waygate-Actor", "bob", "X-Waygate-Platform", "cli").is(200)
	a.post("/api/global/enable", `{"reason":"all"}`).is(200)
	a.do("orders:GET:/a", "enable", "")
	list := a.audit("")
	require.Len(t, list, 3)
	require.Equal(t, []string{"enable", "global_maintenance_on", "maintenance_on"}, []string{list[0].Action, list[1].Action, list[2].Action})
	e := list[2]
	require.NoError(t, uuid.Validate(e.ID))
	require.Equal(t, "orders:GET:/a", e.Path)
	require.Equal(t, "orders", *e.Service)
	require.Equal(t, "bob", e.Actor)
	require.Equal(t, "cli", e.Platform)
	require.Equal(t, "db", e.Reason)
	require.Equal(t, "active", *e.PreviousStatus)
	require.Equal(t, "maintenance", *e.NewStatus)
	require.WithinDuration(t, time.Now(), e.Timestamp, time.Minute)
	require.Equal(t, "__global__", list[1].Path)
	require.Nil(t, list[1].Service)
	require.Equal(t, list, a.audit(""), "ids do not change")
}

func TestAuditFilters(t *testing.T) {
	a := newAdmin(t, setup{})
	for _, key := range []string{"GET:/a", "POST:/a", "GET:/users/{id}", "orders:GET:/a"} {
		a.do(key, "disable", "")
	}
	a.turn("/api/services/orders/maintenance/enable", "")
	a.turn("/api/global/enable", "")
	tests := []struct {
		name, query string
		want        []string
	}{
		{"a key", "?route=GET:/a", []string{"GET:/a"}},
		{"a key, escaped", "?route=GET%3A%2Fa", []string{"GET:/a"}},
		{"a key under another name of its parameter", "?route=GET:/users/{uid}", []string{"GET:/users/{id}"}},
		{"a path stands for its methods", "?route=/a", []string{"POST:/a", "GET:/a"}},
		{"every method was meant", "?route=ANY:/a", []string{}},
		{"a key of a service", "?route=orders:GET:/a", []string{"orders:GET:/a"}},
		{"a sentinel", "?route=__global__", []string{"__global__"}},
		{"a service", "?service=orders", []string{"__waygate:svc_global:orders__", "orders:GET:/a"}},
		{"a limit", "?limit=2", []string{"__global__", "__waygate:svc_global:orders__"}},
		{"a limit of any size", "?limit=99999999999999999999", []string{"__global__", "__waygate:svc_global:orders__", "orders:GET:/a", "GET:/users/{id}", "POST:/a", "GET:/a"}},
		{"of the last week", "?from=7d&limit=1", []string{"__global__"}},
		{"until an hour ago", "?to=1h", []string{}},
		{"nothing", "?limit=0", []string{}},
		{"nobody", "?route=GET:/nobody", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			paths := []string{}
			for _, e := range a.in(t).audit(tt.query) {
				paths = append(paths, e.Path)
			}
			require.Equal(t, tt.want, paths)
		})
	}
	a.get("/api/audit?limit=many").problem(http.StatusBadRequest)
	a.get("/api/audit?limit=nan").problem(http.StatusBadRequest)
	a.get("/api/audit?limit=-1").problem(http.StatusBadRequest)
	a.get("/api/audit?limit=NaN").problem(http.StatusBadRequest)
	a.get("/api/audit?route=users").problem(http.StatusBadRequest)
}

func TestTheAuditIsReadInPages(t *testing.T) {
	a := newAdmin(t, setup{})
	for i := range 7 {
		a.do(fmt.Sprintf("GET:/r%d", i), "disable", "")
	}
	var all []string
	query := "?limit=3"
	for range 5 {
		r := a.get("/api/audit" + query)
		var list []wire.AuditEntry
		r.into(&list)
		for _, e := range list {
			all = append(all, e.Path)
		}
		next := r.header.Get(wire.NextHeader)
		if next == "" {
			break
		}
		query = "?limit=3&before=" + next
	}
	require.Equal(t, []string{"GET:/r6", "GET:/r5", "GET:/r4", "GET:/r3", "GET:/r2", "GET:/r1", "GET:/r0"}, all)
}

func TestWhatServicesDeclareIsNotAudited(t *testing.T) {
	store := memstore.New()
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	a := newAdmin(t, setup{store: store})
	pulse, err := store.Pulse(t.Context())
	require.NoError(t, err)
	doc, err := store.Load(t.Context())
	require.NoError(t, err)
	change, _, err := state.Execute(doc, state.Author{Actor: "orders", Platform: state.PlatformSDK, At: pulse.Now},
		state.Command{Verb: state.VerbRegister, Target: state.Target{Key: state.Key{Service: "orders", Method: "GET", Path: "/a"}}})
	require.NoError(t, err)
	_, err = store.Commit(t.Context(), pulse.Meta, change)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return a.route("orders:GET:/a").Known }, waitLong, tick)
	require.Empty(t, a.audit(""))
}

func TestTheAuditGoesAsFarBackAsTheLog(t *testing.T) {
	store := memstore.Open(memstore.Options{Keep: 600})
	require.NoError(t, store.Seed(t.Context(), state.Meta{}, state.Genesis(1), nil))
	fill := func(n int) {
		for i := range n {
			pulse, err := store.Pulse(t.Context())
			require.NoError(t, err)
			_, err = store.Commit(t.Context(), pulse.Meta, state.Change{Entry: state.Entry{
				Kind: state.KindChange, At: pulse.Now, Actor: "x", Platform: state.PlatformCLI,
				Records: []state.Record{{Action: state.ActionEnable, Path: fmt.Sprintf("GET:/%d", i)}},
			}})
			require.NoError(t, err)
		}
	}
	fill(2000)
	a := newAdmin(t, setup{store: store}) // it did not see those
	fill(50)
	require.Eventually(t, func() bool { return len(a.audit("?limit=1")) == 1 && a.audit("?limit=1")[0].Revision == 2050 }, waitLong, tick)
	list := a.audit("?limit=5000")
	require.GreaterOrEqual(t, len(list), 600)
	require.Equal(t, uint64(2050), list[0].Revision)
	require.True(t, slices.IsSortedFunc(list, func(x, y wire.AuditEntry) int { return int(y.Revision) - int(x.Revision) }))
	require.Equal(t, uint64(len(list)), list[0].Revision-list[len(list)-1].Revision+1, "without gaps")
}
