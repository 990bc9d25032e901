package state

import (
	"slices"
	"strings"
	"time"

	"github.com/waygate/waygate/internal/state/reading"
)

// question is a request in all its readings, at an instant.
type question struct {
	now          int64
	service, env string
	methods      methodSet
	// connect says that it may be a Connect call by GET: the POST keys of the procedure govern it too.
	connect bool
	// overridden says that something asks for another method than the request's own.
	overridden bool
	// preflight says that it is a CORS preflight: only keys of method OPTIONS govern it.
	preflight bool
	views     []view
}

// view is one reading of the path, and the rules whose path it matches, folded.
type view struct {
	path string // as sent
	hits []*leaf
}

// methodsIn are the method readings of the request where it is read as v.
func (q *question) methodsIn(v *view) methodSet {
	if q.connect && isProcedure(v.path) {
		return q.methods | reading.POST
	}
	return q.methods
}

// isProcedure reports whether a path ends like /package.Service/Method.
func isProcedure(path string) bool {
	last := strings.LastIndexByte(path, '/')
	if last <= 0 || last == len(path)-1 {
		return false
	}
	service := path[strings.LastIndexByte(path[:last], '/')+1 : last]
	return strings.IndexByte(service, '.') > 0
}

// asks reports whether a rule governs the request where it is read as v.
func (q *question) asks(r *rule, v *view) bool {
	if r.methods&q.methodsIn(v) == 0 || q.preflight && r.key.Method != "OPTIONS" {
		return false
	}
	return q.service == "" || r.key.Service == "" || r.key.Service == q.service
}

// scope is the service by whose keys a part that belongs to service is lifted: the request's, and where that is not
// known, the part's own. So each service is looked at in turn, and the ones nobody named as well.
func (q *question) scope(service string) string {
	if q.service != "" {
		return q.service
	}
	return service
}

// lifted reports whether keys of the sets match under every reading of the path and the method. governed are the
// methods of the part that they may lift.
func (q *question) lifted(sets [2]*keySet, service string, governed methodSet) bool {
	for i := range q.views {
		v := &q.views[i]
		need := q.methodsIn(v)
		if q.connect && !q.overridden {
			// A Connect GET is one call under two names: the name that is not governed needs no exception.
			need &= governed
		}
		for _, s := range sets {
			if s != nil && need != 0 {
				need &^= s.methodsAt(v.path, service)
			}
		}
		if need != 0 {
			return false
		}
	}
	return true
}

// protected reports whether, for a service, protected keys match under every reading of the path and the method.
func (q *question) protected(service string) bool {
	for i := range q.views {
		v := &q.views[i]
		need := q.methodsIn(v)
		for _, l := range v.hits {
			for _, r := range *l {
				if r.protected && need&r.methods != 0 && (r.key.Service == "" || r.key.Service == service) && r.path.matches(v.path) {
					need &^= r.methods
				}
			}
		}
		if need != 0 {
			return false
		}
	}
	return true
}

// admits reports whether a gate lets the request pass.
func (q *question) admits(g *gate) bool { return q.env != "" && slices.Contains(g.Envs, q.env) }

// claim is one thing that refuses a request.
type claim struct {
	cause       Cause
	text, shown string
	block       *block
	gate        *gate
	until       time.Time // zero: no end
}

// stronger reports whether c speaks rather than other: the stricter one, then the one that ends last, then the lower
// key, then the standing part and the earlier window.
func (c *claim) stronger(other *claim) bool {
	switch {
	case c.cause != other.cause:
		return c.cause > other.cause
	case c.until.IsZero() != other.until.IsZero():
		return c.until.IsZero()
	case !c.until.Equal(other.until):
		return c.until.After(other.until)
	case c.text != other.text:
		return c.text < other.text
	default:
		return c.block != nil && other.block != nil && c.block.window < other.block.window
	}
}

// hearing gathers all that is said about a request.
type hearing struct {
	strictest claim
	retryAt   time.Time
	endless   bool
	// deprecated is the rule that speaks of those that deprecate.
	deprecated *rule
}

func (h *hearing) add(c claim) {
	h.endless = h.endless || c.until.IsZero()
	if c.until.After(h.retryAt) {
		h.retryAt = c.until
	}
	if h.strictest.cause == CauseNone || c.stronger(&h.strictest) {
		h.strictest = c
	}
}
