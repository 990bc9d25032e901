package authz

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// refusal is how a cause is told to a client. Scripts know the codes: they never change.
type refusal struct {
	status  int    // HTTP
	code    string // error.code of the body
	grpc    string // status where it is ours to say
	message string
}

// refusalOf is how a refusal is told.
func refusalOf(d *state.Decision) refusal {
	switch d.Effect {
	case state.EffectGone:
		return refusal{http.StatusGone, "ROUTE_GONE", "12", "This route is gone and will not come back"}
	case state.EffectReadOnly:
		return refusal{http.StatusServiceUnavailable, "MAINTENANCE_MODE", "14", "This route is read-only for maintenance: only requests that change nothing pass"}
	}
	switch d.Cause {
	case state.CauseEnvGated:
		return refusal{http.StatusForbidden, "ENV_GATED", "7", "This route is not available in this environment"}
	case state.CauseMaintenance:
		return refusal{http.StatusServiceUnavailable, "MAINTENANCE_MODE", "14", "This route is temporarily unavailable for maintenance"}
	case state.CauseDisabled:
		return refusal{http.StatusServiceUnavailable, "ROUTE_DISABLED", "14", "This route is disabled"}
	case state.CauseUnreadable:
		return refusal{http.StatusBadRequest, "UNREADABLE_REQUEST", "3", "This request can be read in more than one way, or in none"}
	default:
		return refusal{http.StatusServiceUnavailable, "STATE_UNKNOWN", "14", "Whether this route is open is not known at the moment"}
	}
}

// Bounds of what is quoted in a body, in bytes. Gateways cut bodies that are too long, and JSON that was cut is none.
const (
	maxQuotedReason = 8 << 10
	maxQuotedPath   = 1 << 10
)

// body is the JSON of a refusal.
func body(kind refusal, d *state.Decision, r *request) string {
	type why struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Reason  string `json:"reason"`
		Path    string `json:"path"`
		// RetryAfter is when the block ends, in RFC 3339; the header of the same name has the seconds until then, and
		// what jitter adds: that is about when to come back, this about what is true.
		RetryAfter  *time.Time `json:"retry_after,omitempty"`
		CurrentEnv  *string    `json:"current_env,omitempty"`
		AllowedEnvs []string   `json:"allowed_envs,omitempty"`
	}
	e := why{Code: kind.code, Message: kind.message, Reason: shortened(d.Reason, maxQuotedReason), Path: shownPath(d, r)}
	if !d.RetryAt.IsZero() {
		at := wholeSecond(d.RetryAt)
		e.RetryAfter = &at
	}
	if d.Cause == state.CauseEnvGated {
		e.CurrentEnv, e.AllowedEnvs = &r.Env, d.Envs
	}
	out, err := json.Marshal(map[string]why{"error": e})
	if err != nil {
		// Strings and times with a year of four digits always encode.
		return `{"error":{"code":"` + kind.code + `","message":"` + kind.message + `","reason":"","path":""}}`
	}
	return string(out)
}

// shownPath is the route that a refusal is about, as the people who closed it wrote it; the path that was asked for
// where it was not a route that decided.
func shownPath(d *state.Decision, r *request) string {
	if d.Path != "" && !strings.HasPrefix(d.Path, "__") {
		return d.Path
	}
	path, _, _ := strings.Cut(r.Target, "?")
	return shortened(path, maxQuotedPath)
}

// sentence is what a gRPC client gets as its message: JSON would be shown to people as it is.
func sentence(kind refusal, d *state.Decision) string {
	s := kind.message
	if d.Reason != "" {
		s += ": " + shortened(d.Reason, maxQuotedReason)
	}
	if !d.RetryAt.IsZero() {
		s += " (until " + wholeSecond(d.RetryAt).Format(time.RFC3339) + ")"
	}
	return s
}

// wholeSecond is the second at or after an instant, in UTC.
func wholeSecond(at time.Time) time.Time {
	return at.Add(time.Second - time.Nanosecond).Truncate(time.Second).UTC()
}

// shortened is s as valid UTF-8 of at most limit bytes.
func shortened(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	return valid(s)
}

// valid is s with what is not UTF-8 left out, as a string in a protobuf message must be.
func valid(s string) string { return strings.ToValidUTF8(s, "") }

// protocol is what a client speaks, by which the form of a refusal is chosen.
type protocol uint8

const (
	speaksHTTP protocol = iota
	speaksGRPC
	speaksGRPCWeb
)

// protocolOf tells the protocol by the content type, as gateways do.
func protocolOf(contentType string) protocol {
	const grpc, grpcWeb = "application/grpc", "application/grpc-web"
	switch {
	case !hasPrefixFold(contentType, grpc):
		return speaksHTTP
	case hasPrefixFold(contentType, grpcWeb) && endsAt(contentType, len(grpcWeb), "+-; "):
		return speaksGRPCWeb
	case endsAt(contentType, len(grpc), "+; "):
		return speaksGRPC
	default:
		return speaksHTTP
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// endsAt reports whether the name of a type ends at n, or one of the letters follows that begin what comes after it.
func endsAt(s string, n int, letters string) bool {
	return len(s) == n || strings.IndexByte(letters, s[n]) >= 0
}

// percentEncoded is a message as the header grpc-message wants it.
func percentEncoded(s string) string {
	return encoded(s, func(c byte) bool { return c < ' ' || c > '~' || c == '%' })
}

// reference is a successor as a URI reference (RFC 3986, 4.1): a route key without its service and method, an address
// as it is, and what cannot stand in one percent-encoded.
func reference(successor string) string {
	if scheme, _, ok := strings.Cut(successor, "://"); !ok || strings.Contains(scheme, "/") {
		if slash := strings.IndexByte(successor, '/'); slash > 0 {
			successor = successor[slash:]
		}
	}
	return encoded(successor, func(c byte) bool { return c <= ' ' || c > '~' || strings.IndexByte("\"<>\\^`{|}", c) >= 0 })
}

// encoded is s with the bytes that must be percent-encoded so.
func encoded(s string, must func(byte) bool) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; must(c) {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
