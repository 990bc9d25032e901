package webhook_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
	"github.com/waygate/waygate/internal/state/statetest"
)

func TestAnEndpointSaysWhatIsWrongWithIt(t *testing.T) {
	ok := one()
	require.NoError(t, ok.Validate())
	for _, c := range []struct {
		name, field string
		change      func(*webhook.Endpoint)
	}{
		{"no id", "id", func(e *webhook.Endpoint) { e.ID = "" }},
		{"an odd id", "id", func(e *webhook.Endpoint) { e.ID = "a.b" }},
		{"a long name", "name", func(e *webhook.Endpoint) { e.Name = strings.Repeat("x", 201) }},
		{"no format of ours", "format", func(e *webhook.Endpoint) { e.Format = "fax" }},
		{"http", "url", func(e *webhook.Endpoint) { e.URL = "http://example.com/" }},
		{"another scheme", "url", func(e *webhook.Endpoint) { e.URL = "file:///etc/passwd" }},
		{"userinfo", "url", func(e *webhook.Endpoint) { e.URL = "https://u:p@example.com/" }},
		{"a fragment", "url", func(e *webhook.Endpoint) { e.URL = "https://example.com/#x" }},
		{"no host", "url", func(e *webhook.Endpoint) { e.URL = "https:///x" }},
		{"loopback", "url", func(e *webhook.Endpoint) { e.URL = "https://127.0.0.1/" }},
		{"a short secret", "secrets", func(e *webhook.Endpoint) { e.Secrets = []webhook.Secret{{Value: "whsec_AAAA"}} }},
		{"a bare secret", "secrets", func(e *webhook.Endpoint) { e.Secrets = []webhook.Secret{{Value: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}} }},
		{"nothing to allow", "allow", func(e *webhook.Endpoint) { e.Allow = []string{"http://x/"} }},
		{"an unknown event", "actions", func(e *webhook.Endpoint) { e.Filter.Actions = []state.Action{"explode"} }},
		{"no service", "service", func(e *webhook.Endpoint) { e.Filter.Services = []string{"A B"} }},
		{"no route", "path", func(e *webhook.Endpoint) { e.Filter.Routes = []string{"nothing"} }},
		{"no routing key", "routing_key", func(e *webhook.Endpoint) { e.Format = webhook.FormatPagerDuty }},
		{"a stray routing key", "routing_key", func(e *webhook.Endpoint) { e.RoutingKey = "x" }},
		{"no template", "template", func(e *webhook.Endpoint) { e.Format = webhook.FormatTemplate }},
		{"a stray template", "template", func(e *webhook.Endpoint) { e.Template = "{}" }},
		{"a template that is no JSON", "template", func(e *webhook.Endpoint) {
			e.Format, e.Template = webhook.FormatTemplate, `{"text": {{.Reason}}}`
		}},
		{"a template that never ends", "template", func(e *webhook.Endpoint) {
			e.Format, e.Template = webhook.FormatTemplate, `{{define "x"}}xx{{template "x"}}{{end}}{{template "x"}}`
		}},
		{"a template that counts for ever", "template", func(e *webhook.Endpoint) {
			e.Format, e.Template = webhook.FormatTemplate, `{{range 1000000000}}{{range 1000000000}}{{end}}{{end}}{}`
		}},
		{"a template that doubles what it holds", "template", func(e *webhook.Endpoint) {
			e.Format, e.Template = webhook.FormatTemplate, `{{$x := "xxxxxxxx"}}`+strings.Repeat(`{{$x = print $x $x}}`, 24)+`{}`
		}},
		{"a template that calls itself twice", "template", func(e *webhook.Endpoint) {
			e.Format = webhook.FormatTemplate
			e.Template = `{{define "x"}}{{if .}}{{template "x" slice . 1}}{{template "x" slice . 1}}{{end}}{{end}}{{template "x" "` +
				strings.Repeat("x", 64) + `"}}{}`
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := one()
			c.change(&e)
			var invalid *state.InvalidError
			require.ErrorAs(t, e.Validate(), &invalid)
			require.Equal(t, c.field, invalid.Field)
		})
	}
}

