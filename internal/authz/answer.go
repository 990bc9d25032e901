package authz

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/waygate/waygate/internal/state"
)

// Numbers of the fields that are written, from envoy/service/auth/v3/external_auth.proto, envoy/config/core/v3/base.proto,
// envoy/type/v3/http_status.proto, google/rpc/status.proto and google/protobuf/struct.proto.
const (
	responseStatus   = 1 // CheckResponse.…
	responseDenied   = 2
	responseOK       = 3
	responseMetadata = 4

	statusCode = 1 // google.rpc.Status.code, HttpStatus.code

	deniedStatus  = 1 // DeniedHttpResponse.…
	deniedHeaders = 2
	deniedBody    = 3

	okRemove          = 5 // OkHttpResponse.headers_to_remove
	okResponseHeaders = 6 // OkHttpResponse.response_headers_to_add

	optionHeader = 1 // HeaderValueOption.…
	optionAction = 3
	headerKey    = 1 // HeaderValue.…
	headerValue  = 2

	structFields = 1 // Struct.fields
	entryKey     = 1 // an entry of a map
	entryValue   = 2
	valueNumber  = 2 // Value.…
	valueString  = 3
)

const (
	permissionDenied = 7 // the google.rpc.Code of every refusal: Envoy tells one by its not being OK
	// Values of HeaderValueOption.HeaderAppendAction.
	appendHeader    = 0
	overwriteHeader = 2
)

// answers renders decisions as the bytes of a CheckResponse. It is safe for concurrent use.
type answers struct {
	// removed are the headers that every pass takes off.
	removed []string
	// jitter is the most that is added to Retry-After.
	jitter time.Duration
	// ready is the answer to nearly every check.
	ready atomic.Pointer[readyMade]
	// boot and count make the ids of decisions.
	boot  string
	count atomic.Uint64
}

// readyMade is the answer to requests that nothing governs, at one revision.
type readyMade struct {
	revision uint64
	bytes    []byte
}

func newAnswers(boot string, trusted []string, jitter time.Duration) *answers {
	a := &answers{boot: boot, removed: alwaysRemoved(trusted), jitter: jitter}
	a.prepare(&state.Decision{Status: state.Active})
	return a
}

// prepare makes the answer to requests that nothing governs.
func (a *answers) prepare(d *state.Decision) *readyMade {
	made := &readyMade{revision: d.Revision, bytes: a.allow(d, &request{})}
	a.ready.Store(made)
	return made
}

// render is the answer to a request that was decided on at now. The bytes are not to be changed.
func (a *answers) render(d *state.Decision, r *request, now time.Time) []byte {
	switch {
	case d.Refused():
		return a.refuse(d, r, now)
	case d.Status == state.Active && d.Deprecation == nil && d.Path == "" && len(r.remove) == 0:
		made := a.ready.Load()
		if made.revision != d.Revision {
			made = a.prepare(d)
		}
		return made.bytes
	default:
		return a.allow(d, r)
	}
}

// allow lets a request pass without the headers that a client must not send, and has the response tell what is known of
// the route's end.
func (a *answers) allow(d *state.Decision, r *request) []byte {
	var m message
	m.inside(responseStatus, func() {})
	m.inside(responseOK, func() {
		for _, name := range a.removed {
			m.text(okRemove, name)
		}
		for _, name := range r.remove {
			if isToken(name) {
				m.text(okRemove, name)
			}
		}
		if d.Deprecation != nil {
			m.deprecation(d.Deprecation)
		}
	})
	m.inside(responseMetadata, func() { m.decided(d) })
	return m
}

// deprecation adds the response headers of a route that is deprecated: since when (RFC 9745), until when (RFC 8594),
// and what takes its place (RFC 5829).
func (m *message) deprecation(d *state.Deprecation) {
	m.header(okResponseHeaders, "deprecation", "@"+strconv.FormatInt(max(0, d.Since.Unix()), 10), overwriteHeader)
	if !d.Sunset.IsZero() {
		m.header(okResponseHeaders, "sunset", d.Sunset.UTC().Format(http.TimeFormat), overwriteHeader)
	}
	if d.Successor != "" {
		m.header(okResponseHeaders, "link", "<"+reference(d.Successor)+`>; rel="successor-version"`, appendHeader)
	}
}

