package app

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin"
	"github.com/waygate/waygate/internal/admin/webhook"
)

// Webhooks are the settings about who is told of changes, besides those that people add.
type Webhooks struct {
	WebhooksFile   string        `env:"WAYGATE_WEBHOOKS_FILE"  flag:"webhooks-file"  value:"FILE" usage:"endpoints that are told of changes, as YAML; read again when it changes"`
	WebhooksAllow  []string      `env:"WAYGATE_WEBHOOKS_ALLOW" flag:"webhooks-allow" value:"CIDR" usage:"internal receivers that the endpoints of the environment may be: CIDR, address or host"`
	SlackURL       string        `env:"SLACK_WEBHOOK_URL"      usage:"tell this Slack webhook of every change"`
	PagerDutyURL   string        `env:"PAGERDUTY_WEBHOOK_URL"  usage:"tell this address of every change; PagerDuty's events API needs PAGERDUTY_ROUTING_KEY too"`
	WebhookTimeout time.Duration `env:"WAYGATE_WEBHOOK_TIMEOUT" envDefault:"10s" flag:"webhook-timeout" usage:"how long a receiver may take to answer"`
	WebhookPace    int           `env:"WAYGATE_WEBHOOK_PACE"    envDefault:"1"   flag:"webhook-pace"    usage:"divides the pauses between tries; 1000 makes seconds of hours, to try things out"`
	PagerDutyKey   string        `env:"PAGERDUTY_ROUTING_KEY"  usage:"the integration key of the PagerDuty service"`
}

// Ids of the endpoints of the environment.
const (
	envSlackID     = "env-slack"
	envPagerDutyID = "env-pagerduty"
)

// fromEnvironment are the endpoints that variables name. What is wrong with one names its variable.
func (c *Webhooks) fromEnvironment() ([]admin.Endpoint, error) {
	var all []admin.Endpoint
	add := func(variable, id, name, address string, format webhook.Format, key string) error {
		e := webhook.Endpoint{ID: id, Name: name, URL: address, Format: format, RoutingKey: key, Allow: c.WebhooksAllow}
		if err := e.Validate(); err != nil {
			return fmt.Errorf("%s: %w", variable, err)
		}
		all = append(all, admin.Endpoint{Endpoint: e, Source: admin.SourceEnvironment})
		return nil
	}
	if c.SlackURL != "" {
		if err := add("SLACK_WEBHOOK_URL", envSlackID, "SLACK_WEBHOOK_URL", c.SlackURL, webhook.FormatSlack, ""); err != nil {
			return nil, err
		}
	}
	if c.PagerDutyURL == "" {
		return all, nil
	}
	format, key := webhook.FormatGeneric, ""
	if eventsAPI(c.PagerDutyURL) {
		format, key = webhook.FormatPagerDuty, c.PagerDutyKey
		if key == "" {
			return nil, fmt.Errorf("PAGERDUTY_WEBHOOK_URL is PagerDuty's events API: set PAGERDUTY_ROUTING_KEY to the integration key of the service, too")
		}
	}
	err := add("PAGERDUTY_WEBHOOK_URL", envPagerDutyID, "PAGERDUTY_WEBHOOK_URL", c.PagerDutyURL, format, key)
	return all, err
}

// eventsAPI reports whether an address is that of PagerDuty's Events API v2, in any of its regions:
// https://developer.pagerduty.com/docs/events-api-v2-overview.
func eventsAPI(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	host := strings.ToLower(u.Hostname())
	return strings.HasPrefix(host, "events.") && strings.HasSuffix(host, ".pagerduty.com") && strings.HasPrefix(u.Path, "/v2/") ||
		host == "events.pagerduty.com" && strings.HasPrefix(u.Path, "/v2/")
}

// configured are the endpoints of the environment and the file.
type configured struct {
	environment []admin.Endpoint
	file        *webhooksFile // nil without one
}

func (c *Webhooks) configured(log *zap.Logger) (*configured, error) {
	environment, err := c.fromEnvironment()
	if err != nil {
		return nil, err
	}
	all := &configured{environment: environment}
	if c.WebhooksFile == "" {
		return all, nil
	}
	all.file, err = openWebhooksFile(c.WebhooksFile, environment, log)
	return all, err
}

// endpoints are all that are configured now. It looks at the file at most once a second.
func (c *configured) endpoints() []admin.Endpoint {
	if c.file == nil {
		return c.environment
	}
	return append(c.file.endpoints(), c.environment...)
}

// trouble says why the file as it is now is not in force; empty when it is.
func (c *configured) trouble() string {
	if c.file == nil {
		return ""
	}
	return c.file.trouble()
}
