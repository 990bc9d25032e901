package state

import (
	"strings"
	"unicode/utf8"
)

// parsePath reads the path of a key: its canonical text and its spelling to show.
func parsePath(text string) (canonical, shown string, err error) {
	if n, _, plain := plainPath(text); plain && n == len(text) {
		return text, text, nil
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
	canon.Grow(len(decoded))
	show.Grow(len(decoded))
	for rest, more := decoded[1:], true; more; {
		var raw string
		raw, rest, more = strings.Cut(rest, "/")
		c, s, err := parseSegment(raw, !more, text)
		if err != nil {
			return "", "", err
		}
		canon.WriteByte('/')
		canon.WriteString(c)
		show.WriteByte('/')
		show.WriteString(s)
	}
	return canon.String(), show.String(), nil
}

// decodePath undoes percent escapes; a percent sign without two hex digits is itself.
func decodePath(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", Invalid("path", "a path is UTF-8")
	}
	var b strings.Builder
	b.Grow(len(text))
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

// parseSegment reads one decoded segment of the path whole.
func parseSegment(raw string, last bool, whole string) (canonical, shown string, err error) {
	switch {
	case raw == "":
		return "", "", Invalid("path", "%q has an empty segment: write single slashes", whole)
	case raw == "." || raw == "..":
		return "", "", Invalid("path", "%q: dot segments cannot stand in a route key", whole)
	case raw[0] == ':' || raw[0] == '<':
		// :id of Express and Gin, <int:id> of Flask and Django
		words := strings.FieldsFunc(raw, func(c rune) bool { return strings.ContainsRune("<>:", c) })
		return "", "", Invalid("path", "%q: a parameter is written {%s}, not %s", whole, strings.Join(words[max(0, len(words)-1):], ""), raw)
	case raw == "**" && last:
		return raw, raw, nil
	case strings.Contains(raw, "*"):
		return "", "", Invalid("path", "%q: %q does nothing there: write {name} for one segment, or ** at the end for the rest", whole, "*")
	case !strings.ContainsAny(raw, "{}"):
		text := escape(raw)
		return text, text, nil
	default:
		return parseParameter(raw, last, whole)
	}
}

// parseParameter reads a segment with a {name} in it.
func parseParameter(raw string, last bool, whole string) (canonical, shown string, err error) {
	before, rest, opened := strings.Cut(raw, "{")
	inside, after, closed := strings.Cut(rest, "}")
	if !opened || !closed || strings.ContainsAny(before+inside+after, "{}") {
		return "", "", Invalid("path", "%q: a segment has at most one {name}, with both of its braces", whole)
	}
	name, kind, _ := strings.Cut(inside, ":")
	switch {
	case kind == "path" && last && before == "" && after == "":
		return "**", "**", nil
	case kind == "path":
		return "", "", Invalid("path", "%q: {%s:path} can only be the whole last segment", whole, name)
	case strings.HasSuffix(name, "..."):
		return "", "", Invalid("path", "%q: the rest of a path is written **", whole)
	case name == "$":
		return "", "", Invalid("path", "%q: leave out {$}: a key without ** covers nothing below it", whole)
	}
	before, after = escape(before), escape(after)
	return before + "{}" + after, before + "{" + escape(inside) + "}" + after, nil
}
