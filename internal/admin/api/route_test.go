package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/wire"
)

func TestAnUnknownKeyIsActiveAndUnknown(t *testing.T) {
	a := newAdmin(t, setup{})
	members := a.get(on("GET:/payments", "")).is(http.StatusOK)
	for name, want := range map[string]any{
		"path": "GET:/payments", "service": nil, "status": "active", "reason": "", "allowed_envs": []any{}, "allowed_roles": []any{},
		"allowed_ips": []any{}, "window": nil, "sunset_date": nil, "successor_path": nil, "rollout_percentage": 100.0,
		"force_active": false, "known": false,
	} {
		require.Contains(t, members, name)
		require.Equal(t, want, members[name], name)
	}
}

func TestAKeyIsOneSegmentInEitherForm(t *testing.T) {
	a := newAdmin(t, setup{})
	for _, segment := range []string{"R0VUOi9wYXltZW50cw", "R0VUOi9wYXltZW50cw==", "R0VUOi9wYXltZW50cw%3D%3D", "GET%3A%2Fpayments", "GET:%2Fpayments"} {
		t.Run(segment, func(t *testing.T) {
			require.Equal(t, "GET:/payments", a.in(t).get("/api/routes/" + segment).is(http.StatusOK)["path"])
		})
	}
	for _, segment := range []string{"%2F", "%2f", "Lw", "Lw=="} {
		require.Equal(t, "/", a.get("/api/routes/" + segment).is(http.StatusOK)["path"], segment)
		a.post("/api/routes/"+segment+"/enable", "").is(http.StatusOK)
	}
	refused := []struct {
		name, segment string
		status        int
	}{
		{"base64 of nothing valid", wire.Segment("hello"), http.StatusBadRequest},
		{"base64 of bytes", "__-_", http.StatusBadRequest},
		{"neither", "%21%21", http.StatusBadRequest},
		{"a sentinel", wire.Segment("__global__"), http.StatusBadRequest},
		{"a typo in plain form", "get%3A%2Fpayments", http.StatusBadRequest},
		{"not one segment", "GET:/payments", http.StatusNotFound},
		{"dots", "..%2f..%2fx", http.StatusBadRequest},
	}
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) { a.in(t).get("/api/routes/" + tt.segment).problem(tt.status) })
	}
	require.Contains(t, a.get("/api/routes/get%3A%2Fpayments").problem(400).Message, "GET:/payments", "the right spelling is told")
}

func TestCommandsOnARoute(t *testing.T) {
	tests := []struct {
		name, action, body string
		want               string
	}{
		{"disable", "disable", `{"reason":"x"}`, "disabled"},
		{"disable until", "disable", `{"until":"2h"}`, "disabled"},
		{"maintenance", "maintenance", `{"reason":"x"}`, "maintenance"},
		{"maintenance with an end alone blocks now", "maintenance", `{"end":"` + ahead(time.Hour) + `"}`, "maintenance"},
		{"maintenance with a start to come is scheduled", "maintenance", `{"start":"` + ahead(time.Hour) + `"}`, "active"},
		{"maintenance from a start to an end", "maintenance", `{"start":"` + ahead(-time.Minute) + `","end":"` + ahead(time.Hour) + `"}`, "maintenance"},
		{"end and until are the same", "maintenance", `{"end":"2099-01-01T00:00Z","until":"2099-01-01T00:00:00+00:00"}`, "maintenance"},
		{"schedule", "schedule", `{"start":"` + ahead(time.Hour) + `","end":"` + ahead(2*time.Hour) + `"}`, "active"},
		{"env", "env", `{"envs":["staging"]}`, "env_gated"},
		{"env with an empty list", "env", `{"envs":[]}`, "active"},
		{"deprecate", "deprecate", `{"sunset":"2099-01-01","successor":"/v2"}`, "deprecated"},
		{"protect", "protect", ``, "active"},
		{"unprotect", "unprotect", ``, "active"},
		{"enable", "enable", ``, "active"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAdmin(t, setup{})
			r := a.do("GET:/payments", tt.action, tt.body)
			require.Equal(t, tt.want, r.Status)
			require.Equal(t, tt.want, a.route("GET:/payments").Status, "what was answered can be read at once")
			require.Equal(t, r.Changed, r.Revision > 0)
			require.NotEmpty(t, r.Epoch)
			require.False(t, r.Known, "nobody had named it before")
		})
	}
}

