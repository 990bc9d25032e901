package webhook_test

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// Whatever an endpoint asks for, a test of it has something to send.
func TestSamplesFitTheFilter(t *testing.T) {
	tests := []struct {
		name   string
		filter webhook.Filter
		path   string // of a disable that passes; empty is none
	}{
		{"none", webhook.Filter{}, "orders:GET:/payments"},
		{"routes", webhook.Filter{Routes: []string{"/hook/**", "/b"}}, "/hook/**"},
		{"a service", webhook.Filter{Services: []string{"pay", "orders"}}, "pay:GET:/payments"},
		{"routes of a service", webhook.Filter{Services: []string{"pay"}, Routes: []string{"GET:/users/{id}"}}, "pay:GET:/users/{}"},
		{"a route with its service", webhook.Filter{Routes: []string{"__global__", "pay:POST:/a"}}, "pay:POST:/a"},
		{"environments", webhook.Filter{Envs: []string{"production"}}, "orders:GET:/payments"},
		{"the switch of a service", webhook.Filter{Routes: []string{state.ServicePath("pay")}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.filter.Validate())
			passed := map[state.Action]string{}
			for _, ev := range webhook.Samples(&webhook.Endpoint{ID: "e", Filter: tt.filter}, time.Now()) {
				if webhook.Passes(&tt.filter, &state.Record{Action: ev.Action, Path: ev.Path}, nil) {
					passed[ev.Action] = ev.Path
				}
			}
			require.Equal(t, tt.path, passed[state.ActionDisable])
			require.NotEmpty(t, passed[state.ActionServiceOn])
		})
	}
}

// A receiver that is tested must not find less than it will be sent.
func TestSamplesHaveEveryMemberOfAState(t *testing.T) {
	route := []string{
		"allowed_envs", "allowed_ips", "allowed_roles", "force_active", "path", "reason", "rollout_percentage", "service", "status",
		"successor_path", "sunset_date", "window",
	}
	for _, ev := range webhook.Samples(&webhook.Endpoint{ID: "e"}, time.Now()) {
		var is map[string]any
		require.NoError(t, json.Unmarshal(ev.State, &is))
		want := route
		if _, isSwitch := is["enabled"]; isSwitch {
			want = []string{"enabled", "exempt_paths", "include_force_active", "reason"}
		}
		require.Equal(t, want, slices.Sorted(maps.Keys(is)), ev.Action)
	}
}
