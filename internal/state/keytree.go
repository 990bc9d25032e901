package state

import (
	"hash/maphash"
	"iter"
	"slices"
	"strings"
)

// keyTree holds all keys of a document by the segments of their folded paths, to find those that contain a key, are
// inside it or overlap it without looking at the others. Old versions stay as they are.
type keyTree struct {
	seed maphash.Seed
	root *keyNode
}

// keyNode stands for the beginning of a path. Nil is an empty one.
type keyNode struct {
	owner      *edit
	here, rest []Key // whose path ends here, and in ** here
	literals   tree[string, child]
	params     tree[string, child] // by the segment as a key spells it
}

// child is a node and the segment that leads to it.
type child struct {
	segment
	*keyNode
}

// Containing yields the known keys, and keys with windows, that contain k: itself too if it is one of them.
func (d *Document) Containing(k Key) iter.Seq[Key] {
	return d.related(k, (*keyNode).containing, func(found Key) bool { return found.scopeContains(k) })
}

// Inside yields the known keys, and keys with windows, that k contains: itself too if it is one of them.
func (d *Document) Inside(k Key) iter.Seq[Key] {
	return d.related(k, (*keyNode).inside, k.scopeContains)
}

// Overlapping yields the known keys, and keys with windows, that share a request with k.
func (d *Document) Overlapping(k Key) iter.Seq[Key] {
	return d.related(k, (*keyNode).overlapping, k.scopeOverlaps)
}

type (
	yieldKeys func([]Key) bool
	searching func(*keyNode, pattern, yieldKeys) bool
)

// related yields the keys that a search finds by their paths and that fit by service and method as well.
func (d *Document) related(k Key, search searching, fits func(Key) bool) iter.Seq[Key] {
	return func(yield func(Key) bool) {
		search(d.keys().root, patternOf(k.Path), func(keys []Key) bool {
			for _, found := range keys {
				if fits(found) && !yield(found) {
					return false
				}
			}
			return true
		})
	}
}

// keys is the tree of all keys of the document.
func (d *Document) keys() *keyTree {
	if t := d.tree.Load(); t != nil {
		return t
	}
	all := make([]Key, 0, d.routes.count+d.on.count)
	for k := range d.routes.all() {
		all = append(all, k)
	}
	for t := range d.on.all() {
		if t.Key.Path != "" {
			all = append(all, t.Key)
		}
	}
	t := (&keyTree{seed: d.seed}).amended(d, all)
	d.tree.Store(t)
	return t
}

// amended is the tree after some keys have become known or unknown in d.
func (t *keyTree) amended(d *Document, keys []Key) *keyTree {
	next := &keyTree{seed: t.seed, root: t.root}
	e, pace := new(edit), pace{}
	for _, k := range keys {
		_, known := d.Route(k)
		known = known || len(d.windowIDs(Target{Key: k})) > 0
		next.root = next.set(e, next.root, patternOf(k.Path), k, known)
		pace.step()
	}
	return next
}

// set is n with a key in or out of the place below it that p leads to; nil if nothing is left.
func (t *keyTree) set(e *edit, n *keyNode, p pattern, k Key, known bool) *keyNode {
	n = n.own(e)
	switch {
	case len(p.segments) > 0:
		s := p.segments[0]
		p.segments = p.segments[1:]
		kids, text := &n.literals, s.prefix
		if s.param {
			kids, text = &n.params, s.prefix+"{}"+s.suffix
		}
		have, _ := kids.get(text)
		below := t.set(e, have.keyNode, p, k, known)
		switch {
		case below == nil:
			*kids = kids.without(e, text)
		case below != have.keyNode:
			*kids = kids.with(e, text, child{s, below}, maphash.String(t.seed, text), 0)
		}
	case p.rest:
		n.rest = withKey(n.rest, k, known)
	default:
		n.here = withKey(n.here, k, known)
	}
	if n.here == nil && n.rest == nil && n.literals.root == nil && n.params.root == nil {
		return nil
	}
	return n
}

// own is the node, or a copy of it that e may change.
func (n *keyNode) own(e *edit) *keyNode {
	if n != nil && n.owner == e {
		return n
	}
	next := keyNode{literals: tree[string, child]{compare: strings.Compare}, params: tree[string, child]{compare: strings.Compare}}
	if n != nil {
		next = *n
	}
	next.owner = e
	return &next
}

// withKey is a list with k in or out of it.
func withKey(keys []Key, k Key, in bool) []Key {
	i := slices.Index(keys, k)
	switch {
	case i < 0 && in:
		return append(slices.Clip(keys), k)
	case i < 0 || in:
		return keys
	case len(keys) == 1:
		return nil
	default:
		return slices.Concat(keys[:i], keys[i+1:])
	}
}

// containing yields the keys below n whose rest of the path contains p.
func (n *keyNode) containing(p pattern, yield yieldKeys) bool {
	if n == nil {
		return true
	}
	if !yield(n.rest) {
		return false
	}
	if len(p.segments) == 0 {
		return p.rest || yield(n.here)
	}
	s := p.segments[0]
	p.segments = p.segments[1:]
	if !n.literal(s).containing(p, yield) {
		return false
	}
	for _, c := range n.params.all() {
		if c.contains(s) && !c.containing(p, yield) {
			return false
		}
	}
	return true
}

// inside yields the keys below n whose rest of the path p contains.
func (n *keyNode) inside(p pattern, yield yieldKeys) bool {
	if n == nil {
		return true
	}
	if len(p.segments) == 0 {
		return yield(n.here) && (!p.rest || yield(n.rest) && n.below(func(segment) bool { return true }, p, (*keyNode).inside, yield))
	}
	s := p.segments[0]
	p.segments = p.segments[1:]
	if !s.param {
		return n.literal(s).inside(p, yield)
	}
	return n.below(s.contains, p, (*keyNode).inside, yield)
}

// overlapping yields the keys below n whose rest of the path shares a path with p.
func (n *keyNode) overlapping(p pattern, yield yieldKeys) bool {
	if n == nil {
		return true
	}
	if !yield(n.rest) {
		return false
	}
	if len(p.segments) == 0 {
		return yield(n.here) && (!p.rest || n.below(func(segment) bool { return true }, p, (*keyNode).overlapping, yield))
	}
	s := p.segments[0]
	p.segments = p.segments[1:]
	if s.param {
		return n.below(s.overlaps, p, (*keyNode).overlapping, yield)
	}
	if !n.literal(s).overlapping(p, yield) {
		return false
	}
	for _, c := range n.params.all() {
		if c.overlaps(s) && !c.overlapping(p, yield) {
			return false
		}
	}
	return true
}

// literal is the child by the literal segment s; nil where there is none or s is a parameter.
func (n *keyNode) literal(s segment) *keyNode {
	if s.param {
		return nil
	}
	c, _ := n.literals.get(s.prefix)
	return c.keyNode
}

// below searches the children whose segment fits.
func (n *keyNode) below(fits func(segment) bool, p pattern, search searching, yield yieldKeys) bool {
	for _, kids := range [...]tree[string, child]{n.literals, n.params} {
		for _, c := range kids.all() {
			if fits(c.segment) && !search(c.keyNode, p, yield) {
				return false
			}
		}
	}
	return true
}
