package readingtest

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	escape      = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
	slashEscape = regexp.MustCompile(`(?i)%2f|%5c`)
	wideEscape  = regexp.MustCompile(`(?i)%u[0-9a-f]{4}`)
	parameter   = regexp.MustCompile(`;[^/]*`)
	parameterIE = regexp.MustCompile(`;[^/\\]*`)
	session     = regexp.MustCompile(`(?i);jsessionid[^;/]*`)
	cookieless  = regexp.MustCompile(`/\(([A-Za-z]\([^()/\\]*\))+\)`)
	slashes     = regexp.MustCompile(`/+`)
	authority   = regexp.MustCompile(`^[/\\]{2,}[^/\\]*`)
)

// decode undoes every valid escape once, and leaves bad ones.
func decode(s string) string {
	before, rest, found := strings.Cut(s, "%")
	if !found {
		return s
	}
	var out strings.Builder
	for ; found; before, rest, found = strings.Cut(rest, "%") {
		out.WriteString(before)
		c, err := strconv.ParseUint(rest[:min(2, len(rest))], 16, 8)
		if err != nil || len(rest) < 2 {
			out.WriteByte('%')
			continue
		}
		out.WriteByte(byte(c))
		rest = rest[2:]
	}
	return out.String() + before
}

// decodeBut is decode for all escapes but those of the bytes in keep.
func decodeBut(keep string) func(string) string {
	return func(s string) string {
		return escape.ReplaceAllStringFunc(s, func(hex string) string {
			if c := decode(hex); !strings.Contains(keep, c) {
				return c
			}
			return hex
		})
	}
}

// decodeSegments splits first and decodes then: a decoded slash is data.
func decodeSegments(s string) string {
	parts := strings.Split(s, "/")
	for i, part := range parts {
		parts[i] = strings.ReplaceAll(decode(part), "/", "\x1f")
	}
	return strings.Join(parts, "/")
}

func decodeWide(s string) string {
	return wideEscape.ReplaceAllStringFunc(s, func(hex string) string {
		c, _ := strconv.ParseUint(hex[2:], 16, 16)
		if !utf8.ValidRune(rune(c)) {
			return hex
		}
		return string(rune(c))
	})
}

func decodeDots(s string) string {
	return strings.NewReplacer("%2e", ".", "%2E", ".").Replace(s)
}

// slashData is how a router that splits first holds what is an escape still.
func slashData(s string) string {
	return slashEscape.ReplaceAllStringFunc(s, func(hex string) string {
		if decode(hex) == `\` {
			return `\`
		}
		return "\x1f"
	})
}

func cut(at string) func(string) string {
	return func(s string) string {
		before, _, _ := strings.Cut(s, at)
		return before
	}
}

// remove takes away every parameter that what matches.
func remove(what *regexp.Regexp) func(string) string {
	return func(s string) string {
		if !strings.Contains(s, ";") {
			return s
		}
		return what.ReplaceAllString(s, "")
	}
}

func stripLast(s string) string {
	last := strings.LastIndex(s, "/") + 1
	return s[:last] + cut(";")(s[last:])
}

func stripAuthority(s string) string {
	if !authority.MatchString(s) {
		return s
	}
	rest := authority.ReplaceAllString(s, "")
	if rest == "" {
		return "/"
	}
	return "/" + rest[1:]
}

func stripCookieless(s string) string {
	return "/" + strings.TrimPrefix(cookieless.ReplaceAllString(s, ""), "/")
}

func backslash(s string) string { return strings.ReplaceAll(s, `\`, "/") }

func merge(s string) string {
	if !strings.Contains(s, "//") {
		return s
	}
	return slashes.ReplaceAllString(s, "/")
}

// resolve removes dot segments; an empty segment is one that ".." takes away.
func resolve(s string) string {
	parts := strings.Split(strings.TrimPrefix(s, "/"), "/")
	var out []string
	for i, part := range parts {
		switch part {
		case "..":
			out = out[:max(0, len(out)-1)]
		case ".":
		default:
			out = append(out, part)
			continue
		}
		if i == len(parts)-1 {
			out = append(out, "")
		}
	}
	return "/" + strings.Join(out, "/")
}

func blank(c rune) bool { return c == ' ' || c > 0x7f && unicode.IsSpace(c) || c == '\ufeff' }

func trimTail(s string) string {
	if s == "." || s == ".." {
		return s
	}
	return strings.TrimRightFunc(s, func(c rune) bool { return c == '.' || blank(c) })
}

func trimEnd(s string) string {
	s = strings.TrimRight(s, "/")
	last := strings.LastIndex(s, "/") + 1
	return "/" + strings.TrimPrefix(s[:last]+trimTail(s[last:]), "/")
}

func eachSegment(change func(string) string) func(string) string {
	return func(s string) string {
		parts := strings.Split(s, "/")
		for i, part := range parts {
			parts[i] = change(part)
		}
		return strings.Join(parts, "/")
	}
}

func trimBlanks(s string) string { return strings.TrimFunc(s, blank) }

func bestFit(s string) string {
	return strings.NewReplacer("\u2044", "/", "\u2215", "/", "\uff0f", "/", "\u29f8", "/", "\uff3c", "/").Replace(s)
}

func narrow(s string) string {
	var out strings.Builder
	for _, c := range s {
		switch {
		case '！' <= c && c <= '～':
			c -= '！' - '!'
		case c == '․':
			c = '.'
		}
		out.WriteRune(c)
	}
	return out.String()
}

// upper maps as languages with full case mapping do, and back to lower case.
func upper(s string) string {
	s = strings.NewReplacer("ß", "SS", "ﬁ", "FI", "ﬆ", "ST", "ﬀ", "FF").Replace(s)
	return strings.ToLower(strings.ToUpper(s))
}
