package wire

import "time"

// WebhookDelivery is one attempt to deliver an event to an endpoint.
type WebhookDelivery struct {
	ID      string    `json:"id" doc:"Of the attempt"`
	EventID string    `json:"event_id" doc:"The webhook-id, the same for every attempt"`
	Event   string    `json:"event" doc:"The name of the action"`
	Path    string    `json:"path" doc:"A route key, __global__ or __waygate:svc_global:NAME__"`
	Test    bool      `json:"test,omitempty" doc:"A sample: nothing happened"`
	Try     int       `json:"try" doc:"1 is the first"`
	Outcome string    `json:"outcome" enum:"delivered,refused,gone,failed" doc:"delivered: 2xx; refused: another status; gone: 410, which disables the endpoint; failed: no answer"`
	Why     string    `json:"why" enum:"schedule,redeliver,replay,test" doc:"What made it made"`
	At      time.Time `json:"at"`
	TookMS  float64   `json:"took_ms"`
	Error   string    `json:"error,omitempty"`
	By      string    `json:"by,omitempty" doc:"The admin that made it"`
	// Request and Response are what went over the line, without secrets and cut where they are long.
	Request  WebhookRequest   `json:"request"`
	Response *WebhookResponse `json:"response" doc:"Null: there was none"`
	Place
}

// WebhookRequest is what was sent.
type WebhookRequest struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// WebhookResponse is what was answered.
type WebhookResponse struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// DeadLetter is an event that is not tried again by itself.
type DeadLetter struct {
	EventID string    `json:"event_id" doc:"What redeliver takes"`
	Event   string    `json:"event"`
	Path    string    `json:"path"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at" doc:"When it happened"`
	Tries   int       `json:"tries"`
	DiedAt  time.Time `json:"died_at"`
	Why     string    `json:"why" doc:"How the last attempt ended"`
	Place
}

// RedeliverBody is the body of POST /api/webhooks/{id}/redeliver: one of its members.
type RedeliverBody struct {
	Deliveries []string `json:"deliveries,omitempty" maxItems:"200" doc:"Ids of deliveries, of events or of dead letters"`
	AllDead    bool     `json:"all_dead,omitempty" doc:"All dead letters, oldest first, up to the first that does not arrive"`
}

// SentWebhooks answers what is sent by hand.
type SentWebhooks struct {
	Done       bool              `json:"done" doc:"False: it is still under way, and the deliveries tell how it ends"`
	Deliveries []WebhookDelivery `json:"deliveries" nullable:"false" doc:"How each ended"`
}
