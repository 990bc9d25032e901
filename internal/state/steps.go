package state

import "math/bits"

// steps are the beginnings of paths that keys have, each by its hash: what a walk along a path asks whether to go on.
// There are many of them and most answers are no, so they are kept small: eight bytes each, eight in a cache line, and
// one look at one line for almost every answer. They keep no text, so two beginnings of one hash are one step; that
// leads a walk astray, never past anything, and where it ends the key itself is compared with the path.
//
// Old versions stay as they are, see directory. The zero steps are empty.
type steps struct {
	directory[stepPage, *stepPage]
	count int
}

// reach says what keys go on with from a step. It may say too much after keys were removed, as long as others share
// the step.
type reach uint64

const (
	toLiteral reach = 1 << iota // a literal segment
	toAny                       // a {}
	toAround                    // a parameter with text around it
	toEnd                       // nothing: a key ends here
	toRest                      // a **
	reaches   = 1<<iota - 1
)

const (
	stepLines = 32
	stepsFull = 160 // steps in a page before it is split; it has room for 224
)

// stepPage holds steps in lines of cache: a step stands in the line of its hash, or where that is full in one after it.
// The keys behind each, which only a change looks at, are counted apart.
type stepPage struct {
	pageHead
	spill []spilledStep // what found no room, where hashes are all alike; mostly nil
	_     [16]byte      // so that each line is one of the cache

	lines [stepLines]stepLine
	keys  [stepLines][8]uint32
}

// stepLine holds the tags of steps, as a bucket does, and after them the steps: hashes with the reach of each in the
// lowest bits, 0 for a free place.
type stepLine [8]uint64

type spilledStep struct {
	step uint64
	keys uint32
}

func (p *stepPage) copied() *stepPage {
	is := *p
	is.spill = append([]spilledStep(nil), p.spill...)
	return &is
}

// stepOf is the hash as it is kept: never 0, and with room for a reach.
func stepOf(hash uint64) uint64 { return hash&^reaches | (reaches + 1) }

// belowTag are the bits of a step that are not of the hash.
const belowTag = 6

func homeLine(step uint64) uint64 { return home(step>>belowTag) % stepLines }

// get gives the reach of a step, 0 where there is none.
func (s *steps) get(hash uint64) reach {
	if len(s.pages) == 0 {
		return 0
	}
	p, step := s.pages[s.place(hash)], stepOf(hash)
	line := &p.lines[homeLine(step)]
	same := tagged(line[0], step>>belowTag)
	// Whether the step is there nobody could foretell, and a jump that is foretold wrongly makes all loads after it
	// wait. So there is none, but where two tags are alike or the line is full.
	var found uint64
	if have := line[(bits.TrailingZeros64(same)/8+1)%8]; have^step <= reaches {
		found = have
	}
	if same&(same-1)|line[0]/goesOn != 0 && found == 0 {
		if have, _ := p.slot(step); have != nil {
			found = *have
		}
	}
	return reach(found) & reaches
}

// change says that by more keys (one, or minus one) go on from a step with to.
func (s *steps) change(e *edit, hash uint64, to reach, by int) {
	p, step := s.open(e, hash), stepOf(hash)
	have, keys := p.slot(step)
	if have == nil {
		s.count++
		if p.add(step|uint64(to), 1); p.used > stepsFull {
			s.divide(e, hash)
		}
		return
	}
	*have |= uint64(to)
	if *keys += uint32(by); *keys > 0 {
		return
	}
	// Steps may have gone on to the next line because of the one that goes: place all others anew.
	s.count--
	is := &stepPage{pageHead: pageHead{owner: e, depth: p.depth}}
	p.each(func(have uint64, keys uint32) {
		if keys > 0 {
			is.add(have, keys)
		}
	})
	s.install(is, hash)
}

// divide splits the page of a hash in two.
func (s *steps) divide(e *edit, hash uint64) {
	full := s.pages[s.place(hash)]
	halves, ok := s.split(e, hash, s.count)
	if !ok {
		return
	}
	full.each(func(have uint64, keys uint32) { halves[have>>(63-full.depth)&1].add(have, keys) })
}

// slot is where a step and the number of its keys stand; nil where there is none.
func (p *stepPage) slot(step uint64) (*uint64, *uint32) {
	for n := range uint64(stepLines) {
		i := (homeLine(step) + n) % stepLines
		line := &p.lines[i]
		for same := tagged(line[0], step>>belowTag); same != 0; same &= same - 1 {
			j := (bits.TrailingZeros64(same)/8 + 1) % 8
			if line[j]^step <= reaches {
				return &line[j], &p.keys[i][j]
			}
		}
		if line[0] < goesOn {
			return nil, nil
		}
	}
	for i := range p.spill {
		if have := &p.spill[i]; have.step^step <= reaches {
			return &have.step, &have.keys
		}
	}
	return nil, nil
}

// add puts a step that is not there into a page of the edit's own.
func (p *stepPage) add(step uint64, keys uint32) {
	p.used++
	for n := range uint64(stepLines) {
		i := (homeLine(step) + n) % stepLines
		line := &p.lines[i]
		if j := freePlace(line[0]); j < bucketRoom {
			line[0] |= tagOf(step>>belowTag) << (8 * j)
			line[j+1], p.keys[i][j+1] = step, keys
			return
		}
		line[0] |= goesOn
	}
	p.spill = append(p.spill, spilledStep{step, keys})
}

func (p *stepPage) each(do func(step uint64, keys uint32)) {
	for i := range p.lines {
		for j, have := range p.lines[i] {
			if j > 0 && have != 0 {
				do(have, p.keys[i][j])
			}
		}
	}
	for _, have := range p.spill {
		do(have.step, have.keys)
	}
}
