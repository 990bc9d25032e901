package state

import (
	"iter"
	"slices"
)

// table is a hash table of which old versions stay as they are: a change copies the page it touches (256 pointers) and
// the list of pages, never the rest. A lookup costs three loads. Pages split one at a time (extendible hashing), so no
// change ever pays for moving the whole table. The zero table is empty. Copy the struct to keep a version.
type table[K comparable, V any] struct {
	pages []*page[K, V] // by the highest depth bits of the hash
	depth uint8
	count int
	owner *edit // of the list of pages
	maker *edit // of all entries, where one edit made them all
}

// edit is one series of changes to tables: what it made itself it changes in place. Nobody may read a table that is
// being edited, and an edit must not outlive the publication of its table.
type edit struct{ _ byte }

const (
	pageSlots = 256
	pageFull  = 192 // entries in a page before it is split
)

// page holds the entries whose hashes share their highest depth bits, in lists by the lowest bits.
type page[K comparable, V any] struct {
	owner *edit
	depth uint8
	used  int
	slots [pageSlots]*entry[K, V]
}

// entry is immutable once its page is published.
type entry[K comparable, V any] struct {
	hash  uint64
	next  *entry[K, V]
	key   K
	value V
}

// place is the page of a hash; a shift by 64 is 0.
func (t *table[K, V]) place(hash uint64) uint64 { return hash >> (64 - t.depth) }

// get gives the value of a key, or nil. The value must not be changed.
func (t *table[K, V]) get(hash uint64, key K) *V {
	if len(t.pages) == 0 {
		return nil
	}
	for e := t.pages[t.place(hash)].slots[hash%pageSlots]; e != nil; e = e.next {
		if e.hash == hash && e.key == key {
			return &e.value
		}
	}
	return nil
}

// put sets the value of a key.
func (t *table[K, V]) put(e *edit, hash uint64, key K, value V) {
	p := t.open(e, hash)
	slot := &p.slots[hash%pageSlots]
	rest, found := without(*slot, hash, key)
	*slot = &entry[K, V]{hash: hash, next: rest, key: key, value: value}
	if found {
		return
	}
	p.used++
	t.count++
	if p.used > pageFull {
		t.split(e, hash)
	}
}

// drop removes a key.
func (t *table[K, V]) drop(e *edit, hash uint64, key K) {
	if t.get(hash, key) == nil {
		return
	}
	p := t.open(e, hash)
	slot := &p.slots[hash%pageSlots]
	*slot, _ = without(*slot, hash, key)
	p.used--
	t.count--
}

// open gives the page of a hash, made the edit's own.
func (t *table[K, V]) open(e *edit, hash uint64) *page[K, V] {
	switch {
	case len(t.pages) == 0:
		t.pages, t.owner, t.maker = []*page[K, V]{{owner: e}}, e, e
	case t.owner != e:
		t.pages, t.owner = slices.Clone(t.pages), e
	}
	if t.maker != e {
		t.maker = nil
	}
	i := t.place(hash)
	p := t.pages[i]
	if p.owner == e {
		return p
	}
	copied := *p
	copied.owner = e
	t.install(&copied, i)
	return &copied
}

// install puts a page at all its places; i is one of them.
func (t *table[K, V]) install(p *page[K, V], i uint64) {
	places := uint64(1) << (t.depth - p.depth)
	first := i &^ (places - 1)
	for j := range places {
		t.pages[first+j] = p
	}
}

// without is a list without the entry of a key; entries before it are copied.
func without[K comparable, V any](list *entry[K, V], hash uint64, key K) (rest *entry[K, V], found bool) {
	for e := list; e != nil; e = e.next {
		if e.hash != hash || e.key != key {
			continue
		}
		rest = e.next
		for before := list; before != e; before = before.next {
			copied := *before
			copied.next = rest
			rest = &copied
		}
		return rest, true
	}
	return list, false
}

// split divides the page of a hash in two.
func (t *table[K, V]) split(e *edit, hash uint64) {
	full := t.pages[t.place(hash)]
	if full.depth == t.depth {
		// Hashes that agree in so many bits would only make the list of pages longer.
		if len(t.pages) > t.count {
			return
		}
		doubled := make([]*page[K, V], 2*len(t.pages))
		for i, p := range t.pages {
			doubled[2*i], doubled[2*i+1] = p, p
		}
		t.pages, t.owner, t.depth = doubled, e, t.depth+1
	}
	first := t.place(hash) &^ (uint64(1)<<(t.depth-full.depth) - 1)
	halves := [2]*page[K, V]{{owner: e, depth: full.depth + 1}, {owner: e, depth: full.depth + 1}}
	for _, list := range full.slots {
		for list != nil {
			moved, rest := list, list.next
			if t.maker != e {
				moved = &entry[K, V]{hash: list.hash, key: list.key, value: list.value}
			}
			half := halves[moved.hash>>(63-full.depth)&1]
			slot := &half.slots[moved.hash%pageSlots]
			moved.next, *slot = *slot, moved
			half.used++
			list = rest
		}
	}
	t.install(halves[0], first)
	t.install(halves[1], first+uint64(1)<<(t.depth-full.depth-1))
}

// all yields every entry, in no particular order. The values must not be changed.
func (t *table[K, V]) all() iter.Seq2[K, *V] {
	pages, depth := t.pages, t.depth
	return func(yield func(K, *V) bool) {
		for i := 0; i < len(pages); i += 1 << (depth - pages[i].depth) {
			for _, e := range pages[i].slots {
				for ; e != nil; e = e.next {
					if !yield(e.key, &e.value) {
						return
					}
				}
			}
		}
	}
}
