package state

// everyMethod is what a key without a method governs, methods that no key can name included.
const everyMethod = methodGET | methodHEAD | methodPOST | methodPUT | methodPATCH | methodDELETE | methodOPTIONS | otherMethod

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
