package state

import (
	"strings"
	"unicode/utf8"
)

// escapeAt returns the byte that the percent escape at s[i] stands for.
func escapeAt[T string | []byte](s T, i int) (byte, bool) {
	if i+2 >= len(s) || s[i] != '%' {
		return 0, false
	}
	high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
	return high<<4 | low, high < 16 && low < 16
}

// hexDigit returns the value of a hexadecimal digit, 0xff for anything else.
func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// badEscape reports a '%' that is not followed by two hexadecimal digits.
func badEscape(s string) bool {
	for i := strings.IndexByte(s, '%'); i >= 0 && i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if _, ok := escapeAt(s, i); !ok {
			return true
		}
	}
	return false
}

// hasEscape reports a '%' that is followed by two hexadecimal digits.
func hasEscape(s string) bool {
	for i := strings.IndexByte(s, '%'); i >= 0 && i < len(s); i++ {
		if _, ok := escapeAt(s, i); ok {
			return true
		}
	}
	return false
}

// unescape decodes s once, leaving the escapes of the bytes in keep as they are. A
// '%' without two hexadecimal digits is a literal: /sale/50%25 is legal. A control
// byte or invalid UTF-8 in the outcome is unreadable.
func decodeOnce(s, keep string) (string, error) {
	first := strings.IndexByte(s, '%')
	if first < 0 {
		return s, nil
	}
	out := make([]byte, first, len(s))
	copy(out, s)
	for i := first; i < len(s); i++ {
		c, ok := escapeAt(s, i)
		if !ok || strings.IndexByte(keep, c) >= 0 {
			out = append(out, s[i])
			continue
		}
		if c < ' ' || c == 0x7f {
			return "", unreadable("an encoded control byte")
		}
		out = append(out, c)
		i += 2
	}
	if !utf8.Valid(out) {
		return "", unreadable("invalid UTF-8 when decoded")
	}
	return string(out), nil
}

// hasSlashEscape reports an encoded slash or backslash.
func hasSlashEscape(s string) bool {
	for i := strings.IndexByte(s, '%'); i >= 0 && i < len(s); i++ {
		if c, ok := escapeAt(s, i); ok && (c == '/' || c == '\\') {
			return true
		}
	}
	return false
}

// slashEscapesAsData is s as a router holds it that splits into segments first:
// the encoded slashes and backslashes are characters of a segment.
func slashEscapesAsData(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c, ok := escapeAt(s, i)
		switch {
		case ok && c == '/':
			out = append(out, dataSlash)
			i += 2
		case ok && c == '\\':
			out = append(out, c)
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

// dotEscapes decodes %2E and nothing else: URL parsers take it for a dot when they
// resolve dot segments, and decode the rest later or never (WHATWG URL, "path
// state").
func dotEscapes(s string) string {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if c, ok := escapeAt(s, i); ok && c == '.' {
			out = append(out, '.')
			i += 2
			continue
		}
		out = append(out, s[i])
	}
	return string(out)
}

// wideEscapes decodes %uXXXX, which ASP and ASP.NET understand. It can only come
// up in a decoded form: in the raw target it is a bad escape. A control character
// is unreadable; half of a surrogate pair stays as it is.
func wideEscapes(s string) (string, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c, ok := wideEscapeAt(s, i)
		if !ok {
			out = append(out, s[i])
			continue
		}
		if c < ' ' || c == 0x7f {
			return "", unreadable("an encoded control character")
		}
		out = utf8.AppendRune(out, c)
		i += len("%uXXXX") - 1
	}
	return string(out), nil
}

// wideEscapeAt returns the character that the %uXXXX at s[i] stands for.
func wideEscapeAt(s string, i int) (rune, bool) {
	if i+5 >= len(s) || s[i] != '%' || s[i+1]|0x20 != 'u' {
		return 0, false
	}
	c := rune(0)
	for _, digit := range []byte(s[i+2 : i+6]) {
		value := hexDigit(digit)
		if value > 15 {
			return 0, false
		}
		c = c<<4 | rune(value)
	}
	return c, utf8.ValidRune(c)
}