func TestWhatIsRefusedChangesNothing(t *testing.T) {
	a := newAdmin(t, setup{})
	tests := []struct{ name, action, body string }{
		{"no JSON", "disable", `{`},
		{"two documents", "disable", `{} {}`},
		{"an array", "disable", `[]`},
		{"an unknown member", "disable", `{"reasn":"x"}`},
		{"a member of another command", "disable", `{"end":"2099-01-01T00:00Z"}`},
		{"a wrong type", "disable", `{"reason":5}`},
		{"a bad time", "disable", `{"until":"tomorrow"}`},
		{"an empty until", "disable", `{"until":""}`},
		{"an empty end", "maintenance", `{"end":""}`},
		{"an empty start", "maintenance", `{"start":"","end":"2099-01-01T00:00Z"}`},
		{"a schedule with an empty end", "schedule", `{"start":"2099-01-01T00:00Z","end":""}`},
		{"an empty sunset", "deprecate", `{"sunset":""}`},
		{"an end that is past", "maintenance", `{"end":"2020-01-01T00:00Z"}`},
		{"an inverted window", "maintenance", `{"start":"2099-01-02T00:00Z","end":"2099-01-01T00:00Z"}`},
		{"end and until that differ", "maintenance", `{"end":"2099-01-02T00:00Z","until":"2099-01-01T00:00Z"}`},
		{"a schedule without an end", "schedule", `{"start":"2099-01-01T00:00Z"}`},
		{"a schedule without a start", "schedule", `{"end":"2099-01-01T00:00Z"}`},
		{"no environments", "env", `{}`},
		{"environments that are null", "env", `{"envs":null}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a.in(t).post(on("GET:/payments", tt.action), tt.body).problem(http.StatusBadRequest)
		})
	}
	require.Contains(t, a.post(on("GET:/payments", "disable"), `{"until":""}`).problem(400).Message, "until: it is empty")
	a.post("/api/global/enable", `{"until":""}`).problem(http.StatusBadRequest)
	a.post("/api/changes", `{"changes":[{"action":"disable","path":"GET:/payments","until":""}]}`).problem(http.StatusBadRequest)
	a.post("/api/windows", `{"path":"GET:/payments","end":""}`).problem(http.StatusBadRequest)
	require.Equal(t, "active", a.route("GET:/payments").Status)
	require.Empty(t, a.audit(""))
	require.Zero(t, a.route("GET:/payments").Revision)
}

func TestBodiesAreReadWhateverTheyAreCalled(t *testing.T) {
	a := newAdmin(t, setup{})
	for _, kind := range []string{"", "application/json", "application/x-www-form-urlencoded", "text/plain", "application/problem+json; x", "garbage"} {
		t.Run(kind, func(t *testing.T) {
			a := a.in(t)
			a.call(http.MethodPost, on("GET:/a", "disable"), `{"reason":"`+kind+`"}`, "Content-Type", kind, "Accept", "text/html").is(http.StatusOK)
			require.Equal(t, kind, a.route("GET:/a").Reason)
			a.call(http.MethodPost, on("GET:/a", "enable"), "", "Content-Type", kind).is(http.StatusOK)
			a.call(http.MethodPost, on("GET:/a", "enable"), " \n", "Content-Type", kind).is(http.StatusOK)
		})
	}
	a.post(on("GET:/a", "maintenance"), `{"reason":null,"start":null,"end":null}`).is(http.StatusOK)
}

func TestAmbiguousAndProtectedAreTwoKindsOf409(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/pay", "disable", "")
	require.Equal(t, "GET:/pay", a.do("/pay", "enable", "").Path, "one key: that one is meant")
	require.True(t, a.do("/pay", "disable", "").Narrowed)

	a.do("POST:/pay", "disable", "")
	for _, r := range []*reply{a.post(on("/pay", "enable"), ""), a.get(on("/pay", "")), a.delete(on("/pay", "schedule"))} {
		p := r.problem(http.StatusConflict)
		require.Equal(t, []string{"GET:/pay", "POST:/pay"}, p.AmbiguousMatches)
	}
	require.Equal(t, "disabled", a.do("ANY:/pay", "disable", "").Status, "every method was asked for by name")
	require.Equal(t, "disabled", a.do("/pay", "disable", "").Status, "now the bare path has a state of its own")

	a.do("GET:/health", "protect", "")
	for _, action := range []string{"disable", "maintenance", "enable", "deprecate"} {
		members := a.post(on("GET:/health", action), "").is(http.StatusConflict)
		require.NotContains(t, members, "ambiguous_matches")
		require.Equal(t, "urn:waygate:protected", members["type"])
	}
}

func TestStrictRoutes(t *testing.T) {
	a := newAdmin(t, setup{strict: true})
	require.Equal(t, "urn:waygate:unknown-route", a.get(on("GET:/typo", "")).problem(http.StatusNotFound).Type)
	a.post(on("GET:/typo", "disable"), "").problem(http.StatusNotFound)

	a.call(http.MethodPut, "/api/instances/gw-1", `{"boot":"b","hits":{"GET:/seen":3}}`).is(http.StatusOK)
	require.Eventually(t, func() bool { return a.get(on("GET:/seen", "")).status == http.StatusOK }, waitLong, 50*time.Millisecond)
	a.post(on("GET:/seen", "disable"), "").is(http.StatusOK)
}

func TestAReasonCanBeRequired(t *testing.T) {
	a := newAdmin(t, setup{requireReason: true})
	for _, action := range []string{"disable", "maintenance", "enable"} {
		require.Equal(t, "reason", a.post(on("GET:/a", action), "").problem(http.StatusBadRequest).Field)
		require.Equal(t, "reason", a.post(on("GET:/a", action), `{"reason":" \t"}`).problem(http.StatusBadRequest).Field, "blanks say nothing")
		a.post(on("GET:/a", action), `{"reason":"because"}`).is(http.StatusOK)
	}
	a.post("/api/global/enable", "").problem(http.StatusBadRequest)
	a.post("/api/global/enable", `{"reason":"because"}`).is(http.StatusOK)
	a.post("/api/global/disable", "").is(http.StatusOK)
}

func TestTheListIsABareArray(t *testing.T) {
	a := newAdmin(t, setup{})
	require.JSONEq(t, "[]", string(a.get("/api/routes").body))
	a.do("orders:GET:/a", "disable", "")
	a.do("GET:/b", "maintenance", "")
	var list []wire.Route
	a.get("/api/routes").into(&list)
	paths := []string{list[0].Path, list[1].Path}
	slices.Sort(paths)
	require.Equal(t, []string{"GET:/b", "orders:GET:/a"}, paths)
	a.get("/api/routes?service=orders").into(&list)
	require.Len(t, list, 1)
	require.Equal(t, "orders", *list[0].Service)
	require.JSONEq(t, `["orders"]`, string(a.get("/api/services").body))
}

func TestCancellingAndForgetting(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "schedule", fmt.Sprintf(`{"start":%q,"end":%q}`, ahead(-time.Minute), ahead(time.Hour)))
	require.Equal(t, "maintenance", a.route("GET:/a").Status)
	a.delete(on("GET:/a", "")).problem(http.StatusConflict)
	var r wire.ChangedRoute
	a.delete(on("GET:/a", "schedule")).into(&r)
	require.Equal(t, "active", r.Status)
	a.do("GET:/a", "disable", `{"until":"1h"}`)
	a.delete(on("GET:/a", "schedule")).into(&r)
	require.Equal(t, "disabled", r.Status, "an until is no window")
	a.do("GET:/a", "enable", "")
	a.delete(on("GET:/a", "")).is(http.StatusOK)
	require.False(t, a.route("GET:/a").Known)
	require.NotEmpty(t, a.audit("?route=GET:/a"), "its log stays")
}

func TestTheOldPairIsOneTimedDisable(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "disable", `{"reason":"upgrade"}`)
	a.do("GET:/a", "schedule", fmt.Sprintf(`{"start":%q,"end":%q,"reason":"upgrade"}`,
		time.Now().UTC().Format("2006-01-02T15:04:05.000000+00:00"), ahead(time.Hour)))
	r := a.route("GET:/a")
	require.Equal(t, "disabled", r.Status)
	require.Len(t, r.Windows, 1)
	require.Equal(t, "until", r.Windows[0].Origin)
	require.NotNil(t, r.Until)
	require.Equal(t, "disable", a.audit("")[0].Action)
	require.NotNil(t, a.audit("")[0].Until)
}

// stamps finds everything in an answer that looks like a time.
func stamps(text []byte) [][]byte {
	return regexp.MustCompile(`"\d{4}-\d\d-\d\dT[^"]*"`).FindAll(text, -1)
}

func TestTimesAreWhatPythonReads(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/a", "schedule", `{"start":"2098-01-01T00:00:00.123456789Z","end":"2099-01-01T01:00:00+01:00"}`)
	a.do("GET:/a", "deprecate", `{"sunset":"2099-06-01"}`)
	a.post("/api/global/enable", `{"until":"2h"}`).is(http.StatusOK)
	form := regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z"$`)
	found := 0
	for _, path := range []string{"/api/routes", on("GET:/a", ""), "/api/global", "/api/audit", "/api/instances", "/api/export", "/api/doctor"} {
		for _, stamp := range stamps(a.get(path).body) {
			require.Regexp(t, form, string(stamp), path)
			found++
		}
	}
	require.Greater(t, found, 10)
}

func TestTwoWindowsAndTheRestAreTold(t *testing.T) {
	a := newAdmin(t, setup{})
	a.do("GET:/users/{id}", "disable", "")
	a.do("GET:/users/me", "enable", "")
	r := a.do("GET:/users/{id}", "disable", `{"reason":"again"}`)
	require.Equal(t, "GET:/users/{id}", r.Path)
	var wide wire.ChangedRoute
	a.post(on("/**", "maintenance"), `{"reason":"all"}`).into(&wide)
	require.True(t, wide.Set)
	still := a.do("GET:/other", "enable", "")
	text, err := json.Marshal(still)
	require.NoError(t, err)
	require.Equal(t, "active", still.Status, string(text))
	require.Equal(t, []string{"excepted"}, still.Cleared)
	a.post("/api/global/enable", "").is(http.StatusOK)
	still = a.do("GET:/other", "enable", "")
	require.Equal(t, "__global__", still.Still[0].Path)
}
