package state

import (
	"hash/maphash"
	"math/rand/v2"
)

// index finds the rules whose path matches a path. Paths without parameters stand in one table by their whole text.
// The others make a tree of segments, whose edges are in a table too (by the number of the node and the segment), so
// that a change copies the nodes it touches and nothing above them. The caller folds, or does not: the index compares
// bytes.
type index struct {
	seed    maphash.Seed
	origin  uint64 // hash of the root
	literal table[string, leaf]
	edges   table[edge, node]
	around  table[aroundEdge, node]
	root    node
	last    uint64 // number of the youngest node
}

// node stands for the beginning of a path: a number of segments. Its hash follows from them, so that a processor that
// walks down can ask for the next node before it has the one above.
type node struct {
	id    uint64
	edges int   // children by a literal segment
	any   *node // child by a {}
	more  *twig // nil where there is nothing of it
}

// twig is what many nodes do not have.
type twig struct {
	here, rest *leaf   // of the path that ends here, and of this path and **
	shapes     []shape // of the children by a parameter with text around it
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

func newIndex() index { return index{seed: maphash.MakeSeed(), origin: rand.Uint64()} }

func (ix *index) empty() bool { return ix.literal.count == 0 && ix.root.empty() }

// find adds the leaves whose path matches path to found. It allocates only where found has no room.
func (ix *index) find(path string, found *leaves) {
	if l := ix.literal.get(maphash.String(ix.seed, path), path); l != nil {
		found.add(l)
	}
	if !ix.root.empty() {
		ix.walk(&ix.root, ix.origin, path, 1, found)
	}
}

// walk adds what matches the segments of path that begin at start, below the node n of hash at.
func (ix *index) walk(n *node, at uint64, path string, start int, found *leaves) {
	for {
		if start >= len(path) {
			n.more.addEnds(found)
			return
		}
		hash, end := hashSegment(at, path, start)
		if n.more != nil {
			ix.walkMore(n, at, path, start, end, found)
		}
		next, under := n.any, at
		if next != nil {
			under = hashAny(at)
		}
		if n.edges > 0 {
			if child := ix.edges.get(hash, edge{n.id, path[start:end]}); child != nil {
				if next != nil {
					ix.walk(next, under, path, end+1, found)
				}
				next, under = child, hash
			}
		}
		if next == nil {
			return
		}
		n, at, start = next, under, end+1
	}
}

// walkMore adds the ** of n, and follows the parameters with text around them that the segment from start to end
// matches.
func (ix *index) walkMore(n *node, at uint64, path string, start, end int, found *leaves) {
	if n.more.rest != nil {
		found.add(n.more.rest)
	}
	segment := path[start:end]
	for _, s := range n.more.shapes {
		if len(segment) <= s.before+s.after {
			continue
		}
		e := aroundEdge{n.id, segment[:s.before], segment[len(segment)-s.after:]}
		hash := hashAround(at, e.prefix, e.suffix)
		if child := ix.around.get(hash, e); child != nil {
			ix.walk(child, hash, path, end+1, found)
		}
	}
}

// addEnds adds the leaves of a path that ends at the node.
func (t *twig) addEnds(found *leaves) {
	if t == nil {
		return
	}
	for _, l := range [...]*leaf{t.here, t.rest} {
		if l != nil {
			found.add(l)
		}
	}
}

// set puts a rule in the place of the one of its key, which has the canonical path given, folded or not. A nil rule
// removes it.
func (ix *index) set(e *edit, path string, k Key, r *rule) {
	if path, ok := literal(path); ok {
		hash := maphash.String(ix.seed, path)
		if l := ix.literal.get(hash, path).with(k, r); l != nil {
			ix.literal.put(e, hash, path, *l)
		} else {
			ix.literal.drop(e, hash, path)
		}
		return
	}
	ix.root, _ = ix.graft(e, ix.root, ix.origin, takeApart(path), k, r)
}

// graft is the node n of hash at with a rule set at the place below it that p leads to, and whether n itself is another
// now.
func (ix *index) graft(e *edit, n node, at uint64, p pattern, k Key, r *rule) (grafted node, changed bool) {
	if len(p.segments) == 0 {
		n.more = n.more.with(func(t *twig) {
			if p.rest {
				t.rest = t.rest.with(k, r)
			} else {
				t.here = t.here.with(k, r)
			}
		})
		return n, true
	}
	s := p.segments[0]
	p.segments = p.segments[1:]
	switch {
	case s.isAny():
		below, _ := ix.graft(e, ix.childOr(n.any), hashAny(at), p, k, r)
		n.any = nil
		if !below.empty() {
			n.any = &below
		}
		return n, true
	case s.param:
		hash := hashAround(at, s.prefix, s.suffix)
		added := graftChild(ix, e, &ix.around, hash, aroundEdge{n.id, s.prefix, s.suffix}, p, k, r)
		if added != 0 {
			n.more = n.more.with(func(t *twig) { t.shapes = reshaped(t.shapes, len(s.prefix), len(s.suffix), added) })
		}
		return n, added != 0
	default:
		hash, _ := hashSegment(at, s.prefix, 0)
		added := graftChild(ix, e, &ix.edges, hash, edge{n.id, s.prefix}, p, k, r)
		n.edges += added
		return n, added != 0
	}
}

// graftChild changes the child at an edge. It returns 1 if the edge is new, -1 if it is gone, 0 else.
func graftChild[E comparable](ix *index, e *edit, t *table[E, node], hash uint64, by E, p pattern, k Key, r *rule) int {
	have := t.get(hash, by)
	below, changed := ix.graft(e, ix.childOr(have), hash, p, k, r)
	switch {
	case below.empty() && have == nil:
		return 0
	case below.empty():
		t.drop(e, hash, by)
		return -1
	case have == nil:
		t.put(e, hash, by, below)
		return 1
	case changed:
		t.put(e, hash, by, below)
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
	return n.edges == 0 && n.any == nil && n.more == nil
}

// with is a changed copy of the twig; nil if nothing is left.
func (t *twig) with(change func(*twig)) *twig {
	var next twig
	if t != nil {
		next = *t
	}
	if change(&next); next.here == nil && next.rest == nil && next.shapes == nil {
		return nil
	}
	return &next
}

// reshaped counts a child more or less in shapes; no shapes are nil.
func reshaped(shapes []shape, before, after, added int) (next []shape) {
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

// get gives the rule of a key, which was set under the canonical path given.
func (ix *index) get(path string, k Key) *rule {
	if path, ok := literal(path); ok {
		return ix.literal.get(maphash.String(ix.seed, path), path).get(k)
	}
	n, at, p := &ix.root, ix.origin, takeApart(path)
	for _, s := range p.segments {
		switch {
		case s.isAny():
			n, at = n.any, hashAny(at)
		case s.param:
			at = hashAround(at, s.prefix, s.suffix)
			n = ix.around.get(at, aroundEdge{n.id, s.prefix, s.suffix})
		default:
			by := edge{n.id, s.prefix}
			at, _ = hashSegment(at, s.prefix, 0)
			n = ix.edges.get(at, by)
		}
		if n == nil {
			return nil
		}
	}
	switch {
	case n.more == nil:
		return nil
	case p.rest:
		return n.more.rest.get(k)
	default:
		return n.more.here.get(k)
	}
}
