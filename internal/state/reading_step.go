package state

import "strings"

// step adds what each single step makes of form. Steps that find nothing to do
// give the form back, which is known already.
func (r *reader) step(form string) error {
	has := formFeatures(form)
	if has&semicolon != 0 {
		r.add(stripParameters(form, "/"))
		r.add(stripParameters(form, `/\`))
		r.add(stripLastParameters(form))
		r.add(stripSession(form))
		r.add(cutAt(form, ';'))
	}
	if has&questionMark != 0 {
		r.add(cutAt(form, '?'))
	}
	if has&hashMark != 0 {
		r.add(cutAt(form, '#'))
	}
	if has&doubleStart != 0 {
		r.add(cutAuthority(form))
	}
	if has&parenthesis != 0 {
		r.add(stripCookieless(form))
	}
	r.stepSegments(form, has)
	return r.stepEscapes(form, has)
}

// stepSegments adds what the steps about slashes, dots and blanks make of form.
func (r *reader) stepSegments(form string, has formFeature) {
	if has&backslash != 0 {
		r.add(strings.ReplaceAll(form, `\`, "/"))
	}
	// Without a dot segment, now or once decoded, merging changes no reading.
	if has&emptySegment != 0 && has&(dotSegment|percent) != 0 {
		r.add(mergeSlashes(form))
	}
	if has&dotSegment != 0 {
		r.add(resolveDots(form))
	}
	if has&oddEdge != 0 {
		r.add(trimLast(form))
		r.add(trimEvery(form))
		r.add(trimBlanks(form))
	}
	if has&wide != 0 {
		r.add(narrow(form))
		r.add(lookalikesAsSlash(form))
	}
}

// stepEscapes adds what readers make of form who decode some escapes only.
func (r *reader) stepEscapes(form string, has formFeature) error {
	if has&dotEscape != 0 {
		r.add(dotEscapes(form))
	}
	if has&wideEscape == 0 {
		return nil
	}
	read, err := wideEscapes(form)
	if err != nil {
		return err
	}
	r.add(read)
	return nil
}

// stripParameters removes each parameter: from ';' to the next byte in ends.
func stripParameters(form, ends string) string {
	var out strings.Builder
	for {
		start := strings.IndexByte(form, ';')
		if start < 0 {
			out.WriteString(form)
			return out.String()
		}
		out.WriteString(form[:start])
		length := strings.IndexAny(form[start:], ends)
		if length < 0 {
			return out.String()
		}
		form = form[start+length:]
	}
}

// stripLastParameters removes the parameters of the last segment only, as RFC 2396
// parsers do (Python's urlparse). A trailing slash may have been cut before.
func stripLastParameters(form string) string {
	body := strings.TrimRight(form, "/")
	last := strings.LastIndexByte(body, '/') + 1
	if at := strings.IndexByte(body[last:], ';'); at >= 0 {
		return body[:last+at]
	}
	return form
}

// stripSession removes ;jsessionid=… up to the next ';' or '/', as frameworks do
// that otherwise keep parameters.
func stripSession(form string) string {
	const name = ";jsessionid"
	var out strings.Builder
	for i := 0; i < len(form); {
		if form[i] == ';' && len(form)-i >= len(name) && strings.EqualFold(form[i:i+len(name)], name) {
			i += len(name)
			for i < len(form) && form[i] != ';' && form[i] != '/' {
				i++
			}
			continue
		}
		out.WriteByte(form[i])
		i++
	}
	return out.String()
}

// cutAt cuts form at the first c.
func cutAt(form string, c rune) string {
	before, _, _ := strings.Cut(form, string(c))
	return before
}

// cutAuthority reads a form that begins with two slashes as a network-path
// reference, RFC 3986 §4.2, as backends do that resolve the target against a base
// URL: of //host/path the path is /path. URL parsers of browsers and of Node skip
// further slashes and take backslashes for slashes.
func cutAuthority(form string) string {
	start := 0
	for start < len(form) && isSlash(form[start]) {
		start++
	}
	for i := start; i < len(form); i++ {
		if isSlash(form[i]) {
			return "/" + form[i+1:]
		}
	}
	return "/"
}

// stripCookieless removes what ASP.NET takes for a session or ticket that is kept
// in the path: /(S(…)), /(A(…)F(…)). The rest closes up: /pro/(S(x))file is
// /profile to it.
func stripCookieless(form string) string {
	var out strings.Builder
	for i := 0; i < len(form); {
		if length := cookielessAt(form[i:]); length > 0 {
			i += length
			continue
		}
		out.WriteByte(form[i])
		i++
	}
	if rest := out.String(); strings.HasPrefix(rest, "/") {
		return rest
	}
	return "/" + out.String()
}

// cookielessAt returns the length of the cookieless part at the start of s, or 0.
func cookielessAt(s string) int {
	rest, found := strings.CutPrefix(s, "/(")
	if !found {
		return 0
	}
	for parts := 0; ; parts++ {
		if parts > 0 && strings.HasPrefix(rest, ")") {
			return len(s) - len(rest) + 1
		}
		if len(rest) < 2 || rest[0]|0x20 < 'a' || rest[0]|0x20 > 'z' || rest[1] != '(' {
			return 0
		}
		end := strings.IndexAny(rest[2:], `()/\`)
		if end < 0 || rest[2+end] != ')' {
			return 0
		}
		rest = rest[2+end+1:]
	}
}
