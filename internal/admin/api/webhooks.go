package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// WebhookNamed names an endpoint in an address.
type WebhookNamed struct {
	ID string `path:"id" doc:"The endpoint's id"`
}

// onWebhook is the input of a change of one endpoint.
type onWebhook[B any] struct {
	WebhookNamed
	Retried
	Body B
}

// webhookCalls registers the calls on endpoints.
func (s *server) webhookCalls(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/webhooks", "list-webhooks", "webhooks", "The endpoints that are told of changes, by name"),
		people.ScopeChange, s.listWebhooks)
	handle(s, d, operation(http.MethodPost, "/webhooks", "add-webhook", "webhooks", "Add an endpoint; its signing secret is told in this answer only"),
		people.ScopeAdmin, s.addWebhook)
	handle(s, d, operation(http.MethodGet, "/webhooks/{id}", "get-webhook", "webhooks", "One endpoint"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *WebhookNamed) (wire.Webhook, error) {
			e, err := s.cfg.Endpoints.Get(ctx, who, in.ID)
			return webhookOf(&e, who), err
		})
	handle(s, d, operation(http.MethodPatch, "/webhooks/{id}", "change-webhook", "webhooks", "Change an endpoint; what is absent stays"),
		people.ScopeAdmin, s.changeWebhook)
	handle(s, d, operation(http.MethodDelete, "/webhooks/{id}", "remove-webhook", "webhooks", "Remove an endpoint, with what was still to be sent to it"),
		people.ScopeAdmin, func(ctx context.Context, who people.Principal, in *onWebhook[wire.ReasonBody]) (wire.ChangedWebhook, error) {
			return changedWebhook(who)(s.cfg.Endpoints.Remove(ctx, who, retryOf(in, "remove"), in.ID, in.Body.Reason))
		})
	handle(s, d, operation(http.MethodPost, "/webhooks/{id}/rotate", "rotate-webhook", "webhooks",
		"Give an endpoint a new signing secret; the one before stays valid for a while"), people.ScopeAdmin, s.rotateWebhook)
	for how, on := range map[string]bool{"enable": true, "disable": false} {
		summary := map[bool]string{true: "Send to an endpoint again", false: "Send an endpoint nothing more; what happens meanwhile is not kept for it"}[on]
		handle(s, d, operation(http.MethodPost, "/webhooks/{id}/"+how, how+"-webhook", "webhooks", summary),
			people.ScopeAdmin, func(ctx context.Context, who people.Principal, in *onWebhook[wire.ReasonBody]) (wire.ChangedWebhook, error) {
				return changedWebhook(who)(s.cfg.Endpoints.Switch(ctx, who, retryOf(in, how), in.ID, on, in.Body.Reason))
			})
	}
}

func retryOf[B any](in *onWebhook[B], how string) admin.Retry {
	return admin.Retry{Key: in.Retry, Asked: asked("webhook "+how, in.ID, in.Body)}
}

func (s *server) listWebhooks(ctx context.Context, who people.Principal, _ *nothing) ([]wire.Webhook, error) {
	list, err := s.cfg.Endpoints.List(ctx, who)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := make([]wire.Webhook, len(list))
	for i := range list {
		out[i] = webhookOf(&list[i], who)
	}
	return out, nil
}

func (s *server) addWebhook(ctx context.Context, who people.Principal, in *global[wire.NewWebhook]) (wire.ChangedWebhook, error) {
	b := &in.Body
	wanted := webhook.Endpoint{
		Name: b.Name, URL: b.URL, Format: webhook.Format(b.Format), Template: b.Template, RoutingKey: b.RoutingKey,
		Allow: b.Allow, Disabled: b.Disabled,
		Filter: webhook.Filter{Actions: actions(b.Actions), Routes: b.Routes, Services: b.Services, Envs: b.Envs},
	}
	if b.Secret != "" {
		wanted.Secrets = []webhook.Secret{{Value: b.Secret}}
	}
	if b.Disabled {
		wanted.Why = "by " + who.Name
	}
	return changedWebhook(who)(s.cfg.Endpoints.Add(ctx, who, admin.Retry{Key: in.Retry, Asked: in.Body}, wanted))
}

