package state

import (
	"cmp"
	"strings"
	"unicode/utf8"
)

// pattern is the path of a key taken apart, folded or as spelled.
type pattern struct {
	segments []segment
	rest     bool // ends in **: zero or more further segments
}

// segment is a literal, or text before and after one non-empty parameter.
type segment struct {
	prefix, suffix string // a literal is all prefix
	param          bool
}

func patternOf(path string) pattern      { return takeApart(foldPath(path)) }
func exactPatternOf(path string) pattern { return takeApart(path) }

// takeApart reads a canonical path.
func takeApart(path string) pattern {
	var p pattern
	if path == "/" {
		return p
	}
	for text := range strings.SplitSeq(path[1:], "/") {
		if text == "**" {
			p.rest = true
			break
		}
		before, after, param := strings.Cut(text, "{}")
		p.segments = append(p.segments, segment{prefix: unescape(before), suffix: unescape(after), param: param})
	}
	return p
}

// literal is the whole path where it has no parameter and no rest.
func (p pattern) literal() (path string, ok bool) {
	if p.rest {
		return "", false
	}
	var b strings.Builder
	for _, s := range p.segments {
		if s.param {
			return "", false
		}
		b.WriteByte('/')
		b.WriteString(s.prefix)
	}
	return cmp.Or(b.String(), "/"), true
}

func unescape(s string) string { return strings.ReplaceAll(s, "%25", "%") }
func escape(s string) string   { return strings.ReplaceAll(s, "%", "%25") }

// isAny reports whether the segment is a parameter without text around it.
func (s segment) isAny() bool { return s.param && s.prefix == "" && s.suffix == "" }

func (s segment) matches(text string) bool {
	if !s.param {
		return s.prefix == text
	}
	return len(text) > len(s.prefix)+len(s.suffix) && strings.HasPrefix(text, s.prefix) && strings.HasSuffix(text, s.suffix)
}

func (s segment) contains(t segment) bool {
	if !t.param {
		return s.matches(t.prefix)
	}
	return s.param && strings.HasPrefix(t.prefix, s.prefix) && strings.HasSuffix(t.suffix, s.suffix)
}

func (s segment) overlaps(t segment) bool {
	switch {
	case !s.param:
		return t.matches(s.prefix)
	case !t.param:
		return s.matches(t.prefix)
	default:
		heads := strings.HasPrefix(s.prefix, t.prefix) || strings.HasPrefix(t.prefix, s.prefix)
		tails := strings.HasSuffix(s.suffix, t.suffix) || strings.HasSuffix(t.suffix, s.suffix)
		return heads && tails
	}
}

func (p pattern) contains(q pattern) bool {
	n := len(p.segments)
	if len(q.segments) < n || !p.rest && (len(q.segments) > n || q.rest) {
		return false
	}
	for i, s := range p.segments {
		if !s.contains(q.segments[i]) {
			return false
		}
	}
	return true
}

func (p pattern) overlaps(q pattern) bool {
	n := min(len(p.segments), len(q.segments))
	if len(p.segments) > n && !q.rest || len(q.segments) > n && !p.rest {
		return false
	}
	for i := range n {
		if !p.segments[i].overlaps(q.segments[i]) {
			return false
		}
	}
	return true
}

// matches reports whether a reading (a normal path) is one of the pattern's requests.
func (p pattern) matches(path string) bool {
	rest := path[1:]
	for i, s := range p.segments {
		if rest == "" {
			return false
		}
		text, after, more := strings.Cut(rest, "/")
		if !s.matches(text) {
			return false
		}
		rest = after
		if !more {
			return i == len(p.segments)-1
		}
	}
	return rest == "" || p.rest
}

// parsePath reads the path of a key: its canonical text and its spelling to show.
func parsePath(text string) (canonical, shown string, err error) {
	if !utf8.ValidString(text) {
		return "", "", Invalid("path", "a path is UTF-8")
	}
	decoded, err := decodePath(text)
	if err != nil {
		return "", "", err
	}
	decoded = strings.TrimSuffix(decoded, "/")
	if decoded == "" {
		return "/", "/", nil
	}
	var canon, show strings.Builder
	segments := strings.Split(decoded[1:], "/")
	for i, raw := range segments {
		c, s, err := parseSegment(raw, i == len(segments)-1, text)
		if err != nil {
			return "", "", err
		}
		canon.WriteString("/" + c)
		show.WriteString("/" + s)
	}
	return canon.String(), show.String(), nil
}

// decodePath undoes percent escapes; a percent sign without two hex digits is itself.
func decodePath(text string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '%' && i+2 < len(text) && isHex(text[i+1]) && isHex(text[i+2]) {
			c = unhex(text[i+1])<<4 | unhex(text[i+2])
			i += 2
			if strings.IndexByte("{}*", c) >= 0 {
				return "", Invalid("path", "%q: an escaped %q cannot stand in a route key", text, string(rune(c)))
			}
		}
		switch {
		case c < 0x20 || c == 0x7f:
			return "", Invalid("path", "%q: control characters cannot stand in a route key", text)
		case c == '?' || c == '#':
			return "", Invalid("path", "%q: a route key is a path: leave out %q and what follows", text, string(rune(c)))
		case c == '\\':
			return "", Invalid("path", "%q: write slashes, not backslashes: %s", text, strings.ReplaceAll(text, `\`, "/"))
		}
		b.WriteByte(c)
	}
	if s := b.String(); utf8.ValidString(s) {
		return s, nil
	}
	return "", Invalid("path", "%q: a path is UTF-8, also when decoded", text)
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

func parseSegment(raw string, last bool, whole string) (canonical, shown string, err error) {
	switch {
	case raw == "":
		return "", "", Invalid("path", "%q has an empty segment: write single slashes", whole)
	case raw == "." || raw == "..":
		return "", "", Invalid("path", "%q: dot segments cannot stand in a route key", whole)
	case raw[0] == ':' && len(raw) > 1:
		return "", "", Invalid("path", "%q: a parameter is written {%s}, not %s", whole, raw[1:], raw)
	case raw[0] == '<' || raw[0] == ':':
		return "", "", Invalid("path", "%q: a parameter is written {%s}, not %s", whole, strings.Trim(raw, "<>:"), raw)
	case raw == "**" && last:
		return raw, raw, nil
	case strings.Contains(raw, "*"):
		return "", "", Invalid("path", "%q: %q does nothing there: write {name} for one segment, or ** at the end for the rest", whole, "*")
	case !strings.ContainsAny(raw, "{}"):
		return escape(raw), escape(raw), nil
	}
	return parseParameter(raw, last, whole)
}

func parseParameter(raw string, last bool, whole string) (canonical, shown string, err error) {
	before, rest, opened := strings.Cut(raw, "{")
	name, after, closed := strings.Cut(rest, "}")
	if !opened || !closed || strings.ContainsAny(before+name+after, "{}") {
		return "", "", Invalid("path", "%q: a segment has at most one {name}", whole)
	}
	name, conv, _ := strings.Cut(name, ":")
	switch {
	case conv == "path" && last && before == "" && after == "":
		return "**", "**", nil
	case conv == "path":
		return "", "", Invalid("path", "%q: {%s:path} can only be the whole last segment", whole, name)
	case strings.HasSuffix(name, "..."):
		return "", "", Invalid("path", "%q: the rest of a path is written **", whole)
	}
	b, a := escape(before), escape(after)
	return b + "{}" + a, b + "{" + name + "}" + a, nil
}
