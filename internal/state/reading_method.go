package state

import "strings"

// methodSet is a set of HTTP methods.
type methodSet uint16

// The methods a key may name, and Other: any further one. Only a key of every method matches Other.
const (
	methodGET methodSet = 1 << iota
	methodHEAD
	methodPOST
	methodPUT
	methodPATCH
	methodDELETE
	methodOPTIONS
	otherMethod
)

// writingMethods are those that a request may change something with; of an unknown one nobody knows.
const writingMethods = methodPOST | methodPUT | methodPATCH | methodDELETE | otherMethod

// everyMethod is what a key without a method governs, methods that no key can name included.
const everyMethod = methodGET | methodHEAD | methodPOST | methodPUT | methodPATCH | methodDELETE | methodOPTIONS | otherMethod

var methodNames = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// parseMethod returns the method that name spells, in upper case and exactly; false for any other text.
func parseMethod(name string) (methodSet, bool) {
	for i, known := range methodNames {
		if name == known {
			return 1 << i, true
		}
	}
	return 0, false
}

// methodsOf are the methods that a key's method governs: none is every method, and GET is HEAD's too.
func methodsOf(method string) methodSet {
	set, ok := parseMethod(method)
	switch {
	case !ok:
		return everyMethod
	case set == methodGET:
		return methodGET | methodHEAD
	default:
		return set
	}
}

// sentMethods returns the methods that a request with this method may run as; false where it cannot be read. One that
// no key can name, such as WebDAV's, is Other, and GET as well: scripts and pages that never look at the method serve
// it so. TRACE would echo what nobody asked to pass on, CONNECT names no path, and what is not in upper case is a
// method of its own to one reader and a known one to the next.
func sentMethods(name string) (methodSet, bool) {
	if set, ok := parseMethod(name); ok {
		return set, true
	}
	if name == "" || name == "TRACE" || name == "CONNECT" {
		return 0, false
	}
	for i := range len(name) {
		if c := name[i]; (c < 'A' || c > 'Z') && (c != '-' || i == 0) {
			return 0, false
		}
	}
	return methodGET | otherMethod, true
}

// methodReadings returns every method under which a backend may run the request, and
// whether an override header or a _method parameter is there at all (then even a
// preflight is read like any other request).
//
// The method is the request's own; where it cannot be read (sentMethods), the error is
// errUnreadable. The overrides are the values of all headers that
// the gateway shows, query is the query of the target. The set always has
// method, because a backend may ignore overrides. An override that spells one of
// the seven (trimmed, in any case, whole or between commas) adds it. One that
// spells anything else adds Other: a backend that honours it serves no route of
// another method's key, but may serve one that only a key of every method governs;
// so nothing that is blocked opens, an exemption for one method does not cover it,
// and nothing is refused for an odd value. A method in the body cannot be seen.
func methodReadings(method string, overrides []string, query string) (set methodSet, overridden bool, err error) {
	set, ok := sentMethods(method)
	if !ok {
		return 0, false, unreadable("the method is TRACE, CONNECT or not in upper case")
	}
	for _, value := range overrides {
		set |= overrideMethods(value)
	}
	overridden = len(overrides) > 0
	if scanQuery(query)&methodParam == 0 {
		return set, overridden, nil
	}
	for _, value := range paramValues(query, methodParam) {
		set |= overrideMethods(value)
	}
	return set, true, nil
}

// overrideMethods returns the methods that the value of an override spells.
func overrideMethods(value string) (set methodSet) {
	for part := range strings.SplitSeq(value, ",") {
		part = strings.TrimFunc(part, func(c rune) bool { return c < ' ' || isBlank(c) })
		if part == "" {
			continue
		}
		set |= foldedMethod(foldPath(part))
	}
	return set
}

// foldedMethod returns the method that a folded name spells, Other if none. Folded,
// because a backend upper-cases what it finds and "poſt" becomes "POST" then.
func foldedMethod(name string) methodSet {
	for i, known := range methodNames {
		if name == foldPath(known) {
			return 1 << i
		}
	}
	return otherMethod
}
