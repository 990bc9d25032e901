package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// deliveriesQuery asks for what was sent to an endpoint. Limit is text so that one of any size is capped, not refused.
type deliveriesQuery struct {
	WebhookNamed
	Limit string `query:"limit" doc:"How many at most; default 50" example:"50"`
}

const (
	defaultDeliveries = 50
	maxDeliveries     = 1000
)

// deliveryCalls registers the calls on what is sent to endpoints.
func (s *server) deliveryCalls(d huma.API) {
	handle(s, d, operation(http.MethodGet, "/webhooks/{id}/deliveries", "list-deliveries", "webhooks", "The last attempts to deliver to an endpoint, newest first"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *deliveriesQuery) ([]wire.WebhookDelivery, error) {
			n, err := in.limit()
			if err != nil {
				return nil, err
			}
			all, err := s.cfg.Endpoints.Log(ctx, who, in.ID)
			return deliveriesOf(all[:min(len(all), n)]), err
		})
	handle(s, d, operation(http.MethodGet, "/webhooks/{id}/dead", "list-dead-letters", "webhooks", "The events that are not tried again by themselves, oldest first"),
		people.ScopeChange, s.deadLetters)
	handle(s, d, operation(http.MethodPost, "/webhooks/{id}/test", "test-webhook", "webhooks", "Send a sample of each event that the endpoint would be sent"),
		people.ScopeChange, func(ctx context.Context, who people.Principal, in *WebhookNamed) (wire.SentWebhooks, error) {
			return sentOf(s.cfg.Endpoints.Test(ctx, who, in.ID))
		})
	handle(s, d, operation(http.MethodPost, "/webhooks/{id}/redeliver", "redeliver-webhook", "webhooks", "Send deliveries or dead letters again, under the ids they had"),
		people.ScopeChange, s.redeliver)
}

func (q *deliveriesQuery) limit() (int, error) {
	n, ok := countOf(q.Limit, defaultDeliveries, maxDeliveries)
	if !ok {
		return 0, state.Invalid("limit", "limit: %.40q is not a number of deliveries", q.Limit)
	}
	return n, nil
}

// countOf reads how many of something are asked for: at most so many, and a default where nothing is said.
func countOf(text string, otherwise, most int) (int, bool) {
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(n) || n < 0 {
		return 0, false
	}
	return int(min(n, float64(most))), true
}

func (s *server) deadLetters(ctx context.Context, who people.Principal, in *deliveriesQuery) ([]wire.DeadLetter, error) {
	n, err := in.limit()
	if err != nil {
		return nil, err
	}
	all, err := s.cfg.Endpoints.Dead(ctx, who, in.ID)
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	if in.Limit == "" {
		n = maxDeliveries
	}
	out := make([]wire.DeadLetter, min(len(all), n))
	for i := range out {
		l := &all[i]
		out[i] = wire.DeadLetter{
			EventID: l.Event.ID, Event: string(l.Event.Action), Path: l.Event.Path, Reason: l.Event.Reason, At: wire.Stamp(l.Event.At),
			Tries: l.Tries, DiedAt: wire.Stamp(l.Died), Why: l.Why, Place: wire.Place{Revision: l.Event.Rev, Epoch: l.Event.Epoch},
		}
	}
	return out, nil
}

func (s *server) redeliver(ctx context.Context, who people.Principal, in *onWebhook[wire.RedeliverBody]) (wire.SentWebhooks, error) {
	switch {
	case in.Body.AllDead && len(in.Body.Deliveries) > 0:
		return wire.SentWebhooks{}, state.Invalid("all_dead", "name deliveries, or say all_dead: one of them")
	case in.Body.AllDead:
		return sentOf(s.cfg.Endpoints.Replay(ctx, who, in.ID))
	default:
		return sentOf(s.cfg.Endpoints.Redeliver(ctx, who, in.ID, in.Body.Deliveries))
	}
}

func sentOf(sent admin.Sent, err error) (wire.SentWebhooks, error) {
	if err != nil {
		return wire.SentWebhooks{}, fmt.Errorf("send by hand: %w", err)
	}
	return wire.SentWebhooks{Done: sent.Done, Deliveries: deliveriesOf(sent.Attempts)}, nil
}

func deliveriesOf(all []webhook.Attempt) []wire.WebhookDelivery {
	out := make([]wire.WebhookDelivery, len(all))
	for i := range all {
		a := &all[i]
		out[i] = wire.WebhookDelivery{
			ID: a.ID, EventID: a.Event.ID, Event: string(a.Event.Action), Path: a.Event.Path, Test: a.Event.Test, Try: a.Try,
			Outcome: string(a.Outcome), Why: a.Why, At: wire.Stamp(a.At), TookMS: milliseconds(a.Took), Error: a.Error, By: a.By,
			Request: wire.WebhookRequest(a.Request), Place: wire.Place{Revision: a.Event.Rev, Epoch: a.Event.Epoch},
		}
		if a.Response.Status > 0 {
			response := wire.WebhookResponse(a.Response)
			out[i].Response = &response
		}
	}
	return out
}
