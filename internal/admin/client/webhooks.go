package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waygate/waygate/internal/admin/wire"
)

func webhookPath(id string) string { return "/webhooks/" + url.PathEscape(id) }

// Webhooks lists the endpoints that are told of changes.
func (c *Client) Webhooks(ctx context.Context) ([]wire.Webhook, error) {
	return get[[]wire.Webhook](ctx, c, "/webhooks", nil)
}

// AddWebhook adds an endpoint; the secret that was made is in the answer and nowhere else.
func (c *Client) AddWebhook(ctx context.Context, w wire.NewWebhook) (wire.ChangedWebhook, error) {
	return change[wire.ChangedWebhook](ctx, c, http.MethodPost, "/webhooks", w)
}

// ChangeWebhook changes an endpoint; what is nil stays.
func (c *Client) ChangeWebhook(ctx context.Context, id string, w wire.WebhookChange) (wire.ChangedWebhook, error) {
	return change[wire.ChangedWebhook](ctx, c, http.MethodPatch, webhookPath(id), w)
}

// RemoveWebhook removes an endpoint.
func (c *Client) RemoveWebhook(ctx context.Context, id, reason string) (wire.ChangedWebhook, error) {
	return change[wire.ChangedWebhook](ctx, c, http.MethodDelete, webhookPath(id), wire.ReasonBody{Reason: reason})
}

// RotateWebhook gives an endpoint a new secret; the one that was made is in the answer and nowhere else.
func (c *Client) RotateWebhook(ctx context.Context, id string, r wire.WebhookRotation) (wire.ChangedWebhook, error) {
	return change[wire.ChangedWebhook](ctx, c, http.MethodPost, webhookPath(id)+"/rotate", r)
}

// SwitchWebhook enables or disables an endpoint.
func (c *Client) SwitchWebhook(ctx context.Context, id string, on bool, reason string) (wire.ChangedWebhook, error) {
	how := "/disable"
	if on {
		how = "/enable"
	}
	return change[wire.ChangedWebhook](ctx, c, http.MethodPost, webhookPath(id)+how, wire.ReasonBody{Reason: reason})
}

// Deliveries lists the last attempts to deliver to an endpoint, newest first.
func (c *Client) Deliveries(ctx context.Context, id string, limit int) ([]wire.WebhookDelivery, error) {
	return get[[]wire.WebhookDelivery](ctx, c, webhookPath(id)+"/deliveries", url.Values{"limit": {strconv.Itoa(limit)}})
}

// DeadLetters lists the events that are not tried again by themselves, oldest first.
func (c *Client) DeadLetters(ctx context.Context, id string) ([]wire.DeadLetter, error) {
	return get[[]wire.DeadLetter](ctx, c, webhookPath(id)+"/dead", nil)
}

// TestWebhook sends an endpoint a sample of each event.
func (c *Client) TestWebhook(ctx context.Context, id string) (wire.SentWebhooks, error) {
	return change[wire.SentWebhooks](ctx, c, http.MethodPost, webhookPath(id)+"/test", nil)
}

// Redeliver sends deliveries or dead letters again.
func (c *Client) Redeliver(ctx context.Context, id string, body wire.RedeliverBody) (wire.SentWebhooks, error) {
	return change[wire.SentWebhooks](ctx, c, http.MethodPost, webhookPath(id)+"/redeliver", body)
}
