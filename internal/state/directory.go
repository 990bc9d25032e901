package state

import "slices"

// directory finds the page of a hash for a hash table of which old versions stay as they are: a change copies the page
// it touches (2 KB) and the list of pages, never the rest. Pages split one at a time (extendible hashing): no change
// ever pays for moving the whole table. The zero directory is empty. Copy the struct to keep a version.
type directory[P any, Q headed[P]] struct {
	pages []*P // by the highest depth bits of the hash
	depth uint8
	owner *edit // of the list of pages
}

// edit is one series of changes to tables and trees: what it made itself it changes in place. Nobody may read what is
// being edited, and an edit must not outlive the publication of what it edits.
type edit struct{ _ byte }

// pageHead is what a page begins with. It holds what shares the highest depth bits of its hashes.
type pageHead struct {
	owner *edit
	used  int
	depth uint8
}

func (h *pageHead) head() *pageHead { return h }

// headed is a page that begins with a pageHead.
type headed[P any] interface {
	*P
	head() *pageHead
	copied() *P // of which nothing is shared
}

// place is the page of a hash: its highest depth bits. Two shifts do without a look at whether depth is 0.
func (d *directory[P, Q]) place(hash uint64) uint64 { return hash >> 1 >> ((63 - d.depth) & 63) }

// open gives the page of a hash, made the edit's own.
func (d *directory[P, Q]) open(e *edit, hash uint64) *P {
	switch {
	case len(d.pages) == 0:
		first := new(P)
		Q(first).head().owner = e
		d.pages, d.owner = []*P{first}, e
	case d.owner != e:
		d.pages, d.owner = slices.Clone(d.pages), e
	}
	p := d.pages[d.place(hash)]
	if Q(p).head().owner == e {
		return p
	}
	p = Q(p).copied()
	Q(p).head().owner = e
	d.install(p, hash)
	return p
}

// install puts a page at all places that are of its hashes; hash is one of them.
func (d *directory[P, Q]) install(p *P, hash uint64) {
	places := uint64(1) << (d.depth - Q(p).head().depth)
	first := d.place(hash) &^ (places - 1)
	for i := range places {
		d.pages[first+i] = p
	}
}

// split puts two empty pages, the edit's own, in the place of the page of a hash: of the hashes whose next bit is 0, and
// of those whose next bit is 1. Nothing is split where the pages are more than count already: hashes that agree in so
// many bits would only make the list of pages longer.
func (d *directory[P, Q]) split(e *edit, hash uint64, count int) (halves [2]*P, ok bool) {
	depth := Q(d.pages[d.place(hash)]).head().depth
	if depth == d.depth {
		if len(d.pages) > count {
			return halves, false
		}
		doubled := make([]*P, 2*len(d.pages))
		for i, p := range d.pages {
			doubled[2*i], doubled[2*i+1] = p, p
		}
		d.pages, d.owner, d.depth = doubled, e, d.depth+1
	}
	for i := range halves {
		halves[i] = new(P)
		*Q(halves[i]).head() = pageHead{owner: e, depth: depth + 1}
		next := uint64(1) << (63 - depth)
		d.install(halves[i], hash&^next|next*uint64(i))
	}
	return halves, true
}
