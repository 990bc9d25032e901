package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestExplain(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/payments", "maintenance", `{"reason":"db","until":"2h"}`)
	a.do("GET:/staging", "env", `{"envs":["staging"]}`)
	tests := []struct {
		name, query string
		refused     bool
		cause       string
		status      int
		path        string
	}{
		{"blocked", "method=GET&target=/payments", true, "maintenance", 503, "GET:/payments"},
		{"the method is GET by default", "target=/payments%3Fa%3D1", true, "maintenance", 503, "GET:/payments"},
		{"another method", "method=POST&target=/payments", false, "none", 0, ""},
		{"read in another way", "target=/x/..%2Fpayments", true, "maintenance", 503, "GET:/payments"},
		{"gated", "target=/staging&env=production", true, "env_gated", 403, "GET:/staging"},
		{"admitted", "target=/staging&env=staging", false, "none", 0, ""},
		{"unreadable", "target=/%2500", true, "unreadable", 400, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var e wire.Explanation
			a.in(t).get("/api/explain?" + tt.query).into(&e)
			require.Equal(t, tt.refused, e.Refused)
			require.Equal(t, tt.cause, e.Cause)
			require.Equal(t, tt.status, e.HTTPStatus)
			require.Equal(t, tt.path, e.Path)
		})
	}
	var e wire.Explanation
	a.post("/api/explain", `{"method":"GET","target":"/payments"}`).into(&e)
	require.Equal(t, "db", e.Reason)
	require.NotNil(t, e.RetryAt)
	a.get("/api/explain").problem(http.StatusBadRequest)
	a.post("/api/explain", "").problem(http.StatusBadRequest)
}

// told is a Waygate with something of everything.
func told(t *testing.T) *adminServer {
	t.Helper()
	a := newAdmin(t, setup{})
	a.do("GET:/users/me", "enable", "")
	a.do("GET:/users/{id}", "disable", `{"reason":"gone"}`)
	a.do("GET:/users/7", "enable", "")
	a.do("orders:GET:/a", "deprecate", `{"sunset":"2099-01-01","successor":"/v2","reason":"old"}`)
	a.do("orders:GET:/a", "schedule", fmt.Sprintf(`{"start":%q,"end":%q,"reason":"night"}`, ahead(time.Hour), ahead(2*time.Hour)))
	a.do("GET:/b", "maintenance", `{"until":"2h","reason":"now"}`)
	a.do("GET:/gated", "env", `{"envs":["staging","dev"]}`)
	a.do("GET:/health", "protect", "")
	a.turn("/api/global/enable", `{"reason":"all","exempt_paths":["/health"],"include_force_active":true}`)
	a.turn("/api/services/orders/maintenance/enable", `{"reason":"o","until":"3h"}`)
	a.turn("/api/services/shipping/maintenance/exempt", `{"add":["/x"]}`)
	return a
}

// essence is an export without what differs between two Waygates that say the same.
func essence(t *testing.T, a *adminServer) string {
	t.Helper()
	var c wire.Copy
	a.get("/api/export").into(&c)
	c.ExportedAt, c.Revision, c.Epoch = nil, 0, ""
	for i := range c.Routes {
		for j := range c.Routes[i].Windows {
			if c.Routes[i].Windows[j].Origin == "until" {
				c.Routes[i].Windows[j].Start = nil
			}
		}
	}
	for _, own := range c.Services {
		for i := range own.Windows {
			own.Windows[i].Start = nil
		}
	}
	text, err := json.MarshalIndent(c, "", "  ")
	require.NoError(t, err)
	return string(text)
}

func TestACopyGoesToAnotherWaygateAndSaysTheSame(t *testing.T) {
	from := told(t)
	text := string(from.get("/api/export").body)
	for _, how := range []string{"", "?replace=true"} {
		to := newAdmin(t, setup{})
		var done wire.Imported
		to.post("/api/import"+how, text).into(&done)
		require.True(t, done.Changed)
		require.Equal(t, essence(t, from), essence(t, to))
		for _, target := range []string{"/users/1", "/users/me", "/users/7", "/b", "/gated", "/health", "/a"} {
			path := "/api/explain?target=" + target + "&service=orders"
			var want, got wire.Explanation
			from.get(path).into(&want)
			to.get(path).into(&got)
			want.Place, got.Place = wire.Place{}, wire.Place{}
			require.Equal(t, want, got, target)
		}
		before := done.Revision
		to.post("/api/import"+how, text).into(&done)
		require.False(t, done.Changed, "the same again changes nothing: %v", done.Diff)
		require.Equal(t, before, done.Revision)
	}
}

