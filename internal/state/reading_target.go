package state

import (
	"strings"
	"unicode/utf8"
)

// plainPath reports whether target takes the fast path, on which it has exactly one
// reading, target[:n]: its path consists of [A-Za-z0-9/_.~-], begins with '/',
// and has no "//", no segment that ends with a dot (so no dot segment) and no
// trailing slash (the lone "/" is plain). The length of the path is n; a query may
// follow, target[n] is then '?', and the caller looks at it with HasMethodParam. An
// ASCII upper-case letter in the path makes upper true. It allocates nothing.
//
// A query with '#' or a control byte makes the target not plain: pathReadings says why.
func plainPath(target string) (n int, upper, ok bool) {
	if target == "" || target[0] != '/' {
		return 0, false, false
	}
	seen := charClass(0)
	last := byte('/')
	n = 1
	for ; n < len(target); n++ {
		c := target[n]
		if c == '?' {
			break
		}
		class := classes[c]
		// A dot or a slash before a slash ends an odd segment.
		if class == otherCase || c == '/' && (last == '/' || last == '.') {
			return 0, false, false
		}
		seen |= class
		last = c
	}
	if n > 1 && (last == '/' || last == '.') || n < len(target) && !plainQuery(target[n:]) {
		return 0, false, false
	}
	return n, seen&upperCase != 0, true
}

// plainQuery reports whether a query holds neither '#' nor a control byte.
func plainQuery(query string) bool {
	for i := range len(query) {
		if c := query[i]; c < ' ' || c == '#' || c == 0x7f {
			return false
		}
	}
	return true
}

// charClass is what Plain needs to know of a byte.
type charClass uint8

const (
	otherCase charClass = 0
	lowerCase charClass = 1 // and every other plain byte.
	upperCase charClass = 2
)

// classes is the charClass of each byte; it is a constant in all but name.
var classes = func() (table [256]charClass) {
	for c := range len(table) {
		switch {
		case 'A' <= c && c <= 'Z':
			table[c] = upperCase
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', strings.IndexByte("/_.~-", byte(c)) >= 0:
			table[c] = lowerCase
		}
	}
	return table
}()

// queryOf returns the query of target, without the '?'; "" if there is none.
func queryOf(target string) string {
	_, query, _ := strings.Cut(target, "?")
	return query
}

// rawPath cuts authority and query off target and refuses what is wrong with the
// bytes as they were sent.
func rawPath(target string) (string, error) {
	for i := range len(target) {
		if c := target[i]; c < ' ' || c == 0x7f {
			return "", unreadable("a control byte")
		}
	}
	if strings.IndexByte(target, '#') >= 0 {
		return "", unreadable("a fragment")
	}
	path, _, _ := strings.Cut(target, "?")
	if path == "" || path[0] != '/' {
		var ok bool
		if path, ok = afterAuthority(path); !ok {
			return "", unreadable("the target is neither a path nor an absolute URL")
		}
	}
	if !utf8.ValidString(path) {
		return "", unreadable("invalid UTF-8")
	}
	if badEscape(path) {
		return "", unreadable("a bad escape")
	}
	return path, nil
}

// afterAuthority returns the path of an absolute URL, RFC 9112 §3.2.2. The
// authority must be one that every parser ends at the same place.
func afterAuthority(url string) (string, bool) {
	scheme, rest, found := strings.Cut(url, "://")
	if !found || !isScheme(scheme) {
		return "", false
	}
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return "", false
	}
	for _, c := range []byte(rest[:end]) {
		if classes[c] == otherCase && strings.IndexByte(":@[]%!$&'()*+,=", c) < 0 {
			return "", false
		}
	}
	if end == len(rest) {
		return "/", true
	}
	return rest[end:], true
}

// isScheme reports whether s is a scheme, RFC 3986 §3.1.
func isScheme(s string) bool {
	for i, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '+' && c != '-' && c != '.') {
			return false
		}
	}
	return s != ""
}
