package state

import "github.com/waygate/waygate/internal/state/reading"

// methodSet is a set of methods: those a request may run under, or those a key governs.
type methodSet = reading.MethodSet

// everyMethod is what a key without a method governs, methods that no key can name included.
const everyMethod = reading.GET | reading.HEAD | reading.POST | reading.PUT | reading.PATCH | reading.DELETE | reading.OPTIONS | reading.Other

// postMethod is the method of a call that may come as a Connect GET too.
const postMethod = reading.POST

// methodsOf are the methods that a key's method governs: none is every method, and GET is HEAD's too.
func methodsOf(method string) methodSet {
	set, ok := reading.Parse(method)
	switch {
	case !ok:
		return everyMethod
	case set == reading.GET:
		return reading.GET | reading.HEAD
	default:
		return set
	}
}

// foldPath removes letter case, so that spellings which some backend takes for the same become the same.
func foldPath(path string) string { return reading.Fold(path) }

// appendFolded appends the folded path to dst; it does not allocate where dst has room for all of path.
func appendFolded(dst []byte, path string) []byte { return reading.AppendFold(dst, path) }

// plainPath gives the length of the path of a target that has exactly one reading, and whether there are upper-case
// letters in it.
func plainPath(target string) (n int, upper, ok bool) { return reading.Plain(target) }

// pathReadings are all paths, in their letter case as sent, that some backend could make of a target.
func pathReadings(target string) ([]string, error) { return reading.Paths(target) }

// readMethods fills in under which methods a request may run, and which of its keys are looked at; false when the
// method cannot be read.
func (q *question) readMethods(req *Request) bool {
	query := reading.Query(req.Target)
	if query == "" && len(req.Overrides) == 0 {
		set, ok := reading.Parse(req.Method)
		q.methods = set
		q.preflight = set == reading.OPTIONS && req.Preflight
		return ok
	}
	set, overridden, err := reading.Methods(req.Method, req.Overrides, query)
	if err != nil {
		return false
	}
	q.methods = set
	q.preflight = req.Method == "OPTIONS" && req.Preflight && !overridden
	q.connect = req.Method == "GET" && reading.ConnectGet(query)
	q.overridden = overridden
	return true
}
