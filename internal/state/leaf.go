package state

import (
	"cmp"
	"slices"
	"strings"
)

// leaf holds the rules of one path, those of every service first, then by service and method. A nil leaf is empty, and
// only that one is.
type leaf struct {
	first  *rule
	others []*rule // mostly none
}

func (l *leaf) len() int {
	if l == nil {
		return 0
	}
	return 1 + len(l.others)
}

func (l *leaf) at(i int) *rule {
	if i == 0 {
		return l.first
	}
	return l.others[i-1]
}

// with is the leaf with a rule in the place of the one of its key; a nil rule removes it.
func (l *leaf) with(k Key, r *rule) *leaf {
	i, found := l.place(k)
	all := make([]*rule, 0, l.len()+1)
	for j := range l.len() {
		all = append(all, l.at(j))
	}
	switch {
	case found && r != nil:
		all[i] = r
	case found:
		all = slices.Delete(all, i, i+1)
	case r != nil:
		all = slices.Insert(all, i, r)
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return &leaf{first: all[0]}
	default:
		return &leaf{first: all[0], others: all[1:]}
	}
}

// get gives the rule of a key; nil for none.
func (l *leaf) get(k Key) *rule {
	if i, found := l.place(k); found {
		return l.at(i)
	}
	return nil
}

func (l *leaf) place(k Key) (i int, found bool) {
	i = l.before(func(r *rule) bool { return compareInLeaf(r.key, k) < 0 })
	return i, i < l.len() && l.at(i).key == k
}

func compareInLeaf(a, b Key) int {
	return cmp.Or(strings.Compare(a.Service, b.Service), strings.Compare(a.Method, b.Method), strings.Compare(a.Path, b.Path))
}

// before is the number of rules that come before something.
func (l *leaf) before(come func(*rule) bool) int {
	low, high := 0, l.len()
	for low < high {
		if mid := int(uint(low+high) >> 1); come(l.at(mid)) {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// of are the places of the rules of every service (from 0 to everyones) and of one service (from own to end). Where
// the service is not known, or the leaf so small that all may be looked at, the first are all.
func (l *leaf) of(service string) (everyones, own, end int) {
	const small = 8
	if n := l.len(); service == "" || n <= small {
		return n, n, n
	}
	everyones = l.before(func(r *rule) bool { return r.key.Service == "" })
	own = l.before(func(r *rule) bool { return r.key.Service < service })
	end = l.before(func(r *rule) bool { return r.key.Service <= service })
	return everyones, own, end
}

// leaves are what was found for one path. There is room for most cases without allocating.
type leaves struct {
	few   [roomForLeaves]*leaf
	count int // of few
	more  []*leaf
}

const roomForLeaves = 8

func (ls *leaves) add(l *leaf) {
	if ls.count == len(ls.few) {
		ls.more = append(ls.more, l)
		return
	}
	ls.few[ls.count] = l
	ls.count++
}

func (ls *leaves) len() int { return ls.count + len(ls.more) }

func (ls *leaves) at(i int) *leaf {
	if i < ls.count {
		return ls.few[i]
	}
	return ls.more[i-ls.count]
}
