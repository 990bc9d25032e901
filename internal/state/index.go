package state

import (
	"hash/maphash"
	"math/bits"
	"strings"
)

// index finds the rules whose path matches a path. Paths without parameters stand in one table by their whole text.
// The others make a tree of segments, whose edges are in a table too (by the number of the node and the segment), so
// that a change copies the nodes it touches and nothing above them. The caller folds, or does not: the index compares
// bytes.
type index struct {
	seed    maphash.Seed
	literal table[string, leaf]
	edges   table[edge, node]
	around  table[aroundEdge, node]
	root    node
	last    uint64 // number of the youngest node
}

// node stands for the beginning of a path: a number of segments.
type node struct {
	id         uint64
	edges      int   // children by a literal segment
	any        *node // child by a {}
	shapes     []shape
	here, rest leaf // of the path that ends here, and of this path and **
}

// edge leads from a node to its child by a literal segment.
type edge struct {
	from uint64
	text string
}

// aroundEdge leads from a node to its child by a parameter with text around it.
type aroundEdge struct {
	from           uint64
	prefix, suffix string
}

// shape counts the children of a node by a parameter with so many bytes before and after it.
type shape struct{ before, after, count int }

func newIndex() index { return index{seed: maphash.MakeSeed()} }

func (ix *index) empty() bool { return ix.literal.count == 0 && ix.root.empty() }

// find appends the leaves whose path matches path to hits. It allocates only where hits has no room.
func (ix *index) find(path string, hits []*leaf) []*leaf {
	if l := ix.literal.get(maphash.String(ix.seed, path), path); l != nil {
		hits = append(hits, l)
	}
	return ix.walk(&ix.root, path[1:], hits)
}

// walk appends what matches the segments in text below n.
func (ix *index) walk(n *node, text string, hits []*leaf) []*leaf {
	for {
		if n.rest != nil {
			hits = append(hits, &n.rest)
		}
		if text == "" {
			if n.here != nil {
				hits = append(hits, &n.here)
			}
			return hits
		}
		segment, tail := text, ""
		if i := strings.IndexByte(text, '/'); i >= 0 {
			segment, tail = text[:i], text[i+1:]
		}
		if n.shapes != nil {
			hits = ix.walkAround(n, segment, tail, hits)
		}
		next := n.any
		if n.edges > 0 {
			if child := ix.edges.get(ix.hashEdge(n.id, segment), edge{n.id, segment}); child != nil {
				if next != nil {
					hits = ix.walk(next, tail, hits)
				}
				next = child
			}
		}
		if next == nil {
			return hits
		}
		n, text = next, tail
	}
}

// walkAround follows the parameters with text around them that a segment matches.
func (ix *index) walkAround(n *node, segment, tail string, hits []*leaf) []*leaf {
	for _, s := range n.shapes {
		if len(segment) <= s.before+s.after {
			continue
		}
		e := aroundEdge{n.id, segment[:s.before], segment[len(segment)-s.after:]}
		if child := ix.around.get(ix.hashAround(e), e); child != nil {
			hits = ix.walk(child, tail, hits)
		}
	}
	return hits
}

func (ix *index) hashEdge(from uint64, text string) uint64 {
	return mix(maphash.String(ix.seed, text), from)
}

func (ix *index) hashAround(e aroundEdge) uint64 {
	return mix(maphash.String(ix.seed, e.prefix), mix(maphash.String(ix.seed, e.suffix), e.from))
}

// mix makes one hash of a hash and a number.
func mix(hash, n uint64) uint64 {
	high, low := bits.Mul64(hash^0x9e3779b97f4a7c15, n*0xd6e8feb86659fd93+hash)
	return high ^ low
}

// set puts a rule in the place of the one of its key; a nil rule removes it.
func (ix *index) set(e *edit, p pattern, k Key, r *rule) {
	if path, ok := p.literal(); ok {
		hash := maphash.String(ix.seed, path)
		var l leaf
		if have := ix.literal.get(hash, path); have != nil {
			l = *have
		}
		if l = l.with(k, r); l == nil {
			ix.literal.drop(e, hash, path)
			return
		}
		ix.literal.put(e, hash, path, l)
		return
	}
	ix.root, _ = ix.graft(e, ix.root, p, k, r)
}

// graft is n with a rule set at the place below it that p leads to, and whether n itself is another now.
func (ix *index) graft(e *edit, n node, p pattern, k Key, r *rule) (grafted node, changed bool) {
	if len(p.segments) == 0 {
		if p.rest {
			n.rest = n.rest.with(k, r)
		} else {
			n.here = n.here.with(k, r)
		}
		return n, true
	}
	s := p.segments[0]
	p.segments = p.segments[1:]
	if s.param && s.prefix == "" && s.suffix == "" {
		child, _ := ix.graft(e, ix.childOr(n.any), p, k, r)
		n.any = nil
		if !child.empty() {
			n.any = &child
		}
		return n, true
	}
	if s.param {
		at := aroundEdge{n.id, s.prefix, s.suffix}
		added := graftChild(ix, e, &ix.around, ix.hashAround(at), at, p, k, r)
		n.shapes = reshaped(n.shapes, len(s.prefix), len(s.suffix), added)
		return n, added != 0
	}
	at := edge{n.id, s.prefix}
	added := graftChild(ix, e, &ix.edges, ix.hashEdge(at.from, at.text), at, p, k, r)
	n.edges += added
	return n, added != 0
}

// graftChild changes the child at an edge. It returns 1 if the edge is new, -1 if it is gone, 0 else.
func graftChild[E comparable](ix *index, e *edit, t *table[E, node], hash uint64, at E, p pattern, k Key, r *rule) int {
	have := t.get(hash, at)
	child, changed := ix.graft(e, ix.childOr(have), p, k, r)
	switch {
	case child.empty() && have == nil:
		return 0
	case child.empty():
		t.drop(e, hash, at)
		return -1
	case have == nil:
		t.put(e, hash, at, child)
		return 1
	case changed:
		t.put(e, hash, at, child)
	}
	return 0
}

// childOr is the node, or a new one.
func (ix *index) childOr(n *node) node {
	if n != nil {
		return *n
	}
	ix.last++
	return node{id: ix.last}
}

func (n *node) empty() bool {
	return n.edges == 0 && n.any == nil && n.shapes == nil && n.here == nil && n.rest == nil
}

// reshaped counts a child more or less in shapes.
func reshaped(shapes []shape, before, after, added int) []shape {
	if added == 0 {
		return shapes
	}
	var next []shape
	for _, s := range shapes {
		if s.before == before && s.after == after {
			added += s.count
			continue
		}
		next = append(next, s)
	}
	if added > 0 {
		next = append(next, shape{before, after, added})
	}
	return next
}

// get gives the rule of a key whose path is p.
func (ix *index) get(p pattern, k Key) *rule {
	if path, ok := p.literal(); ok {
		if l := ix.literal.get(maphash.String(ix.seed, path), path); l != nil {
			return l.get(k)
		}
		return nil
	}
	n := &ix.root
	for _, s := range p.segments {
		switch {
		case s.param && s.prefix == "" && s.suffix == "":
			n = n.any
		case s.param:
			e := aroundEdge{n.id, s.prefix, s.suffix}
			n = ix.around.get(ix.hashAround(e), e)
		default:
			n = ix.edges.get(ix.hashEdge(n.id, s.prefix), edge{n.id, s.prefix})
		}
		if n == nil {
			return nil
		}
	}
	if p.rest {
		return n.rest.get(k)
	}
	return n.here.get(k)
}
