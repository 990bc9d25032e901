package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Outcome tells how an attempt ended.
type Outcome string

// The outcomes.
const (
	OutcomeDelivered Outcome = "delivered" // 2xx
	OutcomeRefused   Outcome = "refused"   // another status
	OutcomeGone      Outcome = "gone"      // 410: the endpoint is disabled
	OutcomeFailed    Outcome = "failed"    // no answer, or an address that may not be connected to
)

// Attempt is one try to deliver an event, as the delivery log keeps it.
type Attempt struct {
	// ID names the attempt in the delivery log of its endpoint.
	ID      string  `json:"id"`
	Event   Event   `json:"event"`
	Try     int     `json:"try"` // 1 is the first
	Outcome Outcome `json:"outcome"`
	// Why says what made it made: retry schedule ("schedule"), "redeliver", "replay" or "test".
	Why  string        `json:"why"`
	At   time.Time     `json:"at"`
	Took time.Duration `json:"took_ns"`
	// Request and Response are what went over the line; secrets are left out and bodies cut.
	Request  Request  `json:"request"`
	Response Response `json:"response,omitzero"`
	Error    string   `json:"error,omitempty"`
	By       string   `json:"by,omitempty"` // the admin that made it

	retryAfter time.Duration
}

// Request is what was sent.
type Request struct {
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

// Response is what was answered.
type Response struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
}

// How much of bodies and headers the delivery log keeps, in bytes.
const (
	keptRequest  = 8 << 10
	keptResponse = 1 << 10
	keptHeader   = 200
)

// shownHeaders are those of an answer that the delivery log keeps.
var shownHeaders = []string{"Content-Type", "Retry-After", "Location", "Server", "Date"} //nolint:gochecknoglobals // a table

// userAgent is what we say we are.
const userAgent = "waygate-webhook/1"

// attempt sends an event once. It never fails: what went wrong is in the attempt.
func (d *Dispatcher) attempt(ctx context.Context, e *Endpoint, client *http.Client, ev *Event, try int, why string) Attempt {
	start := time.Now()
	a := Attempt{Event: *ev, Try: try, Why: why, At: start.UTC(), By: d.cfg.Owner, Outcome: OutcomeFailed}
	a.Request.URL = e.shownURL()
	body, err := render(e, ev)
	if err == nil {
		err = d.exchange(ctx, e, client, &a, body)
	}
	if err != nil {
		a.Error = shownError(e, err)
	}
	a.Took = time.Since(start)
	return a
}

func (d *Dispatcher) exchange(ctx context.Context, e *Endpoint, client *http.Client, a *Attempt, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, d.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	if req.URL.User != nil {
		return errors.New("the url carries a user or password")
	}
	now := time.Now()
	at := stampOf(a.Event.At, now)
	headers := map[string]string{
		"Content-Type": "application/json", "User-Agent": userAgent, HeaderID: a.Event.ID, HeaderTimestamp: strconv.FormatInt(at, 10),
	}
	if signature := sign(e.Secrets, a.Event.ID, at, body, now); signature != "" {
		headers[HeaderSignature] = signature
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	a.Request.Headers, a.Request.Body = maps.Clone(headers), cut(string(body), keptRequest)
	if e.RoutingKey != "" {
		a.Request.Body = strings.ReplaceAll(a.Request.Body, e.RoutingKey, hidden)
	}
	if _, signed := headers[HeaderSignature]; signed {
		a.Request.Headers[HeaderSignature] = hidden
	}
	answer, err := client.Do(req)
	if err != nil {
		return err //nolint:wrapcheck // it says what was being done
	}
	defer answer.Body.Close()
	return a.read(answer)
}

// read takes in an answer.
func (a *Attempt) read(answer *http.Response) error {
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	a.Response = Response{Status: answer.StatusCode, Body: cut(strings.ToValidUTF8(string(said), "\uFFFD"), keptResponse), Headers: map[string]string{}}
	for name := range answer.Header {
		if slices.Contains(shownHeaders, name) {
			a.Response.Headers[name] = cut(strings.ToValidUTF8(answer.Header.Get(name), "\uFFFD"), keptHeader)
		}
	}
	a.retryAfter = retryAfter(answer.Header.Get("Retry-After"), time.Now())
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode <= 299:
		a.Outcome = OutcomeDelivered // whatever became of the body: it was taken
		return nil
	case answer.StatusCode == http.StatusGone:
		a.Outcome = OutcomeGone
	case answer.StatusCode >= 300 && answer.StatusCode <= 399:
		a.Outcome = OutcomeRefused
		a.Error = "redirects are not followed: set the endpoint's url to where it leads"
	default:
		a.Outcome = OutcomeRefused
	}
	return err //nolint:wrapcheck // it is kept as it is
}

// maxRetryAfter bounds what a receiver can ask for.
const maxRetryAfter = time.Hour

// retryAfter reads how long a receiver asks us to wait (RFC 9110, 10.2.3); zero when it does not.
func retryAfter(text string, now time.Time) time.Duration {
	wait := time.Duration(0)
	seconds, err := strconv.ParseUint(text, 10, 32) // what is too large for that is as long as can be
	if err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// shownError is an error without the URL where that is a secret: the client's own spelling of it is left out.
func shownError(e *Endpoint, err error) string {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = fmt.Errorf("%s %q: %w", failed.Op, e.shownURL(), failed.Err)
	}
	return cut(err.Error(), keptResponse)
}

// cut shortens text to at most n bytes, at the end of a character.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}