func TestAnImportLiftsNothing(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", `{"reason":"mine"}`)
	a.do("GET:/c", "disable", "")
	a.turn("/api/global/enable", `{"reason":"mine"}`)
	var done wire.Imported
	a.post("/api/import", `{"format":"waygate/1","global":{"standing":{"reason":"theirs"},"exempt_paths":["/a"]},
		"routes":[{"path":"GET:/a"},{"path":"GET:/b","standing":{"effect":"maintenance","reason":"theirs"}}]}`).into(&done)
	require.Equal(t, "mine", a.route("GET:/a").Reason)
	require.Equal(t, "disabled", a.route("GET:/c").Status)
	require.Equal(t, "maintenance", a.route("GET:/b").Status)
	require.Equal(t, "mine", a.global().Reason)
	require.Empty(t, a.global().ExemptPaths)
	text, err := json.Marshal(done.Diff)
	require.NoError(t, err)
	require.Contains(t, string(text), `"how":"kept"`)
	require.Contains(t, string(text), `{"path":"GET:/b","how":"added"`)
}

func TestReplaceShowsTheDifferenceFirst(t *testing.T) {
	a := told(t)
	was := essence(t, a)
	body := `{"format":"waygate/1","routes":[{"path":"GET:/b"},{"path":"GET:/new","standing":{"effect":"disabled"}}]}`
	revision := a.route("GET:/b").Revision
	var dry, done wire.Imported
	a.post("/api/import?replace=true&dry_run=true", body).into(&dry)
	require.True(t, dry.DryRun)
	require.True(t, dry.Changed)
	require.Equal(t, was, essence(t, a))
	require.Equal(t, revision, a.route("GET:/b").Revision)

	a.post("/api/import?replace=true&reason=restore", body).into(&done)
	require.Equal(t, dry.Diff, done.Diff)
	hows := map[string]string{}
	for _, d := range done.Diff {
		hows[d.Path] = d.How
	}
	require.Equal(t, "added", hows["GET:/new"])
	require.Equal(t, "changed", hows["GET:/b"])
	require.Equal(t, "removed", hows["GET:/users/{id}"])
	require.Equal(t, "changed", hows["__global__"])
	require.Equal(t, "active", a.route("GET:/b").Status)
	require.Equal(t, "disabled", a.route("GET:/new").Status)
	require.False(t, a.global().Enabled)
	require.False(t, a.route("GET:/health").ForceActive)
	for _, e := range a.audit("?limit=100")[:len(done.Diff)] {
		require.Equal(t, "restore", e.Reason)
		require.Equal(t, done.Revision, e.Revision, "one commit")
	}
}

