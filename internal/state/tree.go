package state

import "iter"

// tree is a sorted map of which old versions stay as they are: a change copies the nodes above it. It is a treap: its
// shape depends on what is in it, not on the order in which that came. Every node knows the greatest reach below it.
// The zero tree with a comparison is empty.
type tree[K, V any] struct {
	root    *branch[K, V]
	compare func(a, b K) int
}

type branch[K, V any] struct {
	owner       *edit
	left, right *branch[K, V]
	weight      uint64 // of no node below is it greater
	reach, high int64  // its own, and the greatest of it and below
	key         K
	value       V
}

// get gives the value of a key.
func (t tree[K, V]) get(key K) (value V, ok bool) {
	for b := t.root; b != nil; {
		switch c := t.compare(key, b.key); {
		case c < 0:
			b = b.left
		case c > 0:
			b = b.right
		default:
			return b.value, true
		}
	}
	return value, false
}

// with is the tree with a value for a key; its weight is a hash of the key, its reach what its node adds to high. What
// e made before, it changes in place.
func (t tree[K, V]) with(e *edit, key K, value V, weight uint64, reach int64) tree[K, V] {
	t.root = t.insert(t.root, &branch[K, V]{owner: e, weight: weight, reach: reach, high: reach, key: key, value: value})
	return t
}

// without is the tree without a key.
func (t tree[K, V]) without(e *edit, key K) tree[K, V] {
	t.root = t.remove(e, t.root, key)
	return t
}

// own is the branch, or a copy of it that e may change.
func (b *branch[K, V]) own(e *edit) *branch[K, V] {
	if b.owner == e {
		return b
	}
	copied := *b
	copied.owner = e
	return &copied
}

func (t tree[K, V]) insert(b, fresh *branch[K, V]) *branch[K, V] {
	if b == nil {
		return fresh
	}
	c := t.compare(fresh.key, b.key)
	if c == 0 {
		fresh.left, fresh.right = b.left, b.right
		return fresh.settled()
	}
	b = b.own(fresh.owner)
	if c < 0 {
		b.left = t.insert(b.left, fresh)
		if up := b.left; up.weight > b.weight {
			b.left = up.right
			up.right = b.settled()
			return up.settled()
		}
		return b.settled()
	}
	b.right = t.insert(b.right, fresh)
	if up := b.right; up.weight > b.weight {
		b.right = up.left
		up.left = b.settled()
		return up.settled()
	}
	return b.settled()
}

func (t tree[K, V]) remove(e *edit, b *branch[K, V], key K) *branch[K, V] {
	if b == nil {
		return nil
	}
	c := t.compare(key, b.key)
	if c == 0 {
		return join(e, b.left, b.right)
	}
	b = b.own(e)
	if c < 0 {
		b.left = t.remove(e, b.left, key)
	} else {
		b.right = t.remove(e, b.right, key)
	}
	return b.settled()
}

// join makes one tree of two of which all keys of the first are lower.
func join[K, V any](e *edit, low, high *branch[K, V]) *branch[K, V] {
	switch {
	case low == nil:
		return high
	case high == nil:
		return low
	case low.weight >= high.weight:
		top := low.own(e)
		top.right = join(e, top.right, high)
		return top.settled()
	default:
		top := high.own(e)
		top.left = join(e, low, top.left)
		return top.settled()
	}
}

// settled is the branch with its high worked out.
func (b *branch[K, V]) settled() *branch[K, V] {
	b.high = b.reach
	if b.left != nil {
		b.high = max(b.high, b.left.high)
	}
	if b.right != nil {
		b.high = max(b.high, b.right.high)
	}
	return b
}

// all yields keys and values in order.
func (t tree[K, V]) all() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.root.each(yield) }
}

func (b *branch[K, V]) each(yield func(K, V) bool) bool {
	return b == nil || b.left.each(yield) && yield(b.key, b.value) && b.right.each(yield)
}
