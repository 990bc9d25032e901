package state

// keySet is a set of keys that exempt: exceptions of a block, exemptions of a switch. They match as spelled.
type keySet struct {
	few []exactKey
}

// exactKey is a key ready to be compared with paths as sent.
type exactKey struct {
	service string
	methods methodSet
	path    pattern
}

func keySetOf(keys []Key) keySet {
	var s keySet
	for _, k := range keys {
		s.few = append(s.few, exactKey{service: k.Service, methods: methodsOf(k.Method), path: exactPatternOf(k.Path)})
	}
	return s
}

// methodsAt are the methods under which the keys of a service (and those of every service) match path.
func (s *keySet) methodsAt(path, service string) methodSet {
	var found methodSet
	for i := range s.few {
		k := &s.few[i]
		if (k.service == "" || k.service == service) && k.path.matches(path) {
			found |= k.methods
		}
	}
	return found
}
