package authz

import (
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// Bounds of a template of a path, in bytes and segments. Longer paths are not counted.
const (
	maxTemplate = 256
	maxSegments = 16
	maxLiteral  = 48
)

// appendTemplate adds to b the key of the routes that look like the request's: [service:]METHOD:/path, where what is
// probably an id is {id}. It gives up on what no key can name.
func appendTemplate(b []byte, r *state.Request) ([]byte, bool) {
	path, _, _ := strings.Cut(r.Target, "?")
	if len(path) == 0 || path[0] != '/' || len(path)+len(r.Service)+len(r.Method)+2 > maxTemplate {
		return nil, false
	}
	switch r.Method {
	case "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
	default:
		return nil, false // HEAD follows GET: it says nothing of its own
	}
	if r.Service != "" {
		b = append(append(b, r.Service...), ':')
	}
	b = append(append(b, r.Method...), ':')
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return append(b, '/'), true
	}
	segments := 0
	for segment := range strings.SplitSeq(path[1:], "/") {
		segments++
		b = append(b, '/')
		switch {
		case segment == "" || segment == "." || segment == ".." || segments > maxSegments:
			return nil, false
		case isID(segment):
			if b = append(b, "{id}"...); len(b) > maxTemplate {
				return nil, false
			}
		default:
			b = append(b, segment...)
		}
	}
	return b, true
}

// isID guesses whether a segment is the id of a thing and not the name of a kind of things.
func isID(segment string) bool {
	digits, hex := 0, 0
	for i := range len(segment) {
		c := segment[i]
		switch {
		case '0' <= c && c <= '9':
			digits++
			hex++
		case 'a' <= c && c <= 'f', 'A' <= c && c <= 'F':
			hex++
		case 'g' <= c && c <= 'z', 'G' <= c && c <= 'Z', c == '_', c == '.', c == '~', c == '-', c == ':' && i > 0:
		default:
			return true // no name of a route is written with such letters
		}
	}
	n := len(segment)
	switch {
	case digits == n, n > maxLiteral:
		return true
	case digits == 0:
		return false
	case hex+strings.Count(segment, "-") == n && n >= 8: // a UUID, a hash
		return true
	default: // most of it digits, or long and with some
		return n >= 5 && 2*digits > n || n >= 16 && digits >= 3
	}
}
