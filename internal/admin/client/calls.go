package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/waygate/waygate/internal/admin/wire"
)

func routePath(key string) string { return "/routes/" + wire.Segment(key) }

// Routes lists the states of all known routes, or of those of one service.
func (c *Client) Routes(ctx context.Context, service string) ([]wire.Route, error) {
	query := url.Values{}
	if service != "" {
		query.Set("service", service)
	}
	return get[[]wire.Route](ctx, c, "/routes", query)
}

// Route reads the state of one key.
func (c *Client) Route(ctx context.Context, key string) (wire.Route, error) {
	return get[wire.Route](ctx, c, routePath(key), nil)
}

// Changes makes several changes as one commit.
func (c *Client) Changes(ctx context.Context, commands ...wire.Command) (wire.ChangesAnswer, error) {
	return change[wire.ChangesAnswer](ctx, c, http.MethodPost, "/changes", wire.Changes{Changes: commands})
}

func switchPath(service string) string {
	if service == "" {
		return "/global"
	}
	return "/services/" + url.PathEscape(service) + "/maintenance"
}

// Switch reads the global switch (empty service) or that of a service.
func (c *Client) Switch(ctx context.Context, service string) (wire.Switch, error) {
	return get[wire.Switch](ctx, c, switchPath(service), nil)
}

// SetSwitch shuts (enable), opens (disable) or exempts; empty service is the global switch.
func (c *Client) SetSwitch(ctx context.Context, service, action string, body any) (wire.ChangedSwitch, error) {
	return change[wire.ChangedSwitch](ctx, c, http.MethodPost, switchPath(service)+"/"+action, body)
}

// Services lists the services anybody named.
func (c *Client) Services(ctx context.Context) ([]string, error) {
	return get[[]string](ctx, c, "/services", nil)
}

// Instances lists the fleet; Enforces of each is measured against a place, unless that is zero.
func (c *Client) Instances(ctx context.Context, at wire.Place) ([]wire.Instance, error) {
	query := url.Values{}
	if at.Revision > 0 {
		query.Set("revision", strconv.FormatUint(at.Revision, 10))
		query.Set("epoch", at.Epoch)
	}
	return get[[]wire.Instance](ctx, c, "/instances", query)
}

// ForgetInstance takes an instance out of the fleet.
func (c *Client) ForgetInstance(ctx context.Context, id string) error {
	var done wire.Done
	return c.change(ctx, http.MethodDelete, "/instances/"+url.PathEscape(id), nil, &done)
}

// Login exchanges a password for a token.
func (c *Client) Login(ctx context.Context, user, password string) (wire.Login, error) {
	var l wire.Login
	_, err := c.callLogin(ctx, user, password, &l)
	return l, err
}

// Logout revokes the client's token.
func (c *Client) Logout(ctx context.Context) error {
	var done wire.Done
	return c.change(ctx, http.MethodPost, "/auth/logout", nil, &done)
}

// Tokens lists machine tokens.
func (c *Client) Tokens(ctx context.Context) ([]wire.Token, error) {
	return get[[]wire.Token](ctx, c, "/tokens", nil)
}

// CreateToken makes a machine token; its text is in the answer and nowhere else.
func (c *Client) CreateToken(ctx context.Context, body wire.TokenBody) (wire.NewToken, error) {
	return change[wire.NewToken](ctx, c, http.MethodPost, "/tokens", body)
}

// RevokeToken ends a machine token at every admin.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	var done wire.Done
	return c.change(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, &done)
}

// Explain tells what would happen to a request.
func (c *Client) Explain(ctx context.Context, ask wire.ExplainBody) (wire.Explanation, error) {
	query := url.Values{"method": {ask.Method}, "target": {ask.Target}}
	for name, value := range map[string]string{"service": ask.Service, "env": ask.Env} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return get[wire.Explanation](ctx, c, "/explain", query)
}

// Doctor tells what the admin finds when it looks at itself, its store and the fleet.
func (c *Client) Doctor(ctx context.Context) (wire.Doctor, error) {
	return get[wire.Doctor](ctx, c, "/doctor", nil)
}

// Export copies all that people said.
func (c *Client) Export(ctx context.Context) (wire.Copy, error) {
	return get[wire.Copy](ctx, c, "/export", nil)
}

// Import takes a copy in: it adds keys and blocks and lifts none, unless replace makes everything equal to the copy.
// With dryRun nothing is changed and the answer tells what would be.
func (c *Client) Import(ctx context.Context, copied wire.Copy, replace, dryRun bool) (wire.Imported, error) {
	query := url.Values{"replace": {strconv.FormatBool(replace)}, "dry_run": {strconv.FormatBool(dryRun)}}
	return change[wire.Imported](ctx, c, http.MethodPost, "/import?"+query.Encode(), copied)
}
