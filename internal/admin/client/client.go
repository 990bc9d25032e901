// Package client calls waygate-admin's REST API.
//
// It speaks the vocabulary of package wire and turns what the server says back into Go errors: a *Refusal for
// everything that was answered with a status, ErrUnreachable when nothing was sent, ErrNoAnswer when a change was sent
// and no admin's answer came, and ErrUnread when that was a call which changes nothing. Every change carries an
// idempotency key, so a lost answer is asked for once more before the outcome counts as unknown.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/waygate/waygate/internal/admin/wire"
)

var (
	// ErrUnreachable means that the admin could not be connected to: nothing was sent, nothing changed.
	ErrUnreachable = errors.New("cannot reach the admin")
	// ErrNoAnswer means that a call was sent and no answer came: a change may or may not have happened.
	ErrNoAnswer = errors.New("no answer from the admin")
	// ErrUnread means that a call which changes nothing was not answered by an admin.
	ErrUnread = errors.New("no answer to read from the admin")
)

const (
	callTimeout = 10 * time.Second
	retryEvery  = 250 * time.Millisecond
	maxAnswer   = 256 << 20
)

// Refusal is an answer with a status of 400 or more.
type Refusal struct {
	Status int
	wire.Problem
	RetryAfter string
}

// Error is the server's sentence.
func (r *Refusal) Error() string {
	if r.Message == "" {
		return fmt.Sprintf("the admin answered %d %s", r.Status, http.StatusText(r.Status))
	}
	return r.Message
}

// Client calls one admin. It is safe for concurrent use.
type Client struct {
	base  string
	token string
	actor string
	http  *http.Client
}

// New makes a client of the admin at base (http://host:8000/waygate). An empty token is none; actor counts only on a
// server without users. What is no base URL is an error that says how one looks.
func New(base, token, actor string) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is no address of an admin: write it like http://localhost:8000/waygate", base)
	}
	if strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token holds a space, a line break or another character that no token has: copy it anew")
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
		TLSHandshakeTimeout:   5 * time.Second,
		ResponseHeaderTimeout: callTimeout,
		ForceAttemptHTTP2:     true,
	}
	noRedirect := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{
		base: strings.TrimRight(base, "/"), token: token, actor: actor,
		http: &http.Client{Transport: transport, Timeout: 2 * callTimeout, CheckRedirect: noRedirect},
	}, nil
}

// get reads path (below {base}/api).
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (answer T, err error) {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	_, err = c.call(ctx, http.MethodGet, path, nil, "", &answer)
	return answer, err
}

// change sends a body to path with an idempotency key and reads the answer.
func change[T any](ctx context.Context, c *Client, method, path string, body any) (answer T, err error) {
	err = c.change(ctx, method, path, body, &answer)
	return answer, err
}

// change is change for an answer of any kind. When the answer is lost it asks once more; when the store is away for the
// moment (503 with Retry-After) it tries again for a while.
func (c *Client) change(ctx context.Context, method, path string, body, answer any) error {
	text := []byte("{}")
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode %s: %w", path, err)
		}
	}
	id := uuid.NewString()
	_, err := c.call(ctx, method, path, text, id, answer)
	for until := time.Now().Add(callTimeout); err != nil && away(err) && time.Now().Before(until); {
		if pause(ctx, retryEvery) != nil {
			return err
		}
		_, err = c.call(ctx, method, path, text, id, answer)
	}
	if errors.Is(err, ErrNoAnswer) && ctx.Err() == nil {
		if _, again := c.call(ctx, method, path, text, id, answer); !errors.Is(again, ErrUnreachable) {
			return again
		}
	}
	return err
}

// away reports whether nothing was changed because the admin's store cannot be used at the moment.
func away(err error) bool {
	r, ok := errors.AsType[*Refusal](err)
	return ok && r.Status == http.StatusServiceUnavailable && r.RetryAfter != ""
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func (c *Client) call(ctx context.Context, method, path string, body []byte, id string, answer any) (http.Header, error) {
	o := outcome{base: c.base, changes: method != http.MethodGet}
	req, err := http.NewRequestWithContext(o.watch(ctx), method, c.base+"/api"+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("request: %w", err)
	}
	req.Header.Set("X-Waygate-Platform", "cli")
	for name, value := range map[string]string{
		"X-Waygate-Token": c.token, "X-Waygate-Actor": c.actor, "Idempotency-Key": id,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, o.lost(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, o.lost(err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, o.refusal(resp, text)
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return nil, o.lost(fmt.Errorf("%s answered %s, but not as a Waygate admin does (%w)", resp.Request.URL.Redacted(), resp.Status, err))
	}
	// Other servers answer 200 and JSON as well; an admin that changed something says where that stands.
	if placed, ok := answer.(interface{ Told() bool }); ok && o.changes && !placed.Told() {
		return nil, o.lost(fmt.Errorf("%s answered %s, but not as a Waygate admin does", resp.Request.URL.Redacted(), resp.Status))
	}
	return resp.Header, nil
}

// callLogin posts a login without an idempotency key: an answer holds a token and must not be kept.
func (c *Client) callLogin(ctx context.Context, user, password string, answer *wire.Login) (http.Header, error) {
	text, err := json.Marshal(wire.LoginBody{Username: user, Password: password, Platform: "cli"})
	if err != nil {
		return nil, fmt.Errorf("encode login: %w", err)
	}
	return c.call(ctx, http.MethodPost, "/auth/login", text, "", answer)
}
