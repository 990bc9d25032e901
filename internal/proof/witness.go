package proof

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/waygate/waygate/internal/state"
)

// Witness holds a log to checkpoints. Its Saw is to be the Known of the chain.
type Witness struct {
	left   []Checkpoint // by revision
	next   int
	passed int
}

// NewWitness holds a log of a namespace to checkpoints, of several admins if need be. Empty is any namespace. Checkpoints
// of what need not be there, because it is before the revision from, do not count; zero is from the first of all.
func NewWitness(namespace string, all []Checkpoint, from uint64) (*Witness, error) {
	w := &Witness{left: slices.DeleteFunc(slices.Clone(all), func(c Checkpoint) bool { return c.Rev+1 < from })}
	for _, c := range all {
		if namespace != "" && c.Namespace != namespace {
			return nil, fmt.Errorf("a checkpoint is of the namespace %q, and the log of %q", c.Namespace, namespace)
		}
	}
	slices.SortStableFunc(w.left, func(a, b Checkpoint) int { return cmp.Compare(a.Rev, b.Rev) })
	return w, nil
}

// Saw compares a frame with the checkpoints of its revision.
func (w *Witness) Saw(f *state.Frame) error {
	for ; w.next < len(w.left) && w.left[w.next].Rev <= f.Rev; w.next++ {
		c := &w.left[w.next]
		switch {
		case c.Rev == 0 && c.Head == state.Head{}: // before the first entry
		case c.Rev == f.Rev && c.Epoch == f.Epoch && c.Head == f.Head:
		case c.Rev < f.Rev && c.Head == f.Prev: // a store that was just repaired
		case c.Rev == f.Rev && c.Epoch == f.Epoch:
			return &BrokenError{Epoch: c.Epoch, Rev: c.Rev, What: fmt.Sprintf("a checkpoint of %s proves another head: %.16s…, not %.16s…",
				c.Time.Format("2006-01-02 15:04:05Z"), c.Head, f.Head)}
		default:
			return w.missing(c)
		}
		w.passed++
	}
	return nil
}

func (w *Witness) missing(c *Checkpoint) error {
	return &BrokenError{Epoch: c.Epoch, Rev: c.Rev, What: fmt.Sprintf("it is missing: a checkpoint of %s proves that it was there",
		c.Time.Format("2006-01-02 15:04:05Z"))}
}

// Finish says whether the log reaches as far as the checkpoints; head is where it ended.
func (w *Witness) Finish(head state.Head) error {
	for ; w.next < len(w.left); w.next++ {
		if c := &w.left[w.next]; c.Head != head {
			return w.missing(c)
		}
		w.passed++
	}
	return nil
}

// Passed is how many checkpoints the log was found to agree with.
func (w *Witness) Passed() int { return w.passed }
