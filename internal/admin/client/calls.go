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
	var list []wire.Route
	query := url.Values{}
	if service != "" {
		query.Set("service", service)
	}
	err := c.Get(ctx, "/routes", query, &list)
	return list, err
}

// Route reads the state of one key.
func (c *Client) Route(ctx context.Context, key string) (wire.Route, error) {
	var r wire.Route
	err := c.Get(ctx, routePath(key), nil, &r)
	return r, err
}

// Do makes one change of a route: action is the last part of its address (enable, disable, maintenance, …).
func (c *Client) Do(ctx context.Context, key, action string, body any) (wire.ChangedRoute, error) {
	var r wire.ChangedRoute
	err := c.Change(ctx, http.MethodPost, routePath(key)+"/"+action, body, &r)
	return r, err
}

// CancelSchedule ends the windows of a route, pending and running; never an until.
func (c *Client) CancelSchedule(ctx context.Context, key string) (wire.ChangedRoute, error) {
	var r wire.ChangedRoute
	err := c.Change(ctx, http.MethodDelete, routePath(key)+"/schedule", nil, &r)
	return r, err
}

// Forget removes a route that nothing holds.
func (c *Client) Forget(ctx context.Context, key string) (wire.ChangedRoute, error) {
	var r wire.ChangedRoute
	err := c.Change(ctx, http.MethodDelete, routePath(key), nil, &r)
	return r, err
}

// Changes makes several changes as one commit.
func (c *Client) Changes(ctx context.Context, commands ...wire.Command) (wire.ChangesAnswer, error) {
	var a wire.ChangesAnswer
	err := c.Change(ctx, http.MethodPost, "/changes", wire.Changes{Changes: commands}, &a)
	return a, err
}

func switchPath(service string) string {
	if service == "" {
		return "/global"
	}
	return "/services/" + url.PathEscape(service) + "/maintenance"
}

// Switch reads the global switch (empty service) or that of a service.
func (c *Client) Switch(ctx context.Context, service string) (wire.Switch, error) {
	var s wire.Switch
	err := c.Get(ctx, switchPath(service), nil, &s)
	return s, err
}

// SetSwitch shuts (enable), opens (disable) or exempts; empty service is the global switch.
func (c *Client) SetSwitch(ctx context.Context, service, action string, body any) (wire.ChangedSwitch, error) {
	var s wire.ChangedSwitch
	err := c.Change(ctx, http.MethodPost, switchPath(service)+"/"+action, body, &s)
	return s, err
}

// Services lists the services anybody named.
func (c *Client) Services(ctx context.Context) ([]string, error) {
	var list []string
	err := c.Get(ctx, "/services", nil, &list)
	return list, err
}

// Instances lists the fleet; Enforces of each is measured against a place, unless that is zero.
func (c *Client) Instances(ctx context.Context, at wire.Place) ([]wire.Instance, error) {
	query := url.Values{}
	if at.Revision > 0 {
		query.Set("revision", strconv.FormatUint(at.Revision, 10))
		query.Set("epoch", at.Epoch)
	}
	var list []wire.Instance
	err := c.Get(ctx, "/instances", query, &list)
	return list, err
}

// ForgetInstance takes an instance out of the fleet.
func (c *Client) ForgetInstance(ctx context.Context, id string) error {
	var done wire.Done
	return c.Change(ctx, http.MethodDelete, "/instances/"+url.PathEscape(id), nil, &done)
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
	return c.Change(ctx, http.MethodPost, "/auth/logout", nil, &done)
}

// Me tells who the token says we are.
func (c *Client) Me(ctx context.Context) (wire.Me, error) {
	var m wire.Me
	err := c.Get(ctx, "/auth/me", nil, &m)
	return m, err
}

// Tokens lists machine tokens.
func (c *Client) Tokens(ctx context.Context) ([]wire.Token, error) {
	var list []wire.Token
	err := c.Get(ctx, "/tokens", nil, &list)
	return list, err
}

// CreateToken makes a machine token; its text is in the answer and nowhere else.
func (c *Client) CreateToken(ctx context.Context, body wire.TokenBody) (wire.NewToken, error) {
	var n wire.NewToken
	err := c.Change(ctx, http.MethodPost, "/tokens", body, &n)
	return n, err
}

// RevokeToken ends a machine token at every admin.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	var done wire.Done
	return c.Change(ctx, http.MethodDelete, "/tokens/"+url.PathEscape(id), nil, &done)
}

// Explain tells what would happen to a request.
func (c *Client) Explain(ctx context.Context, ask wire.ExplainBody) (wire.Explanation, error) {
	query := url.Values{"method": {ask.Method}, "target": {ask.Target}}
	for name, value := range map[string]string{"service": ask.Service, "env": ask.Env} {
		if value != "" {
			query.Set(name, value)
		}
	}
	var e wire.Explanation
	err := c.Get(ctx, "/explain", query, &e)
	return e, err
}

// Doctor tells what the admin finds when it looks at itself, its store and the fleet.
func (c *Client) Doctor(ctx context.Context) (wire.Doctor, error) {
	var d wire.Doctor
	err := c.Get(ctx, "/doctor", nil, &d)
	return d, err
}

// Export copies all that people said.
func (c *Client) Export(ctx context.Context) (wire.Copy, error) {
	var copied wire.Copy
	err := c.Get(ctx, "/export", nil, &copied)
	return copied, err
}

// Import takes a copy in: it adds keys and blocks and lifts none, unless replace makes everything equal to the copy.
// With dryRun nothing is changed and the answer tells what would be.
func (c *Client) Import(ctx context.Context, copied wire.Copy, replace, dryRun bool) (wire.Imported, error) {
	query := url.Values{"replace": {strconv.FormatBool(replace)}, "dry_run": {strconv.FormatBool(dryRun)}}
	var done wire.Imported
	err := c.Change(ctx, http.MethodPost, "/import?"+query.Encode(), copied, &done)
	return done, err
}
