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
	var list []wire.Webhook
	err := c.Get(ctx, "/webhooks", nil, &list)
	return list, err
}

// Webhook reads one endpoint.
func (c *Client) Webhook(ctx context.Context, id string) (wire.Webhook, error) {
	var w wire.Webhook
	err := c.Get(ctx, webhookPath(id), nil, &w)
	return w, err
}

// AddWebhook adds an endpoint; the secret that was made is in the answer and nowhere else.
func (c *Client) AddWebhook(ctx context.Context, w wire.NewWebhook) (wire.ChangedWebhook, error) {
	var a wire.ChangedWebhook
	err := c.Change(ctx, http.MethodPost, "/webhooks", w, &a)
	return a, err
}

// ChangeWebhook changes an endpoint; what is nil stays.
func (c *Client) ChangeWebhook(ctx context.Context, id string, w wire.WebhookChange) (wire.ChangedWebhook, error) {
	var a wire.ChangedWebhook
	err := c.Change(ctx, http.MethodPatch, webhookPath(id), w, &a)
	return a, err
}

// RemoveWebhook removes an endpoint.
func (c *Client) RemoveWebhook(ctx context.Context, id, reason string) (wire.ChangedWebhook, error) {
	var a wire.ChangedWebhook
	err := c.Change(ctx, http.MethodDelete, webhookPath(id), wire.ReasonBody{Reason: reason}, &a)
	return a, err
}

// RotateWebhook gives an endpoint a new secret; the one that was made is in the answer and nowhere else.
func (c *Client) RotateWebhook(ctx context.Context, id string, r wire.WebhookRotation) (wire.ChangedWebhook, error) {
	var a wire.ChangedWebhook
	err := c.Change(ctx, http.MethodPost, webhookPath(id)+"/rotate", r, &a)
	return a, err
}

// SwitchWebhook enables or disables an endpoint.
func (c *Client) SwitchWebhook(ctx context.Context, id string, on bool, reason string) (wire.ChangedWebhook, error) {
	how := "/disable"
	if on {
		how = "/enable"
	}
	var a wire.ChangedWebhook
	err := c.Change(ctx, http.MethodPost, webhookPath(id)+how, wire.ReasonBody{Reason: reason}, &a)
	return a, err
}

// Deliveries lists the last attempts to deliver to an endpoint, newest first.
func (c *Client) Deliveries(ctx context.Context, id string, limit int) ([]wire.WebhookDelivery, error) {
	var list []wire.WebhookDelivery
	err := c.Get(ctx, webhookPath(id)+"/deliveries", url.Values{"limit": {strconv.Itoa(limit)}}, &list)
	return list, err
}

// DeadLetters lists the events that are not tried again by themselves, oldest first.
func (c *Client) DeadLetters(ctx context.Context, id string) ([]wire.DeadLetter, error) {
	var list []wire.DeadLetter
	err := c.Get(ctx, webhookPath(id)+"/dead", nil, &list)
	return list, err
}

// TestWebhook sends an endpoint a sample of each event.
func (c *Client) TestWebhook(ctx context.Context, id string) (wire.SentWebhooks, error) {
	var sent wire.SentWebhooks
	err := c.Change(ctx, http.MethodPost, webhookPath(id)+"/test", nil, &sent)
	return sent, err
}

// Redeliver sends deliveries or dead letters again.
func (c *Client) Redeliver(ctx context.Context, id string, body wire.RedeliverBody) (wire.SentWebhooks, error) {
	var sent wire.SentWebhooks
	err := c.Change(ctx, http.MethodPost, webhookPath(id)+"/redeliver", body, &sent)
	return sent, err
}
