package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zaptest"

	"github.com/waygate/waygate/internal/admin/app"
)

func webhooksOf(a *running) map[string]map[string]any {
	var list []map[string]any
	require.NoError(a.t, json.Unmarshal([]byte(a.ok(http.MethodGet, "/waygate/api/webhooks", "")), &list))
	all := map[string]map[string]any{}
	for _, w := range list {
		all[w["id"].(string)] = w
	}
	return all
}

func TestEndpointsOfTheEnvironment(t *testing.T) {
	cfg := plain()
	cfg.SlackURL = "https://hooks.slack.com/services/T0/B0/X"
	cfg.PagerDutyURL = "https://hooks.example.com/pager"
	all := webhooksOf(start(t, cfg))
	require.Len(t, all, 2)
	require.Equal(t, "slack", all["env-slack"]["format"])
	require.Equal(t, "environment", all["env-slack"]["source"])
	require.Equal(t, "generic", all["env-pagerduty"]["format"])

	cfg.PagerDutyURL, cfg.PagerDutyKey = "https://events.eu.pagerduty.com/v2/enqueue", "0123456789"
	all = webhooksOf(start(t, cfg))
	require.Equal(t, "pagerduty", all["env-pagerduty"]["format"])
}

func TestEndpointsThatCannotBeStartedWithSayWhere(t *testing.T) {
	tests := []struct {
		name   string
		change func(*app.Config)
		want   string
	}{
		{"no TLS", func(c *app.Config) { c.SlackURL = "http://hooks.example.com/x" }, "SLACK_WEBHOOK_URL: "},
		{"no key", func(c *app.Config) { c.PagerDutyURL = "https://events.pagerduty.com/v2/enqueue" }, "set PAGERDUTY_ROUTING_KEY"},
		{"no file", func(c *app.Config) { c.WebhooksFile = "/does/not/exist" }, "webhooks file"},
		{"no YAML", func(c *app.Config) { c.WebhooksFile = written(t, "webhooks: [") }, "line 1"},
		{"an unknown member", func(c *app.Config) {
			c.WebhooksFile = written(t, "webhooks:\n- url: https://a.example.com\n  colour: red\n")
		}, "line 3: there is no member colour here"},
		{"a wrong kind", func(c *app.Config) { c.WebhooksFile = written(t, "webhooks:\n- url: [1]\n") }, "line 2: a seq does not belong here"},
		{"a wrong address", func(c *app.Config) {
			c.WebhooksFile = written(t, "webhooks:\n- url: https://a.example.com\n- url: http://b.example.com\n")
		}, "line 3: "},
		{"a name twice", func(c *app.Config) {
			c.WebhooksFile = written(t, "webhooks:\n- {name: a, url: https://a.example.com}\n- {name: a, url: https://b.example.com}\n")
		}, "line 3: another webhook"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := plain()
			tt.change(&cfg)
			require.ErrorContains(t, app.Run(t.Context(), cfg, zaptest.NewLogger(t), nil), tt.want)
		})
	}
}

func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "webhooks.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheWebhooksFileIsReadAgain(t *testing.T) {
	cfg := plain()
	cfg.WebhooksFile = written(t, `
webhooks:
- name: ops
  url: https://hooks.example.com/in
  actions: [disable, enable]
  routes: ["/pay/**"]
- url: https://hooks.example.com/unnamed
`)
	a := start(t, cfg)
	all := webhooksOf(a)
	require.Len(t, all, 2)
	require.Equal(t, "file", all["file-ops"]["source"])
	require.Equal(t, []any{"disable", "enable"}, all["file-ops"]["actions"])
	status, text := a.call(http.MethodDelete, "/waygate/api/webhooks/file-ops", "")
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, text, "--webhooks-file")

	is := func(want func(map[string]map[string]any) bool) func() bool {
		return func() bool { return want(webhooksOf(a)) }
	}
	require.NoError(t, os.WriteFile(cfg.WebhooksFile, []byte("webhooks:\n- {name: night, url: https://hooks.example.com/night}\n"), 0o600))
	require.Eventually(t, is(func(all map[string]map[string]any) bool { return len(all) == 1 && all["file-night"] != nil }), 10*time.Second, 50*time.Millisecond)

	// What cannot be read leaves what was, and the doctor tells.
	require.NoError(t, os.WriteFile(cfg.WebhooksFile, []byte("webhooks: nonsense"), 0o600))
	require.Eventually(t, func() bool {
		_, text := a.call(http.MethodGet, "/waygate/api/doctor", "")
		var d struct {
			Findings []struct{ Subject, Message string }
		}
		require.NoError(t, json.Unmarshal([]byte(text), &d))
		for _, f := range d.Findings {
			if f.Subject == "webhooks" {
				return true
			}
		}
		return false
	}, 10*time.Second, 50*time.Millisecond)
	require.Len(t, webhooksOf(a), 1)
}
