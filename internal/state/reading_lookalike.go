package state

import "strings"

// lookalikesAsSlash takes the characters that look like a slash or a backslash for
// one, as best-fit conversions to a narrow code page do: fraction slash, division
// slash, full-width solidus, big solidus and full-width reverse solidus.
func lookalikesAsSlash(form string) string {
	return strings.Map(func(c rune) rune {
		switch c {
		case '\u2044', '\u2215', '\uff0f', '\u29f8', '\uff3c':
			return '/'
		}
		return c
	}, form)
}

// narrow turns the full-width forms of ASCII (U+FF01 to U+FF5E) and the dot leaders
// into ASCII, as the compatibility normalisation NFKC does. It takes only part of
// the look-alikes for a slash, and takes full-width dots and letters for dots and
// letters, so it is a reading of its own.
func narrow(form string) string {
	var out strings.Builder
	for _, c := range form {
		switch {
		case 0xff01 <= c && c <= 0xff5e:
			out.WriteByte(byte(c - 0xff01 + '!'))
		case c == '\u2024':
			out.WriteByte('.')
		case c == '\u2025':
			out.WriteString("..")
		case c == '\u2026':
			out.WriteString("...")
		default:
			out.WriteRune(c)
		}
	}
	return out.String()
}
