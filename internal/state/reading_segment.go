package state

import (
	"bytes"
	"strings"
	"unicode"
)

// withoutEmpty drops empty segments and the trailing slash.
func withoutEmpty(form string) string {
	form = mergeSlashes(form)
	if len(form) > 1 && form[len(form)-1] == '/' {
		return form[:len(form)-1]
	}
	return form
}

// mergeSlashes makes one slash of each run of slashes.
func mergeSlashes(form string) string {
	first := strings.Index(form, "//")
	if first < 0 {
		return form
	}
	out := make([]byte, 0, len(form))
	out = append(out, form[:first]...)
	for i := first; i < len(form); i++ {
		if form[i] != '/' || len(out) == 0 || out[len(out)-1] != '/' {
			out = append(out, form[i])
		}
	}
	return string(out)
}

// resolveDots removes dot segments, RFC 3986 §5.2.4. An empty segment is a segment
// here: ".." takes it away, unless slashes were merged before.
func resolveDots(form string) string {
	out := make([]byte, 0, len(form))
	for rest := form[1:]; ; {
		segment, tail, more := strings.Cut(rest, "/")
		switch segment {
		case ".", "..":
			if segment == ".." {
				out = out[:max(0, bytes.LastIndexByte(out, '/'))]
			}
			if !more {
				out = append(out, '/')
			}
		default:
			out = append(out, '/')
			out = append(out, segment...)
		}
		if !more {
			return string(out)
		}
		rest = tail
	}
}

// trimLast cuts trailing dots and blanks from the last segment that is not empty.
// A dot segment is left to those who resolve it.
func trimLast(form string) string {
	body := strings.TrimRight(form, "/")
	start := strings.LastIndexByte(body, '/') + 1
	return body[:start] + trimSegment(body[start:])
}

// trimEvery cuts trailing dots and blanks from every segment.
func trimEvery(form string) string { return eachSegment(form, trimSegment) }

// trimBlanks cuts blanks from both ends of every segment, which can lay bare a dot
// segment.
func trimBlanks(form string) string {
	return eachSegment(form, func(segment string) string { return strings.TrimFunc(segment, isBlank) })
}

func trimSegment(segment string) string {
	if segment == "." || segment == ".." {
		return segment
	}
	return strings.TrimRightFunc(segment, func(c rune) bool { return c == '.' || isBlank(c) })
}

// isBlank reports what some reader trims as white space: Unicode's, and the byte
// order mark, which JavaScript counts among them.
func isBlank(c rune) bool { return c == ' ' || c > 0x7f && (unicode.IsSpace(c) || c == 0xfeff) }

// eachSegment applies change to every segment of form.
func eachSegment(form string, change func(string) string) string {
	var out strings.Builder
	out.Grow(len(form))
	for {
		segment, rest, more := strings.Cut(form, "/")
		out.WriteString(change(segment))
		if !more {
			return out.String()
		}
		out.WriteByte('/')
		form = rest
	}
}
