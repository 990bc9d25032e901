package state

import (
	"cmp"
	"slices"
	"strings"
)

// leaf holds the rules of one path, those of every service first, then by service and method.
type leaf []*rule

// with is the leaf with a rule in the place of the one of its key; a nil rule removes it. No rules are nil.
func (l leaf) with(k Key, r *rule) leaf {
	i, found := l.place(k)
	next := make(leaf, 0, len(l)+1)
	next = append(next, l[:i]...)
	if found {
		l = l[1:]
	}
	if r != nil {
		next = append(next, r)
	}
	if next = append(next, l[i:]...); len(next) == 0 {
		return nil
	}
	return next
}

// get gives the rule of a key; nil for none.
func (l leaf) get(k Key) *rule {
	if i, found := l.place(k); found {
		return l[i]
	}
	return nil
}

func (l leaf) place(k Key) (int, bool) {
	return slices.BinarySearchFunc(l, k, func(have *rule, k Key) int {
		return cmp.Or(strings.Compare(have.key.Service, k.Service), strings.Compare(have.key.Method, k.Method),
			strings.Compare(have.key.Path, k.Path))
	})
}

// of are the rules that a service can have: its own and those of every service. Where it is not known, all.
func (l leaf) of(service string) (everyones, own leaf) {
	if service == "" || len(l) <= 8 {
		return l, nil
	}
	everyones = l[:l.after("")]
	own = l[:l.after(service)]
	for first := len(own); ; first-- {
		if first == len(everyones) || own[first-1].key.Service != service {
			return everyones, own[first:]
		}
	}
}

// after is the number of rules whose service is not greater than service.
func (l leaf) after(service string) int {
	low, high := 0, len(l)
	for low < high {
		if mid := int(uint(low+high) >> 1); l[mid].key.Service <= service {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}