func TestImportsThatAreRefused(t *testing.T) {
	a := newAdmin(t, setup{})
	tests := []struct{ name, body string }{
		{"nothing", ``},
		{"another format", `{"format":"waygate/9"}`},
		{"a bad key", `{"format":"waygate/1","routes":[{"path":"GET:/ok"},{"path":"nope"}]}`},
		{"a key twice", `{"format":"waygate/1","routes":[{"path":"GET:/u/{a}"},{"path":"GET:/u/{b}"}]}`},
		{"a bad effect", `{"format":"waygate/1","routes":[{"path":"GET:/a","standing":{"effect":"melted"}}]}`},
		{"a bad service", `{"format":"waygate/1","services":{"GET":{"standing":{}}}}`},
		{"an unknown member", `{"format":"waygate/1","rotues":[]}`},
		{"an inverted window", `{"format":"waygate/1","routes":[{"path":"GET:/a","windows":[{"start":"2099-01-02T00:00:00Z","end":"2099-01-01T00:00:00Z"}]}]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.in(t).post("/api/import", tt.body).problem(http.StatusBadRequest)
			a.in(t).post("/api/import?replace=true", tt.body).problem(http.StatusBadRequest)
		})
	}
	require.JSONEq(t, "[]", string(a.get("/api/routes").body))
}

func TestALargeImportIsTakenIn(t *testing.T) {
	a := newAdmin(t, setup{})
	var routes []string
	for i := range 3000 {
		routes = append(routes, fmt.Sprintf(`{"path":"GET:/big/r%05d","standing":{"effect":"maintenance","reason":%q}}`, i, strings.Repeat("why ", 100)))
	}
	body := `{"format":"waygate/1","routes":[` + strings.Join(routes, ",") + `]}`
	require.Greater(t, len(body), 1<<20)
	var done wire.Imported
	a.post("/api/import", body).into(&done)
	require.Len(t, done.Diff, 3000)
	var list []wire.Route
	a.get("/api/routes").into(&list)
	require.Len(t, list, 3000)
	a.post("/api/changes", body).problem(http.StatusRequestEntityTooLarge)
}

func TestTheFleet(t *testing.T) {
	a := newAdmin(t, setup{})
	require.JSONEq(t, "[]", string(a.get("/api/instances").body))
	a.do("GET:/a", "disable", "")
	at := a.route("GET:/a").Place
	report := func(id string, rev uint64) {
		a.call(http.MethodPut, "/api/instances/"+id, fmt.Sprintf(
			`{"id":%q,"boot":"b","version":"1","service":"orders","env":"prod","epoch":%q,"rev":%d,"link":"connected","checks":7}`, id, at.Epoch, rev)).is(200)
	}
	report("gw-1:9001", at.Revision)
	report("gw-2:9001", 0)
	a.call(http.MethodPut, "/api/instances/gw-3", `{"boot":"b","bye":true}`).is(200)
	var fleet []wire.Instance
	a.get("/api/instances").into(&fleet)
	require.Len(t, fleet, 3)
	require.Equal(t, "live", fleet[0].Presence)
	require.True(t, fleet[0].Enforces)
	require.Zero(t, fleet[0].Lag)
	require.Equal(t, "orders", fleet[0].Service)
	require.Equal(t, "prod", fleet[0].Environment)
	require.Equal(t, uint64(7), fleet[0].Checks)
	require.False(t, fleet[1].Enforces)
	require.Equal(t, at.Revision, fleet[1].Lag)
	require.Equal(t, "gone", fleet[2].Presence)
	a.get("/api/instances?revision=99").into(&fleet)
	require.False(t, fleet[0].Enforces)
	a.get("/api/instances?revision=x").problem(http.StatusBadRequest)

	a.delete("/api/instances/gw-2:9001").is(200)
	a.delete("/api/instances/gw-2:9001").problem(http.StatusNotFound)
	a.call(http.MethodPut, "/api/instances/x", `{"service":"Not A Name"}`).problem(http.StatusBadRequest)

	var doctor wire.Doctor
	a.get("/api/doctor").into(&doctor)
	require.Equal(t, 1, doctor.Live)
	require.Equal(t, "memory", doctor.Durability)
	require.True(t, doctor.Reachable)
	require.Empty(t, doctor.Behind)
	require.Equal(t, uint64(7), doctor.Checks)
	require.True(t, doctor.Open)
	levels := map[string]string{}
	for _, f := range doctor.Findings {
		levels[f.Subject] = f.Level
	}
	require.Equal(t, map[string]string{"store": "ok", "durability": "warn", "clock": "ok", "envoy": "ok"}, levels)
}

// silenced has every instance silent for a while.
type silenced struct{ *statetest.Flaky }

func (s silenced) Reports(ctx context.Context) ([]state.Report, error) {
	all, err := s.Flaky.Reports(ctx)
	for i := range all {
		all[i].Age += time.Minute
	}
	return all, err
}

// An instance that is silent may well enforce what it knew: the doctor does not say that nothing does.
func TestTheDoctorOnAFleetThatIsLost(t *testing.T) {
	a := newAdmin(t, setup{store: silenced{newFlaky(t)}})
	require.Contains(t, string(a.get("/api/doctor").body), "no waygate-authz reports: nothing is enforced")
	a.call(http.MethodPut, "/api/instances/gw-1", `{"boot":"b"}`).is(http.StatusOK)
	said := string(a.get("/api/doctor").body)
	require.Contains(t, said, "gw-1 is silent for 1m0s")
	require.Contains(t, said, "no waygate-authz reports any more: what the lost ones enforce is not known")
	require.NotContains(t, said, "nothing is enforced")
}
