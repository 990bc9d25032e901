package state

import (
	"slices"
	"strings"
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
	// first is the only view of a plain path.
	first  view
	others []view
	// shield is the last answer of protected.
	shield shield
}

// shield remembers whether a request is protected for a service.
type shield struct {
	known, holds bool
	service      string
}

// view is one reading of the path, and the rules whose path it matches, folded.
type view struct {
	path string // as sent
	hits leaves
}

// readMethods fills in under which methods a request may run, and which of its keys are looked at; false when the
// method cannot be read.
func (q *question) readMethods(req *Request) bool {
	query := queryOf(req.Target)
	if query == "" && len(req.Overrides) == 0 {
		set, ok := sentMethods(req.Method)
		q.methods = set
		q.preflight = set == methodOPTIONS && req.Preflight
		return ok
	}
	set, overridden, err := methodReadings(req.Method, req.Overrides, query)
	if err != nil {
		return false
	}
	q.methods = set
	q.preflight = req.Method == "OPTIONS" && req.Preflight && !overridden
	q.connect = req.Method == "GET" && isConnectGet(query)
	q.overridden = overridden
	return true
}

// views is the number of readings of the path.
func (q *question) views() int { return 1 + len(q.others) }

func (q *question) view(i int) *view {
	if i == 0 {
		return &q.first
	}
	return &q.others[i-1]
}

// methodsIn are the method readings of the request where it is read as v.
func (q *question) methodsIn(v *view) methodSet {
	if q.connect && isProcedure(v.path) {
		return q.methods | methodPOST
	}
	return q.methods
}

// written are the methods under which the request may change something, in any of its readings.
func (q *question) written() (set methodSet) {
	for i := range q.views() {
		set |= q.methodsIn(q.view(i))
	}
	return set & writingMethods
}

// refusedBy reports whether a block on these methods, while it is in force, refuses the request.
func (q *question) refusedBy(b *block, governed methodSet) bool {
	return b.effect != EffectReadOnly || governed&q.written() != 0
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

// lifted reports whether keys of one set or the other (nil where there is one only) match under every reading of the
// path and the method. The part that they may lift is one of the methods governed.
func (q *question) lifted(keys, more *keySet, service string, governed methodSet) bool {
	if keys.empty() && more == nil {
		return false
	}
	for i := range q.views() {
		v := q.view(i)
		need := q.methodsIn(v)
		if q.connect && !q.overridden {
			// A Connect GET is one call under two names: the name that is not governed needs no exception.
			need &= governed
		}
		need &^= keys.methodsAt(v.path, service)
		if more != nil && need != 0 {
			need &^= more.methodsAt(v.path, service)
		}
		if need != 0 {
			return false
		}
	}
	return true
}

// protected reports whether, for a service, protected keys match under every reading of the path and the method.
func (q *question) protected(service string) bool {
	if !q.shield.known || q.shield.service != service {
		q.shield = shield{known: true, holds: q.shielded(service), service: service}
	}
	return q.shield.holds
}

func (q *question) shielded(service string) bool {
	for i := range q.views() {
		v := q.view(i)
		need := q.methodsIn(v)
		for j := range v.hits.len() {
			l := v.hits.at(j)
			for n := range l.len() {
				if r := l.at(n); r.protects(v.path, service) {
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

// protects reports whether the rule has the flag and its path matches as spelled.
func (r *rule) protects(path, service string) bool {
	return r.protected && (r.key.Service == "" || r.key.Service == service) && r.spelled.matches(path)
}

// admits reports whether a gate lets the request pass.
func (q *question) admits(g *gate) bool { return q.env != "" && slices.Contains(g.Envs, q.env) }