func TestRedactedShowsNoPower(t *testing.T) {
	e := one()
	e.Format, e.URL = webhook.FormatSlack, "https://hooks.slack.com/services/T0/B0/topsecret"
	shown := e.Redacted()
	require.Equal(t, "https://hooks.slack.com/********", shown.URL)
	require.Equal(t, "whsec_********", shown.Secrets[0].Value)
	require.Equal(t, secret, e.Secrets[0].Value)
	fresh := webhook.NewSecret()
	require.NoError(t, fresh.Validate())
	require.NotEqual(t, fresh, webhook.NewSecret())
}

func TestAFilterPassesWhatTouchesWhatItLists(t *testing.T) {
	for _, c := range []struct {
		name   string
		filter webhook.Filter
		path   string
		action state.Action
		want   bool
	}{
		{"everything", webhook.Filter{}, "GET:/a", state.ActionDisable, true},
		{"the action", webhook.Filter{Actions: []state.Action{state.ActionDisable}}, "GET:/a", state.ActionDisable, true},
		{"another action", webhook.Filter{Actions: []state.Action{state.ActionDisable}}, "GET:/a", state.ActionEnable, false},
		{"the service", webhook.Filter{Services: []string{"orders"}}, "orders:GET:/a", state.ActionDisable, true},
		{"another service", webhook.Filter{Services: []string{"orders"}}, "pay:GET:/a", state.ActionDisable, false},
		{"a key of every service", webhook.Filter{Services: []string{"orders"}}, "GET:/a", state.ActionDisable, true},
		{"the service's switch", webhook.Filter{Services: []string{"orders"}}, state.ServicePath("orders"), state.ActionServiceOn, true},
		{"another's switch", webhook.Filter{Services: []string{"orders"}}, state.ServicePath("pay"), state.ActionServiceOn, false},
		{"the global switch", webhook.Filter{Services: []string{"orders"}}, state.GlobalPath, state.ActionGlobalOn, true},
		{"a route in the set", webhook.Filter{Routes: []string{"/v1/**"}}, "GET:/v1/a", state.ActionDisable, true},
		{"a set around the route", webhook.Filter{Routes: []string{"GET:/v1/a"}}, "/v1/**", state.ActionDisable, true},
		{"beside the set", webhook.Filter{Routes: []string{"/v1/**"}}, "GET:/v2/a", state.ActionDisable, false},
		{"the switch above a route", webhook.Filter{Routes: []string{"orders:GET:/a"}}, state.ServicePath("orders"), state.ActionServiceOn, true},
		{"a switch beside a route", webhook.Filter{Routes: []string{"orders:GET:/a"}}, state.ServicePath("pay"), state.ActionServiceOn, false},
		{"a switch by its path", webhook.Filter{Routes: []string{state.GlobalPath}}, state.GlobalPath, state.ActionGlobalOn, true},
		{"a route where a switch is listed", webhook.Filter{Routes: []string{state.GlobalPath}}, "GET:/a", state.ActionDisable, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, c.filter.Validate())
			require.Equal(t, c.want, webhook.Passes(&c.filter, &state.Record{Action: c.action, Path: c.path}, nil))
		})
	}
	gate := state.Patch{}
	r := statetest.Blocked(t, "GET:/a", "")
	r.Gate = &state.Gate{Envs: []string{"staging"}}
	require.NoError(t, gate.SetRoute(r))
	record := state.Record{Action: state.ActionEnvGate, Path: "GET:/a"}
	require.False(t, webhook.Passes(&webhook.Filter{Envs: []string{"staging"}}, &record, gate))
	require.True(t, webhook.Passes(&webhook.Filter{Envs: []string{"production"}}, &record, gate))
	require.True(t, webhook.Passes(&webhook.Filter{Envs: []string{"staging"}}, &record, state.Patch{}))
}

func TestTheTimestampMovesInSteps(t *testing.T) {
	at := time.Date(2025, 6, 1, 2, 0, 0, 0, time.UTC)
	for late := time.Duration(0); late < 3*time.Hour; late += 7 * time.Second {
		stamp := time.Unix(webhook.StampOf(at, at.Add(late)), 0)
		require.LessOrEqual(t, at.Add(late).Sub(stamp), 2*time.Minute)
		require.False(t, stamp.After(at.Add(late)))
	}
	require.Equal(t, webhook.StampOf(at, at), webhook.StampOf(at, at.Add(119*time.Second)))
}
