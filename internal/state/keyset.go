package state

// keySet is a set of keys that exempt: exceptions of a block, exemptions of a switch. They match as spelled. The zero
// keySet is empty.
type keySet struct {
	few  []exactKey
	many *index // instead of few, where looking at each would take long
}

// exactKey is a key ready to be compared with paths as sent.
type exactKey struct {
	service string
	methods methodSet
	whole   string // the path of a key without parameters; empty for others
	path    pattern
}

const fewKeys = 8

func keySetOf(keys []Key) (s keySet) {
	if len(keys) > fewKeys {
		ix, e := newIndex(), new(edit)
		for _, k := range keys {
			ix.set(e, k.Path, k, &rule{key: k, methods: methodsOf(k.Method)})
		}
		return keySet{many: &ix}
	}
	for _, k := range keys {
		exact := exactKey{service: k.Service, methods: methodsOf(k.Method)}
		if whole, ok := literal(k.Path); ok {
			exact.whole = whole
		} else {
			exact.path = exactPatternOf(k.Path)
		}
		s.few = append(s.few, exact)
	}
	return s
}

func (s *keySet) empty() bool { return len(s.few) == 0 && s.many == nil }

// methodsAt are the methods under which the keys of a service, and those of every service, match path.
func (s *keySet) methodsAt(path, service string) (found methodSet) {
	for i := range s.few {
		if k := &s.few[i]; (k.service == "" || k.service == service) && k.matches(path) {
			found |= k.methods
		}
	}
	if s.many == nil {
		return found
	}
	var hits leaves
	s.many.find(path, &hits)
	for i := range hits.len() {
		l := hits.at(i)
		for j := range l.len() {
			if r := l.at(j); r.key.Service == "" || r.key.Service == service {
				found |= r.methods
			}
		}
	}
	return found
}

func (k *exactKey) matches(path string) bool {
	if k.whole != "" {
		return k.whole == path
	}
	return k.path.matches(path)
}
