package state

import (
	"iter"
	"math/bits"
	"slices"
)

// table is a hash table of which old versions stay as they are, see directory. A page is made of buckets of one cache
// line each, which tell most keys that are not there from those that are, so a lookup that fails looks at two places in
// memory and one that succeeds at three. The zero table is empty. Copy the struct to keep a version.
type table[K comparable, V any] struct {
	directory[page[K, V], *page[K, V]]
	count int
}

const (
	bucketRoom  = 7
	pageBuckets = 32
	pageFull    = 160 // entries in a page before it is split; it has room for 224
)

// page holds entries.
type page[K comparable, V any] struct {
	pageHead
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

func home(hash uint64) uint64  { return hash >> 7 % pageBuckets }
func tagOf(hash uint64) uint64 { return hash&0x7f | 0x80 }

// get gives the value of a key, or nil. The value must not be changed.
func (t *table[K, V]) get(hash uint64, key K) *V {
	if len(t.pages) == 0 {
		return nil
	}
	p := t.pages[t.place(hash)]
	for i := range uint64(pageBuckets) {
		b := &p.buckets[(home(hash)+i)%pageBuckets]
		for same := tagged(b.tags, hash); same != 0; same &= same - 1 {
			if e := b.first(same); e.hash == hash && e.key == key {
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

// at yields the keys of a hash and their values, which must not be changed. They are one, but for chance.
func (t *table[K, V]) at(hash uint64) iter.Seq2[K, *V] {
	return func(yield func(K, *V) bool) {
		if len(t.pages) == 0 {
			return
		}
		for e := range t.pages[t.place(hash)].alike(hash) {
			if e.hash == hash && !yield(e.key, &e.value) {
				return
			}
		}
	}
}

// alike yields all entries of a hash, and a few others.
func (p *page[K, V]) alike(hash uint64) iter.Seq[*entry[K, V]] {
	return func(yield func(*entry[K, V]) bool) {
		for i := range uint64(pageBuckets) {
			b := &p.buckets[(home(hash)+i)%pageBuckets]
			for same := tagged(b.tags, hash); same != 0; same &= same - 1 {
				if !yield(b.first(same)) {
					return
				}
			}
			if b.tags < goesOn {
				return
			}
		}
		for _, e := range p.spill {
			if !yield(e) {
				return
			}
		}
	}
}

// tagged has a high bit in the byte of each entry whose tag is that of the hash; sometimes also in another byte, but
// never in that of a free place or in the highest one.
func tagged(tags, hash uint64) uint64 {
	differ := tags ^ tagOf(hash)*everyByte
	return (differ - everyByte) &^ differ & highBits
}

// freePlace is the first place that tags leave free; bucketRoom or more for none.
func freePlace(tags uint64) int {
	return bits.TrailingZeros64((tags-everyByte)&^tags&highBits) / 8
}

// first is the entry of the lowest byte in which tagged has a bit.
func (b *bucket[K, V]) first(tagged uint64) *entry[K, V] {
	return b.at[bits.TrailingZeros64(tagged)/8%bucketRoom]
}

// put sets the value of a key.
func (t *table[K, V]) put(e *edit, hash uint64, key K, value V) {
	t.putEntry(e, &entry[K, V]{hash: hash, key: key, value: value})
}

// putEntry sets the value of a key by an entry that is no other table's.
func (t *table[K, V]) putEntry(e *edit, fresh *entry[K, V]) {
	hash, key := fresh.hash, fresh.key
	p := t.open(e, hash)
	if have := p.slot(hash, key); have != nil {
		*have = fresh
		return
	}
	p.add(fresh)
	t.count++
	if p.used > pageFull {
		t.divide(e, hash)
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
	is := &page[K, V]{pageHead: pageHead{owner: e, depth: was.depth}}
	for one := range was.all() {
		if one.hash != hash || one.key != key {
			is.add(one)
		}
	}
	t.install(is, hash)
}

func (p *page[K, V]) copied() *page[K, V] {
	is := *p
	is.spill = slices.Clone(p.spill)
	return &is
}

// add puts an entry of a new key into a page of the edit's own.
func (p *page[K, V]) add(e *entry[K, V]) {
	p.used++
	for i := range uint64(pageBuckets) {
		b := &p.buckets[(home(e.hash)+i)%pageBuckets]
		if j := freePlace(b.tags); j < bucketRoom {
			b.tags |= tagOf(e.hash) << (8 * j)
			b.at[j] = e
			return
		}
		b.tags |= goesOn
	}
	p.spill = append(p.spill, e)
}

// divide splits the page of a hash in two.
func (t *table[K, V]) divide(e *edit, hash uint64) {
	full := t.pages[t.place(hash)]
	halves, ok := t.split(e, hash, t.count)
	if !ok {
		return
	}
	for one := range full.all() {
		halves[one.hash>>(63-full.depth)&1].add(one)
	}
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
