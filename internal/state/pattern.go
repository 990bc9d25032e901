package state

import "strings"

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
	p.segments = make([]segment, 0, strings.Count(path, "/"))
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

// literal gives the path that a canonical path without parameters and rest stands for.
func literal(path string) (text string, ok bool) {
	if strings.IndexByte(path, '{') >= 0 || strings.HasSuffix(path, "/**") {
		return "", false
	}
	return unescape(path), true
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
