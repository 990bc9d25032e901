package state

import "slices"

// leaf holds the rules of one folded path.
type leaf []*rule

// index finds the rules whose folded path matches a folded path.
type index struct {
	literal map[string]leaf
	open    []*rule
}

func (ix *index) find(path string, hits []leaf) []leaf {
	if l := ix.literal[path]; l != nil {
		hits = append(hits, l)
	}
	for i, r := range ix.open {
		if patternOf(r.key.Path).matches(path) {
			hits = append(hits, ix.open[i:i+1])
		}
	}
	return hits
}

func (ix *index) add(r *rule) {
	p := patternOf(r.key.Path)
	if p.rest || slices.ContainsFunc(p.segments, func(s segment) bool { return s.param }) {
		ix.open = append(ix.open, r)
		return
	}
	path := unescape(foldPath(r.key.Path))
	ix.literal[path] = append(ix.literal[path], r)
}
