package admin

import (
	"slices"
	"strings"

	"github.com/waygate/waygate/internal/admin/webhook"
)

// changedMembers names the members that a change of an endpoint changed, for the audit: their values may be secret.
func changedMembers(was, is *webhook.Endpoint) string {
	members := []struct {
		name string
		same bool
	}{
		{"name", was.Name == is.Name},
		{"url", was.URL == is.URL},
		{"format", was.Format == is.Format},
		{"template", was.Template == is.Template},
		{"actions", slices.Equal(was.Filter.Actions, is.Filter.Actions)},
		{"routes", slices.Equal(was.Filter.Routes, is.Filter.Routes)},
		{"services", slices.Equal(was.Filter.Services, is.Filter.Services)},
		{"envs", slices.Equal(was.Filter.Envs, is.Filter.Envs)},
		{"secrets", slices.Equal(was.Secrets, is.Secrets)},
		{"routing_key", was.RoutingKey == is.RoutingKey},
		{"allow", slices.Equal(was.Allow, is.Allow)},
	}
	var changed []string
	for _, m := range members {
		if !m.same {
			changed = append(changed, m.name)
		}
	}
	if len(changed) == 0 {
		return ""
	}
	return "changed " + strings.Join(changed, ", ")
}
