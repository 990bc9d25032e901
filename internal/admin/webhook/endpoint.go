package webhook

import (
	"context"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waygate/waygate/internal/state"
)

// Format names how an event is written for its receiver.
type Format string

// The formats.
const (
	FormatGeneric   Format = "generic"
	FormatSlack     Format = "slack"
	FormatTeams     Format = "teams"
	FormatPagerDuty Format = "pagerduty"
	FormatDiscord   Format = "discord"
	FormatTemplate  Format = "template" // Endpoint.Template, a text/template that yields JSON
)

// Formats are all of them, in the order in which people are told of them.
func Formats() []Format {
	return []Format{FormatGeneric, FormatSlack, FormatTeams, FormatPagerDuty, FormatDiscord, FormatTemplate}
}

// Endpoint is one receiver of events.
type Endpoint struct {
	// ID never changes; it is part of the ids of deliveries. At most 64 bytes of [A-Za-z0-9_-].
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// URL is https://…, or http://… where Allow names what is connected to. Without userinfo.
	URL string `json:"url"`
	// Format is generic when empty.
	Format Format `json:"format,omitempty"`
	// Template is the text of FormatTemplate.
	Template string `json:"template,omitempty"`
	Filter   Filter `json:"filter,omitzero"`
	// Secrets sign each delivery, each by its own signature; several while rotating, none for an unsigned endpoint.
	Secrets []Secret `json:"secrets,omitempty"`
	// RoutingKey is the integration key of FormatPagerDuty.
	RoutingKey string `json:"routing_key,omitempty"`
	// Allow lists internal receivers that may be connected to: CIDR, address, host, or any of the last two with :port.
	Allow []string `json:"allow,omitempty"`
	// Disabled endpoints are sent nothing, and events meanwhile are not kept for them; Why says who or what did that.
	Disabled bool      `json:"disabled,omitempty"`
	Why      string    `json:"disabled_reason,omitempty"`
	Created  time.Time `json:"created_at,omitzero"`
	By       string    `json:"created_by,omitempty"`
}

// Endpoints is where the dispatcher finds the endpoints there are. It is asked every second, and as soon as Changed of
// the dispatcher is called.
type Endpoints interface {
	// Endpoints are all endpoints, disabled ones too, in any order.
	Endpoints(ctx context.Context) ([]Endpoint, error)
	// Disable marks an endpoint as disabled because of why: it answered 410. An endpoint that is gone is no error.
	Disable(ctx context.Context, id, why string) error
}

// Bounds of an endpoint.
const (
	maxEndpointID = 64
	maxName       = 200
	maxURL        = 2048
	maxTemplate   = 16 << 10
	maxSecrets    = 8
	maxAllow      = 64
	maxFilter     = 500
	maxRoutingKey = 128
)

// Validate says what is wrong with an endpoint, in an *state.InvalidError whose field is the JSON name of the member. It
// resolves no name: what is connected to is checked when that happens.
func (e *Endpoint) Validate() error {
	switch {
	case !validID(e.ID):
		return state.Invalid("id", "an endpoint's id is 1 to %d of [A-Za-z0-9_-]", maxEndpointID)
	case len(e.Name) > maxName || !utf8.ValidString(e.Name):
		return state.Invalid("name", "an endpoint's name is text of at most %d bytes", maxName)
	case e.Format != "" && !slices.Contains(Formats(), e.Format):
		return state.Invalid("format", "%q is no format: one of %s", e.Format, formatList())
	case len(e.Secrets) > maxSecrets:
		return state.Invalid("secrets", "an endpoint has at most %d secrets", maxSecrets)
	case len(e.Allow) > maxAllow:
		return state.Invalid("allow", "an endpoint allows at most %d receivers", maxAllow)
	}
	if err := e.validateFormat(); err != nil {
		return err
	}
	for _, secret := range e.Secrets {
		if err := secret.Validate(); err != nil {
			return err
		}
	}
	if _, err := parseAllow(e.Allow); err != nil {
		return err
	}
	if err := e.validateURL(); err != nil {
		return err
	}
	return e.Filter.Validate()
}

func validID(id string) bool {
	if id == "" || len(id) > maxEndpointID {
		return false
	}
	return strings.Trim(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func formatList() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

func (e *Endpoint) validateFormat() error {
	switch {
	case e.Format == FormatTemplate:
		if len(e.Template) > maxTemplate {
			return state.Invalid("template", "a template has at most %d bytes", maxTemplate)
		}
		_, err := parseTemplate(e.Template)
		return err
	case e.Template != "":
		return state.Invalid("template", "a template goes with the format %q", FormatTemplate)
	case e.Format == FormatPagerDuty && (e.RoutingKey == "" || len(e.RoutingKey) > maxRoutingKey):
		return state.Invalid("routing_key", "the format %q needs a routing_key: the integration key of the PagerDuty service", e.Format)
	case e.Format != FormatPagerDuty && e.RoutingKey != "":
		return state.Invalid("routing_key", "a routing_key goes with the format %q", FormatPagerDuty)
	}
	return nil
}

func (e *Endpoint) validateURL() error {
	u, err := url.Parse(e.URL)
	switch {
	case err != nil || len(e.URL) > maxURL || u.Opaque != "" || u.Hostname() == "":
		return state.Invalid("url", "an endpoint's url is https://HOST/…, at most %d bytes", maxURL)
	case u.User != nil:
		return state.Invalid("url", "an endpoint's url carries no user or password: use a secret")
	case u.Fragment != "":
		return state.Invalid("url", "an endpoint's url has no #fragment")
	case u.Scheme != "https" && u.Scheme != "http":
		return state.Invalid("url", "an endpoint's url begins with https://")
	case u.Scheme == "http" && len(e.Allow) == 0:
		return state.Invalid("url", "an endpoint's url begins with https://; http:// only to what allow lists")
	case strings.ContainsAny(u.Hostname(), "%\\ "):
		return state.Invalid("url", "%q is no host", u.Hostname())
	}
	allow, err := parseAllow(e.Allow)
	if err != nil {
		return err
	}
	// An address in the URL can be told at once; a name only when it is connected to.
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		if problem := allow.check(target{host: u.Hostname(), port: portOf(u), secure: u.Scheme == "https"}, addr); problem != nil {
			return state.Invalid("url", "%s", problem.Error())
		}
	}
	return nil
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	default:
		return "443"
	}
}

// format is the endpoint's format with its default.
func (e *Endpoint) format() Format {
	if e.Format == "" {
		return FormatGeneric
	}
	return e.Format
}

// hidden stands where something secret was taken out.
const hidden = "********"

// Redacted is the endpoint without what gives power: secrets, the routing key, and the path and query of the URL where
// knowing it is enough to post.
func (e *Endpoint) Redacted() Endpoint {
	r := *e
	r.Secrets = nil
	for _, s := range e.Secrets {
		r.Secrets = append(r.Secrets, Secret{Value: SecretPrefix + hidden, Until: s.Until})
	}
	if r.RoutingKey != "" {
		r.RoutingKey = hidden
	}
	r.URL = e.shownURL()
	return r
}

// shownURL is the URL as logs and answers show it.
func (e *Endpoint) shownURL() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return hidden
	}
	open := e.format() == FormatGeneric || e.format() == FormatPagerDuty
	if !open && len(u.Path) > 1 {
		return u.Scheme + "://" + u.Host + "/" + hidden
	}
	if u.RawQuery != "" {
		u.RawQuery = hidden
	}
	u.User = nil
	return u.String()
}