// refuse tells the client why and, where it is known, when to come back.
func (a *answers) refuse(d *state.Decision, r *request, now time.Time) []byte {
	kind := refusalOf(d)
	id := a.boot + "-" + strconv.FormatUint(a.count.Add(1), 36)
	protocol := protocolOf(r.contentType)
	var m message
	m.inside(responseStatus, func() { m.number(statusCode, permissionDenied) })
	m.inside(responseDenied, func() {
		m.inside(deniedStatus, func() { m.number(statusCode, uint64(kind.status)) })
		if kind.status == http.StatusServiceUnavailable && !d.RetryAt.IsZero() {
			m.deny("retry-after", retryAfter(d.RetryAt, now, a.jitter))
		}
		m.deny("cache-control", "no-store")
		m.deny("vary", "Origin")
		m.deny("x-waygate-decision", id)
		switch protocol {
		case speaksHTTP:
			m.deny("content-type", "application/json")
			m.text(deniedBody, body(kind, d, r))
		case speaksGRPC:
			if kind.status == http.StatusBadRequest || kind.status == http.StatusGone {
				m.deny("grpc-status", kind.grpc) // Envoy would make INTERNAL of 400, and UNKNOWN of 410
			}
			m.text(deniedBody, sentence(kind, d))
		case speaksGRPCWeb:
			// Behind a gateway without a filter for it, a status in headers and no body is what arrives whole.
			m.deny("grpc-status", kind.grpc)
			m.deny("grpc-message", percentEncoded(sentence(kind, d)))
		}
	})
	m.inside(responseMetadata, func() {
		m.decided(d)
		m.metadata("code", kind.code)
		m.metadata("decision", id)
	})
	return m
}

// deny adds a header of a refusal.
func (m *message) deny(name, value string) { m.header(deniedHeaders, name, value, appendHeader) }

// header adds a HeaderValueOption.
func (m *message) header(field protowire.Number, name, value string, action uint64) {
	m.inside(field, func() {
		m.inside(optionHeader, func() {
			m.text(headerKey, name)
			m.text(headerValue, oneLine(value))
		})
		if action != 0 {
			m.number(optionAction, action)
		}
	})
}

// decided adds what the gateway can log of a decision.
func (m *message) decided(d *state.Decision) {
	m.metadata("status", string(d.Status))
	m.metadata("route", d.Path)
	m.metadata("reason", d.Reason)
	m.inside(structFields, func() {
		m.text(entryKey, "revision")
		m.inside(entryValue, func() { m.double(valueNumber, float64(d.Revision)) })
	})
}

// metadata adds a member to a Struct; an empty one is left out.
func (m *message) metadata(name, value string) {
	if value == "" {
		return
	}
	m.inside(structFields, func() {
		m.text(entryKey, name)
		m.inside(entryValue, func() { m.text(valueString, valid(value)) })
	})
}

// retryAfter is the whole number of seconds until at, rounded up (RFC 9110, 10.2.3), and at random as many more as the
// jitter has: clients that were refused together do not all come back in the same second, and none before the end.
func retryAfter(at, now time.Time, jitter time.Duration) string {
	wait := max(0, at.Sub(now))
	seconds := int64(wait / time.Second)
	if wait%time.Second > 0 { // what is added before the division could be too much for an end centuries away
		seconds++
	}
	if jitter >= time.Second {
		seconds += rand.Int64N(int64(jitter/time.Second) + 1)
	}
	return strconv.FormatInt(seconds, 10)
}

// oneLine is a value without what would end a header: Envoy would write CR and LF into the response as they are.
func oneLine(value string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f {
			return ' '
		}
		return c
	}, value)
}
