package state

import "unicode/utf8"

// formFeature is something in a form that a step could change. Steps are tried only on
// forms that have what they act on, so an ordinary target makes few forms.
type formFeature uint16

const (
	semicolon formFeature = 1 << iota
	questionMark
	hashMark
	backslash
	percent
	dotEscape  // %2E.
	wideEscape // %uXXXX, or what may be one.
	parenthesis
	wide         // a byte outside ASCII.
	dotSegment   // a segment "." or "..".
	emptySegment // "//".
	oddEdge      // a segment that ends with a dot, or begins or ends with a blank.
	doubleStart  // begins with two or more of '/' and '\'.
)

// formFeatures returns what is in form, in one pass over it.
func formFeatures(form string) formFeature {
	var has formFeature
	if len(form) > 1 && isSlash(form[1]) {
		has |= doubleStart
	}
	start := 0 // of the segment.
	for i := 0; i <= len(form); i++ {
		c := byte('/')
		if i < len(form) {
			c = form[i]
		}
		switch {
		case c == '/':
			has |= segmentFeatures(form[start:i])
			if i > 0 && i < len(form) && form[i-1] == '/' {
				has |= emptySegment
			}
			start = i + 1
		case c >= utf8.RuneSelf:
			has |= wide
		case c == '%':
			has |= percent | escapeFeature(form[i+1:])
		default:
			has |= byteFeature(c)
		}
	}
	return has
}

// escapeFeature returns what kind of escape goes on with rest.
func escapeFeature(rest string) formFeature {
	switch {
	case rest == "":
		return 0
	case rest[0]|0x20 == 'u':
		return wideEscape
	case len(rest) > 1 && rest[0] == '2' && rest[1]|0x20 == 'e':
		return dotEscape
	}
	return 0
}

func byteFeature(c byte) formFeature {
	switch c {
	case ';':
		return semicolon
	case '?':
		return questionMark
	case '#':
		return hashMark
	case '\\':
		return backslash
	case '(':
		return parenthesis
	}
	return 0
}

// segmentFeatures returns what is odd about the ends of a segment.
func segmentFeatures(segment string) formFeature {
	switch segment {
	case "":
		return 0
	case ".", "..":
		return dotSegment
	}
	first, _ := utf8.DecodeRuneInString(segment)
	last, _ := utf8.DecodeLastRuneInString(segment)
	if last == '.' || isBlank(last) || isBlank(first) {
		return oddEdge
	}
	return 0
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }
