package state

import (
	"hash/maphash"
	"math/rand/v2"
	"strings"
)

// index finds the rules whose path matches a path. Paths without parameters stand in one table by their whole text, the
// others in another one by the hash of their segments. Which segments to try there, the steps say: one for each beginning
// of a path with parameters. A walk along the steps touches little memory, and only what it finds in the end is compared
// with the path. The caller folds, or does not: the index compares bytes.
type index struct {
	seed    maphash.Seed
	origin  uint64 // hash of the step before all segments
	literal table[string, leaf]
	shaped  table[string, leaf]
	steps   steps
	around  table[uint64, []shape] // of the steps that go on with a parameter with text around it
}

// shape is how many bytes stand before and after a parameter, and how many keys go on with one like that.
type shape struct{ before, after, keys int }

func newIndex() index { return index{seed: maphash.MakeSeed(), origin: rand.Uint64()} }

func (ix *index) empty() bool { return ix.literal.count == 0 && ix.shaped.count == 0 }

// find adds the leaves whose path matches path to found. It allocates only where found has no room.
func (ix *index) find(path string, found *leaves) {
	if ix.literal.count > 0 {
		if l := ix.literal.get(maphash.String(ix.seed, path), path); l != nil {
			found.add(l)
		}
	}
	if ix.steps.count == 0 {
		return
	}
	// All steps by literal segments are looked up before one of them is looked at: memory answers them together.
	var steps [8]struct {
		hash uint64
		end  int
		to   reach
	}
	n, at, start := 0, ix.origin, 1
	for ; n < len(steps) && start < len(path); n++ {
		s := &steps[n]
		s.hash, s.end = hashSegment(at, path, start)
		s.to = ix.steps.get(s.hash)
		at, start = s.hash, s.end+1
		if n == 0 && s.to == 0 {
			n++
			break // as many unknown paths do
		}
	}
	at, start = ix.origin, 1
	to := ix.steps.get(at)
	for i := range n {
		s := &steps[i]
		if ix.branch(at, to, path, start, s.end, found); to&toLiteral == 0 || s.to == 0 {
			return
		}
		at, to, start = s.hash, s.to, s.end+1
	}
	ix.walk(at, to, path, start, found)
}

// walk adds what matches the segments of path that begin at start, below the step of hash at that goes on with to.
func (ix *index) walk(at uint64, to reach, path string, start int, found *leaves) {
	for to != 0 && start < len(path) {
		hash, end := hashSegment(at, path, start)
		if ix.branch(at, to, path, start, end, found); to&toLiteral == 0 {
			return
		}
		at, to, start = hash, ix.steps.get(hash), end+1
	}
	if to&toRest != 0 {
		ix.arrive(hashRest(at), path, found)
	}
	if to&toEnd != 0 {
		ix.arrive(at, path, found)
	}
}

// branch adds what matches the segments of path that begin at start, the first of which ends at end, below the step of
// hash at, but for what goes on with this segment as a literal.
func (ix *index) branch(at uint64, to reach, path string, start, end int, found *leaves) {
	if to&toRest != 0 {
		ix.arrive(hashRest(at), path, found)
	}
	if to&toAround != 0 {
		ix.walkAround(at, path, start, end, found)
	}
	if to&toAny != 0 {
		next := hashAny(at)
		ix.walk(next, ix.steps.get(next), path, end+1, found)
	}
}

// walkAround follows the parameters with text around them that the segment from start to end matches.
func (ix *index) walkAround(at uint64, path string, start, end int, found *leaves) {
	segment := path[start:end]
	shapes := ix.around.get(at, at)
	if shapes == nil {
		return
	}
	for _, s := range *shapes {
		if len(segment) > s.before+s.after {
			hash := hashAround(at, segment[:s.before], segment[len(segment)-s.after:])
			ix.walk(hash, ix.steps.get(hash), path, end+1, found)
		}
	}
}

// arrive adds what stands at a hash and matches path. That is compared: steps go by hashes alone.
func (ix *index) arrive(hash uint64, path string, found *leaves) {
	for text, l := range ix.shaped.at(hash) {
		if fits(text, path) {
			found.add(l)
		}
	}
}

// fits reports whether path is one of those that the text of a path with parameters stands for.
func fits(text, path string) bool {
	for {
		literal, rest, param := strings.Cut(text, "{}")
		if !param {
			break
		}
		if !strings.HasPrefix(path, literal) {
			return false
		}
		path = path[len(literal):]
		after, segment := rest[:segmentEnd(rest)], path[:segmentEnd(path)]
		if len(segment) <= len(after) || !strings.HasSuffix(segment, after) {
			return false
		}
		text, path = rest[len(after):], path[len(segment):]
	}
	above, rest := strings.CutSuffix(text, "/**")
	if !rest {
		return text == path
	}
	below, ok := strings.CutPrefix(path, above)
	return ok && (below == "" || below[0] == '/')
}

// segmentEnd is where the first slash stands in text, or its end.
func segmentEnd(text string) int {
	if i := strings.IndexByte(text, '/'); i >= 0 {
		return i
	}
	return len(text)
}

// set puts a rule in the place of the one of its key, which has the canonical path given, folded or not. A nil rule
// removes it.
func (ix *index) set(e *edit, path string, k Key, r *rule) {
	if text, ok := literal(path); ok {
		setRule(&ix.literal, e, maphash.String(ix.seed, text), text, k, r)
		return
	}
	p := takeApart(path)
	by := setRule(&ix.shaped, e, ix.trace(p, nil), unescape(path), k, r)
	if by == 0 {
		return
	}
	ix.trace(p, func(at uint64, to reach, s segment) {
		ix.steps.change(e, at, to, by)
		if to == toAround {
			ix.changeShape(e, at, shape{len(s.prefix), len(s.suffix), by})
		}
	})
}

// setRule returns 1 if the leaf of the text is new, -1 if it is gone, 0 else.
func setRule(t *table[string, leaf], e *edit, hash uint64, text string, k Key, r *rule) int {
	was := t.get(hash, text)
	is := was.with(k, r)
	switch {
	case is != nil:
		at := &entry[string, leaf]{}
		if is.first == r {
			at = &r.place
		}
		*at = entry[string, leaf]{hash: hash, key: text, value: *is}
		t.putEntry(e, at)
		if was == nil {
			return 1
		}
	case was != nil:
		t.drop(e, hash, text)
		return -1
	}
	return 0
}

// trace visits the steps of a path with parameters, and what each goes on with. It returns the hash of its leaf.
func (ix *index) trace(p pattern, visit func(at uint64, to reach, s segment)) uint64 {
	at := ix.origin
	for _, s := range p.segments {
		var to reach
		var next uint64
		switch {
		case s.isAny():
			to, next = toAny, hashAny(at)
		case s.param:
			to, next = toAround, hashAround(at, s.prefix, s.suffix)
		default:
			to = toLiteral
			next, _ = hashSegment(at, s.prefix, 0)
		}
		if visit != nil {
			visit(at, to, s)
		}
		at = next
	}
	last, leaf := toEnd, at
	if p.rest {
		last, leaf = toRest, hashRest(at)
	}
	if visit != nil {
		visit(at, last, segment{})
	}
	return leaf
}

// changeShape counts keys more or less of a shape after the step of hash at.
func (ix *index) changeShape(e *edit, at uint64, by shape) {
	var shapes []shape
	if have := ix.around.get(at, at); have != nil {
		for _, s := range *have {
			if s.before == by.before && s.after == by.after {
				by.keys += s.keys
				continue
			}
			shapes = append(shapes, s)
		}
	}
	if by.keys > 0 {
		shapes = append(shapes, by)
	}
	if len(shapes) == 0 {
		ix.around.drop(e, at, at)
		return
	}
	ix.around.put(e, at, at, shapes)
}

// get gives the rule of a key, which was set under the canonical path given.
func (ix *index) get(path string, k Key) *rule {
	if text, ok := literal(path); ok {
		return ix.literal.get(maphash.String(ix.seed, text), text).get(k)
	}
	return ix.shaped.get(ix.trace(takeApart(path), nil), unescape(path)).get(k)
}
