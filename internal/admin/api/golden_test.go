package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// steady replaces what differs from run to run: ids, epochs and the present time.
func steady(t *testing.T, text []byte) []byte {
	t.Helper()
	for form, instead := range map[string]string{
		`"(id|window_id|window)":"[0-9a-f]{8}-[0-9a-f-]{27}"`: `"$1":"ID"`,
		`"epoch":"[A-Z0-9]+"`:          `"epoch":"EPOCH"`,
		`wh-[a-z2-7]{12}`:              `wh-ID`,
		`whsec_[A-Za-z0-9+/]+=*`:       `whsec_SECRET`,
		`"2(0[0-8]\d|09[0-7])-[^"]*Z"`: `"NOW"`,
	} {
		text = regexp.MustCompile(form).ReplaceAll(text, []byte(instead))
	}
	var out bytes.Buffer
	require.NoError(t, json.Indent(&out, text, "", "  "), "%s", text)
	return out.Bytes()
}

// What clients read byte by byte stays what it is.
func TestAnswersAreWhatTheyWere(t *testing.T) {
	a := newAdmin(t, setup{})
	calls := []struct {
		name, method, path, body string
		status                   int
	}{
		{"route-unknown", http.MethodGet, on("GET:/payments", ""), "", 200},
		{"route-disable", http.MethodPost, on("GET:/payments", "disable"), `{"reason":"gone"}`, 200},
		{"route-schedule", http.MethodPost, on("GET:/payments", "schedule"), `{"start":"2098-01-01T00:00Z","end":"2098-01-01T02:00Z","reason":"night"}`, 200},
		{"route-deprecate", http.MethodPost, on("orders:GET:/v1/{id}", "deprecate"), `{"sunset":"2099-01-01","successor":"/v2","reason":"old"}`, 200},
		{"route-env", http.MethodPost, on("POST:/payments", "env"), `{"envs":["staging"]}`, 200},
		{"global-enable", http.MethodPost, "/api/global/enable", `{"reason":"deploy","exempt_paths":["/health"]}`, 200},
		{"route-enable", http.MethodPost, on("GET:/payments", "enable"), "", 200},
		{"service-enable", http.MethodPost, "/api/services/orders/maintenance/enable", `{"until":"2098-01-01T00:00Z"}`, 200},
		{"routes", http.MethodGet, "/api/routes", "", 200},
		{"global", http.MethodGet, "/api/global", "", 200},
		{"service", http.MethodGet, "/api/services/orders/maintenance", "", 200},
		{"services", http.MethodGet, "/api/services", "", 200},
		{"audit", http.MethodGet, "/api/audit", "", 200},
		{"changes", http.MethodPost, "/api/changes", `{"changes":[{"action":"forget","path":"GET:/nothing"},{"action":"disable","path":"__global__"}]}`, 200},
		{"ambiguous", http.MethodPost, on("/payments", "disable"), "", 409},
		{"bad-body", http.MethodPost, on("GET:/payments", "disable"), `{"reasn":"x"}`, 400},
		{"bad-time", http.MethodPost, on("GET:/payments", "disable"), `{"until":"soon"}`, 400},
		{"unknown-address", http.MethodGet, "/api/nothing", "", 404},
		{"me", http.MethodGet, "/api/auth/me", "", 200},
		{"explain", http.MethodGet, "/api/explain?target=/payments&env=production", "", 200},
		{"export", http.MethodGet, "/api/export", "", 200},
	}
	for _, c := range calls {
		t.Run(c.name, func(t *testing.T) {
			r := a.in(t).call(c.method, c.path, c.body)
			require.Equal(t, c.status, r.status, "%s", r.body)
			golden(t, "testdata/"+c.name+".json", steady(t, r.body))
		})
	}
}