func actions(names []string) []state.Action {
	var all []state.Action
	for _, name := range names {
		all = append(all, state.Action(name))
	}
	return all
}

func (s *server) changeWebhook(ctx context.Context, who people.Principal, in *onWebhook[wire.WebhookChange]) (wire.ChangedWebhook, error) {
	return changedWebhook(who)(s.cfg.Endpoints.Change(ctx, who, retryOf(in, "change"), in.ID, in.Body.Reason,
		func(e *webhook.Endpoint) { amendEndpoint(e, &in.Body) }))
}

// amendEndpoint sets what is asked for. What goes with one format only leaves with it.
func amendEndpoint(e *webhook.Endpoint, b *wire.WebhookChange) {
	set(&e.URL, b.URL)
	set(&e.Name, b.Name)
	if b.Format != nil {
		e.Format = webhook.Format(*b.Format)
		if e.Format != webhook.FormatTemplate {
			e.Template = ""
		}
		if e.Format != webhook.FormatPagerDuty {
			e.RoutingKey = ""
		}
	}
	set(&e.Template, b.Template)
	set(&e.RoutingKey, b.RoutingKey)
	set(&e.Allow, b.Allow)
	set(&e.Filter.Routes, b.Routes)
	set(&e.Filter.Services, b.Services)
	set(&e.Filter.Envs, b.Envs)
	if b.Actions != nil {
		e.Filter.Actions = actions(*b.Actions)
	}
}

func set[T any](member, to *T) {
	if to != nil {
		*member = *to
	}
}

func (s *server) rotateWebhook(ctx context.Context, who people.Principal, in *onWebhook[wire.WebhookRotation]) (wire.ChangedWebhook, error) {
	grace := admin.DefaultGrace
	if in.Body.Grace != "" {
		var err error
		if grace, err = wire.ParseGrace(in.Body.Grace); err != nil {
			return wire.ChangedWebhook{}, state.Invalid("grace", "%q is not a duration: write 24h or 7d", in.Body.Grace)
		}
	}
	return changedWebhook(who)(s.cfg.Endpoints.Rotate(ctx, who, retryOf(in, "rotate"), in.ID, webhook.Secret{Value: in.Body.Secret}, grace))
}

// changedWebhook renders what a change came to, for whoever made it.
func changedWebhook(who people.Principal) func(admin.ChangedEndpoint, error) (wire.ChangedWebhook, error) {
	return func(c admin.ChangedEndpoint, err error) (wire.ChangedWebhook, error) {
		if err != nil {
			return wire.ChangedWebhook{}, err
		}
		return wire.ChangedWebhook{
			Webhook: webhookOf(&c.Endpoint, who), Secret: c.Secret, Changed: c.Changed, Duplicate: c.Duplicate, Place: place(c.At),
		}, nil
	}
}

// webhookOf renders an endpoint, without what is secret.
func webhookOf(e *admin.Endpoint, who people.Principal) wire.Webhook {
	shown := e.Redacted()
	out := wire.Webhook{
		ID: e.ID, Name: e.Name, URL: shown.URL, Format: string(e.Format), Source: e.Source,
		Actions: []string{}, Routes: listed(e.Filter.Routes), Services: listed(e.Filter.Services), Envs: listed(e.Filter.Envs),
		Allow: listed(e.Allow), Disabled: e.Disabled, Why: e.Why, Secrets: []wire.WebhookSecret{}, RoutingKey: e.RoutingKey != "",
		By: e.By, At: wire.StampOrNil(e.Created), ChangedBy: e.ChangedBy, ChangedAt: wire.StampOrNil(e.Changed),
	}
	if e.Format == "" {
		out.Format = string(webhook.FormatGeneric)
	}
	if who.Role == people.Admin {
		out.URL, out.Template = e.URL, e.Template
	}
	for _, a := range e.Filter.Actions {
		out.Actions = append(out.Actions, string(a))
	}
	for _, secret := range e.Secrets {
		if secret.Until.IsZero() || secret.Until.After(time.Now()) {
			out.Secrets = append(out.Secrets, wire.WebhookSecret{Until: wire.StampOrNil(secret.Until)})
		}
	}
	return out
}

func listed(list []string) []string { return append([]string{}, list...) }
