package state

import (
	"cmp"
	"slices"
	"time"
)

const (
	// The offset is the median of so many samples, none of which is older than this.
	keptSamples = 9
	keptFor     = time.Minute
	// At the beginning this many samples are wanted at once: the first pays for a new connection.
	firstSamples = 3
	// Clocks go apart by less between samples unless something happened to one of them.
	tolerance = 10 * time.Millisecond
)

// sample is what one question told of the store's clock. All is on the axis of a Clock.
type sample struct {
	at   time.Duration // when the answer was received
	trip time.Duration // how long it took
	// offset is the store's clock minus the axis, if the answer was given halfway; it is off by no more than trip/2.
	offset time.Duration
	wall   time.Duration // the local wall clock minus the axis
}

// samples are the last ones, and what follows from them.
type samples struct {
	window []sample
	// offset is their median, known to within bound.
	offset, bound time.Duration
	// wall is where the local wall clock was at the last sample.
	wall time.Duration
	// odd is a sample that the others contradict.
	odd *sample
}

// take adds a sample, and reports whether another one is wanted soon.
//
// A sample cannot be further off than half its round trip, so one that contradicts the others is no noise: either the
// store's clock is another one by now or the machine's jumped. If the local clocks show that the machine's did, the
// sample begins a new window at once; otherwise the next one has to agree with it.
func (w *samples) take(s sample) (again bool) {
	jumped := apart(s.wall, w.wall, tolerance)
	w.wall = s.wall
	if len(w.window) > 0 && apart(s.offset, w.offset, s.trip/2+w.bound+tolerance) {
		odd := w.odd
		w.odd = &s
		switch {
		case jumped:
			w.window = w.window[:0]
		case odd != nil && !apart(s.offset, odd.offset, (s.trip+odd.trip)/2+tolerance):
			w.window = append(w.window[:0], *odd)
		default:
			return odd == nil
		}
	}
	w.odd = nil
	w.window = slices.DeleteFunc(w.window, func(old sample) bool { return apart(s.at, old.at, keptFor) })
	if len(w.window) == keptSamples {
		w.window = slices.Delete(w.window, 0, 1)
	}
	w.window = append(w.window, s)
	w.offset, w.bound = w.estimate()
	return len(w.window) < firstSamples
}

// estimate is the median of the samples whose round trip was not much longer than the shortest, which there always are.
// Each of them is off by no more than half of its own, and so is the median by half of the longest of these.
func (w *samples) estimate() (offset, bound time.Duration) {
	best := slices.MinFunc(w.window, func(a, b sample) int { return cmp.Compare(a.trip, b.trip) }).trip
	good := make([]time.Duration, 0, keptSamples)
	for _, s := range w.window {
		if s.trip <= 2*best+time.Millisecond {
			good = append(good, s.offset)
			bound = max(bound, s.trip/2)
		}
	}
	slices.Sort(good)
	low, high := good[(len(good)-1)/2], good[len(good)/2]
	return low + (high-low)/2, bound
}
