package authz

import (
	"slices"
	"strings"
)

// headerKind is what a header of a request means to us.
type headerKind uint8

const (
	headerOther headerKind = iota
	headerPath
	headerContentType
	headerPreflight
	headerOverride // makes some frameworks serve another method
	headerForged   // a client must not send it: it is taken off
)

// pathHeaders are always taken off unless they are trusted: they make some frameworks serve another path than that of
// the request line. Most name that path; the last two name what is cut off in front of it, the first of them in the one
// spelling that Gunicorn knows.
var pathHeaders = [...]string{
	"x-original-url", "x-rewrite-url", "x-original-uri", "x-forwarded-uri", "x-forwarded-path", "x-envoy-original-path",
	"script_name", "x-script-name",
}

// ownHeaders are the names with our prefix that have a meaning somewhere in the product. Envoy takes off exact names
// only; others with the prefix are taken off when they are seen.
var ownHeaders = [...]string{
	"x-waygate-decision", "x-waygate-service", "x-waygate-env", "x-waygate-exempt", "x-waygate-token",
	"x-waygate-actor", "x-waygate-platform", "x-waygate-app-id",
}

const (
	ownPrefix     = "x-waygate-"
	failOpenMark  = "x-envoy-auth-failure-mode-allowed" // how Envoy marks a request it let pass without a verdict
	maxHeaderName = 64                                  // longer than any name that is compared as a whole
)

// kindOf tells what a header means. Some frameworks take "_" for "-" in names, and PHP "." as well, so the three count
// as the same, and so do upper and lower case.
func kindOf(name string) headerKind {
	// Nearly all headers are told by length and first letter.
	if len(name) < len(":path") {
		return headerOther
	}
	switch name[0] {
	case ':':
		if name == ":path" {
			return headerPath
		}
	case 'c', 'C':
		if len(name) == len("content-type") && strings.EqualFold(name, "content-type") {
			return headerContentType
		}
	case 'a', 'A':
		if len(name) == len("access-control-request-method") && strings.EqualFold(name, "access-control-request-method") {
			return headerPreflight
		}
	case 'x', 'X':
		if name[1] == '-' || name[1] == '_' || name[1] == '.' {
			return kindOfExtension(name)
		}
	}
	return headerOther
}

// kindOfExtension is kindOf for names that begin with "x-".
func kindOfExtension(name string) headerKind {
	var scratch [maxHeaderName]byte
	plain := scratch[:min(len(name), maxHeaderName)]
	spelled := true // as the ready-made answer names it
	for i := range plain {
		c := name[i]
		switch {
		case c == '_' || c == '.':
			c, spelled = '-', false
		case 'A' <= c && c <= 'Z':
			c |= 0x20
		}
		plain[i] = c
	}
	switch string(plain) {
	case "x-http-method-override", "x-http-method", "x-method-override":
		return headerOverride
	case "x-original-url", "x-rewrite-url", "x-original-uri", "x-forwarded-uri", "x-forwarded-path",
		"x-envoy-original-path", "x-script-name", failOpenMark:
		return forgedUnless(spelled)
	}
	if strings.HasPrefix(text(plain), ownPrefix) {
		return forgedUnless(spelled && slices.Contains(ownHeaders[:], name))
	}
	return headerOther
}

func forgedUnless(alwaysRemoved bool) headerKind {
	if alwaysRemoved {
		return headerOther
	}
	return headerForged
}

// alwaysRemoved are the headers that every pass takes off: ours, the mark of failing open, and those that name a path,
// except the ones that the operator trusts because a proxy in front sets them itself.
func alwaysRemoved(trusted []string) []string {
	var names []string
	for _, name := range pathHeaders {
		if !slices.Contains(trusted, name) {
			names = append(names, name)
		}
	}
	names = append(names, ownHeaders[:]...)
	return append(names, failOpenMark)
}

// PathHeaders are the headers that can be trusted by [Options].KeepPathHeaders: they make some frameworks serve another
// path than that of the request line.
func PathHeaders() []string { return pathHeaders[:] }

// isToken reports whether a name has only letters that RFC 9110 (5.1, 5.6.2) allows in the name of a header. Envoy
// answers 500 to a verdict that names another.
func isToken(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return name != ""
}
