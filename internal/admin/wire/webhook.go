package wire

import "time"

// NewWebhook is the body of POST /api/webhooks.
type NewWebhook struct {
	URL    string `json:"url" maxLength:"2048" doc:"With TLS, but to what allow lists" example:"https://hooks.example.com/waygate"`
	Name   string `json:"name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f/]*$" doc:"What people call it; no two have the same"`
	Format string `json:"format,omitempty" enum:"generic,slack,teams,pagerduty,discord,template" doc:"Default generic"`
	// Template is a text/template that yields JSON.
	Template string `json:"template,omitempty" maxLength:"16384" doc:"Of the format template: a Go text/template that yields JSON"`
	WebhookFilter
	Secret     string   `json:"secret,omitempty" maxLength:"200" doc:"Signs each delivery: whsec_ and the base64 of 24 to 64 bytes; without one, one is made and told in the answer"`
	RoutingKey string   `json:"routing_key,omitempty" maxLength:"128" doc:"Of the format pagerduty: the integration key of the service"`
	Allow      []string `json:"allow,omitempty" maxItems:"64" doc:"Internal receivers that may be connected to: CIDR, address or host, the last two with :port if need be"`
	Disabled   bool     `json:"disabled,omitempty" doc:"Made, but sent nothing until it is enabled"`
}

// WebhookFilter says which events an endpoint is sent. A member that is empty asks for all.
type WebhookFilter struct {
	Actions  []string `json:"actions,omitempty" maxItems:"100" doc:"Only these events" example:"[\"maintenance_on\",\"maintenance_off\"]"`
	Routes   []string `json:"routes,omitempty" maxItems:"500" doc:"Only what touches these route keys, sets or switches"`
	Services []string `json:"services,omitempty" maxItems:"500" doc:"Only what touches these services"`
	Envs     []string `json:"envs,omitempty" maxItems:"500" doc:"Of environment gates, only those that shut one of these out"`
}

// WebhookChange is the body of PATCH /api/webhooks/{id}. What is absent stays; an empty list asks for all.
type WebhookChange struct {
	URL        *string   `json:"url,omitempty" maxLength:"2048"`
	Name       *string   `json:"name,omitempty" maxLength:"100" pattern:"^[^\\x00-\\x1f/]*$"`
	Format     *string   `json:"format,omitempty" enum:"generic,slack,teams,pagerduty,discord,template" doc:"A template or a routing_key goes with the format that needs it"`
	Template   *string   `json:"template,omitempty" maxLength:"16384"`
	Actions    *[]string `json:"actions,omitempty" maxItems:"100"`
	Routes     *[]string `json:"routes,omitempty" maxItems:"500"`
	Services   *[]string `json:"services,omitempty" maxItems:"500"`
	Envs       *[]string `json:"envs,omitempty" maxItems:"500"`
	RoutingKey *string   `json:"routing_key,omitempty" maxLength:"128"`
	Allow      *[]string `json:"allow,omitempty" maxItems:"64"`
	Reason     string    `json:"reason,omitempty" maxLength:"1000" doc:"Kept in the audit"`
}

// WebhookRotation is the body of POST /api/webhooks/{id}/rotate.
type WebhookRotation struct {
	Secret string `json:"secret,omitempty" maxLength:"200" doc:"The new secret; without one, one is made"`
	Grace  string `json:"grace,omitempty" maxLength:"20" doc:"How long the secret before stays valid: at most 30d, default 24h" example:"24h"`
}

// Webhook is an endpoint: a receiver of events. Secrets and routing keys are never told; of an address that is a secret by
// itself, whoever is no admin sees the host only.
type Webhook struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	URL      string `json:"url"`
	Format   string `json:"format" enum:"generic,slack,teams,pagerduty,discord,template"`
	Template string `json:"template,omitempty" doc:"Told to admins only"`
	Source   string `json:"source" enum:"store,file,environment" doc:"file and environment: it is changed there and not here"`

	Actions  []string `json:"actions" nullable:"false"`
	Routes   []string `json:"routes" nullable:"false"`
	Services []string `json:"services" nullable:"false"`
	Envs     []string `json:"envs" nullable:"false"`
	Allow    []string `json:"allow" nullable:"false"`

	Disabled   bool            `json:"disabled"`
	Why        string          `json:"disabled_reason,omitempty" doc:"Who or what disabled it"`
	Secrets    []WebhookSecret `json:"secrets" nullable:"false" doc:"Those that sign, without their text"`
	RoutingKey bool            `json:"has_routing_key"`
	By         string          `json:"created_by,omitempty"`
	At         *time.Time      `json:"created_at,omitempty"`
	ChangedBy  string          `json:"changed_by,omitempty"`
	ChangedAt  *time.Time      `json:"changed_at,omitempty"`
}

// WebhookSecret tells that there is a secret.
type WebhookSecret struct {
	Until *time.Time `json:"until" doc:"When it stops to sign; null: it is the one that stays"`
}

// ChangedWebhook answers a change of an endpoint. Of one that was removed, it tells what it was.
type ChangedWebhook struct {
	Webhook
	Secret    string `json:"secret,omitempty" doc:"The secret that was made; it is not shown again"`
	Changed   bool   `json:"changed"`
	Duplicate bool   `json:"duplicate,omitempty"`
	Place
}
