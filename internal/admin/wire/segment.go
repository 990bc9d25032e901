package wire

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Segment writes a route key as one segment of a URL path: base64url without padding.
func Segment(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }

// ParseSegment reads a segment (as it stands in the URL, escapes included) and gives the key it may stand for. Valid
// tells whether a text is a route key; the plain form wins where it is one. The empty string means neither form is.
func ParseSegment(escaped string, valid func(string) bool) string {
	if plain, err := url.PathUnescape(escaped); err == nil {
		if valid(plain) {
			return plain
		}
		escaped = plain // padding may be sent as %3D
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(escaped, "="))
	if err != nil || !utf8.Valid(raw) || !valid(string(raw)) {
		return ""
	}
	return string(raw)
}
