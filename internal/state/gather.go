package state

import "unsafe"

// hugePage is the size of a huge page of memory, where such pages are of use.
const hugePage = 2 << 20

// gatherFrom is how many rules an index has that does not lie in the processor's caches anyhow.
const gatherFrom = 5_000

// Gather asks the system to put the memory in which a large index lies into huge pages, and gives how much of it, in
// bytes, is in them then. A verdict looks at a dozen places of the index; in pages of 4 KB the processor must first look
// up where most of them are, which takes as long as the look itself. It is advice: verdicts are the same before and
// after it, and while it goes on. It takes about as long as [Compile], and belongs on a goroutine of its own.
//
// Where the system cannot do it (other systems than Linux 6.1 or later, no memory in one piece) or the machine's
// administrator wants no huge pages, nothing changes.
func (s *Snapshot) Gather() (bytes int) {
	if s.index.literal.count+s.index.shaped.count < gatherFrom || !hugePagesWanted() {
		return 0
	}
	beside := &pace{}
	for region := range s.index.regions(beside) {
		beside.rest()
		if collapse(region*hugePage, hugePage) == nil {
			bytes += hugePage
		}
	}
	return bytes
}

// regions are the places in memory, counted in huge pages, in which the index lies.
func (ix *index) regions(beside *pace) map[uintptr]struct{} {
	found := map[uintptr]struct{}{}
	note := func(p unsafe.Pointer) { found[uintptr(p)/hugePage] = struct{}{} }
	for _, t := range [...]*table[string, leaf]{&ix.literal, &ix.shaped} {
		for _, p := range t.pages {
			beside.step()
			note(unsafe.Pointer(p))
			for e := range p.all() {
				note(unsafe.Pointer(e))
				note(unsafe.Pointer(unsafe.StringData(e.key)))
			}
		}
	}
	for _, p := range ix.steps.pages {
		beside.step()
		note(unsafe.Pointer(p))
	}
	return found
}
