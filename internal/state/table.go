package state

import (
	"iter"
	"math/bits"
	"slices"
)

// table is a hash table of which old versions stay as they are: a change copies the page it touches (2 KB) and the list
// of pages, never the rest. A page is made of buckets of one cache line each, which tell most keys that are not there
// from those that are, so a lookup that fails looks at two places in memory and one that succeeds at three. Pages split
// one at a time (extendible hashing): no change ever pays for moving the whole table. The zero table is empty. Copy the
// struct to keep a version.
type table[K comparable, V any] struct {
	pages []*page[K, V] // by the highest depth bits of the hash
	depth uint8
	count int
	owner *edit // of the list of pages
}

// edit is one series of changes to tables and trees: what it made itself it changes in place. Nobody may read what is
// being edited, and an edit must not outlive the publication of what it edits.
type edit struct{ _ byte }

const (
	bucketRoom  = 7
	pageBuckets = 32
	pageFull    = 160 // entries in a page before it is split; it has room for 224
)

// page holds the entries whose hashes share their highest depth bits.
type page[K comparable, V any] struct {
	owner *edit
	depth uint8
	used  int
	spill []*entry[K, V] // what found no room, where hashes are all alike; mostly nil
	_     [16]byte       // so that each bucket has a cache line

	buckets [pageBuckets]bucket[K, V]
}

// bucket holds entries, and a byte of the hash of each. The eighth byte says that more of its entries are in the buckets
// after it.
type bucket[K comparable, V any] struct {
	tags uint64 // by place, 0 for a free one
	at   [bucketRoom]*entry[K, V]
}

// entry is immutable.
type entry[K comparable, V any] struct {
	hash  uint64
	key   K
	value V
}

const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
	goesOn    = 1 << 56
)

// place is the page of a hash; a shift by 64 is 0.
func (t *table[K, V]) place(hash uint64) uint64 { return hash >> (64 - t.depth) }

func home(hash uint64) uint64  { return hash >> 7 % pageBuckets }
func tagOf(hash uint64) uint64 { return hash&0x7f | 0x80 }

// get gives the value of a key, or nil. The value must not be changed.
func (t *table[K, V]) get(hash uint64, key K) *V {
	if len(t.pages) == 0 {
		return nil
	}
	p := t.pages[t.place(hash)]
	tag := tagOf(hash) * everyByte
	for i := range uint64(pageBuckets) {
		b := &p.buckets[(home(hash)+i)%pageBuckets]
		// A byte of same is high where the tag is; sometimes also elsewhere, but never at a free place.
		differ := b.tags ^ tag
		for same := (differ - everyByte) &^ differ & highBits; same != 0; same &= same - 1 {
			if e := b.at[bits.TrailingZeros64(same)/8%bucketRoom]; e.hash == hash && e.key == key {
				return &e.value
			}
		}
		if b.tags < goesOn {
			return nil
		}
	}
	return p.spilled(hash, key)
}

// spilled is get for what found no room.
func (p *page[K, V]) spilled(hash uint64, key K) *V {
	for _, e := range p.spill {
		if e.hash == hash && e.key == key {
			return &e.value
		}
	}
	return nil
}

// put sets the value of a key.
func (t *table[K, V]) put(e *edit, hash uint64, key K, value V) {
	p := t.open(e, hash)
	fresh := &entry[K, V]{hash: hash, key: key, value: value}
	if have := p.slot(hash, key); have != nil {
		*have = fresh
		return
	}
	p.add(fresh)
	t.count++
	if p.used > pageFull {
		t.split(e, hash)
	}
}

// slot is where the entry of a key stands; nil where there is none.
func (p *page[K, V]) slot(hash uint64, key K) **entry[K, V] {
	for i := range uint64(pageBuckets) {
		b := &p.buckets[(home(hash)+i)%pageBuckets]
		for j, e := range b.at {
			if e != nil && e.hash == hash && e.key == key {
				return &b.at[j]
			}
		}
		if b.tags < goesOn {
			return nil
		}
	}
	for j, e := range p.spill {
		if e.hash == hash && e.key == key {
			return &p.spill[j]
		}
	}
	return nil
}

// drop removes a key.
func (t *table[K, V]) drop(e *edit, hash uint64, key K) {
	if t.get(hash, key) == nil {
		return
	}
	t.count--
	was := t.open(e, hash)
	// Entries may have gone on because of the one that goes: place all others anew.
	is := &page[K, V]{owner: e, depth: was.depth}
	for one := range was.all() {
		if one.hash != hash || one.key != key {
			is.add(one)
		}
	}
	t.install(is, t.place(hash))
}

// open gives the page of a hash, made the edit's own.
func (t *table[K, V]) open(e *edit, hash uint64) *page[K, V] {
	switch {
	case len(t.pages) == 0:
		t.pages, t.owner = []*page[K, V]{{owner: e}}, e
	case t.owner != e:
		t.pages, t.owner = slices.Clone(t.pages), e
	}
	i := t.place(hash)
	p := t.pages[i]
	if p.owner == e {
		return p
	}
	copied := *p
	copied.owner, copied.spill = e, slices.Clone(p.spill)
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

// add puts an entry of a new key into a page of the edit's own.
func (p *page[K, V]) add(e *entry[K, V]) {
	p.used++
	for i := range uint64(pageBuckets) {
		b := &p.buckets[(home(e.hash)+i)%pageBuckets]
		free := (b.tags - everyByte) &^ b.tags & highBits
		if j := bits.TrailingZeros64(free) / 8; j < bucketRoom {
			b.tags |= tagOf(e.hash) << (8 * j)
			b.at[j] = e
			return
		}
		b.tags |= goesOn
	}
	p.spill = append(p.spill, e)
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
	for one := range full.all() {
		halves[one.hash>>(63-full.depth)&1].add(one)
	}
	t.install(halves[0], first)
	t.install(halves[1], first+uint64(1)<<(t.depth-full.depth-1))
}

// all yields every entry of the page.
func (p *page[K, V]) all() iter.Seq[*entry[K, V]] {
	return func(yield func(*entry[K, V]) bool) {
		for i := range p.buckets {
			for _, e := range p.buckets[i].at {
				if e != nil && !yield(e) {
					return
				}
			}
		}
		for _, e := range p.spill {
			if !yield(e) {
				return
			}
		}
	}
}

// all yields every key and value, in no particular order. The values must not be changed.
func (t *table[K, V]) all() iter.Seq2[K, *V] {
	pages, depth := t.pages, t.depth
	return func(yield func(K, *V) bool) {
		for i := 0; i < len(pages); i += 1 << (depth - pages[i].depth) {
			for e := range pages[i].all() {
				if !yield(e.key, &e.value) {
					return
				}
			}
		}
	}
}
