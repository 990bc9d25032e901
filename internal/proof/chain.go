package proof

import (
	"fmt"

	"github.com/waygate/waygate/internal/state"
)

// BrokenError says at which revision a log is wrong first, and what is wrong.
type BrokenError struct {
	Epoch string
	Rev   uint64
	What  string
}

// Error implements error.
func (e *BrokenError) Error() string {
	if e.Epoch == "" {
		return fmt.Sprintf("revision %d: %s", e.Rev, e.What)
	}
	return fmt.Sprintf("revision %d (epoch %s): %s", e.Rev, e.Epoch, e.What)
}

// Run is the part of a log that is of one epoch.
type Run struct {
	Epoch string
	// Base is the revision before the first, and Prev the head there.
	Base uint64
	Prev state.Head
	// Last is the last revision, and Head its head.
	Last uint64
	Head state.Head
	// From is the revision of the run before at which this one went on, after a repair; Joined is false where that head
	// was not among those seen: what lies between is lost, or was taken away.
	From   uint64
	Joined bool
}

// Chain checks a log, frame by frame.
type Chain struct {
	// Known is called with each frame that fits; nil is nothing.
	Known func(*state.Frame) error
	runs  []Run
	heads map[state.Head]uint64 // of the last run, where a repair may go on: its last few
	ring  []state.Head
	next  int // of ring
	count uint64
}

// joinWithin is how many entries a repaired store may lack of those that were acknowledged before.
const joinWithin = 10_000

// Runs are the epochs seen so far, in order.
func (c *Chain) Runs() []Run { return c.runs }

// Count is how many frames fitted.
func (c *Chain) Count() uint64 { return c.count }

// Add takes the next frame in. The error is a *BrokenError, or that of Known.
func (c *Chain) Add(f *state.Frame) error {
	bad := func(format string, args ...any) error {
		return &BrokenError{Epoch: f.Epoch, Rev: f.Rev, What: fmt.Sprintf(format, args...)}
	}
	if n := len(c.runs); n == 0 || c.runs[n-1].Epoch != f.Epoch {
		if err := c.begin(f); err != nil {
			return err
		}
	}
	r := &c.runs[len(c.runs)-1]
	switch {
	case f.Rev != r.Last+1:
		return bad("it comes after revision %d: entries are missing, doubled or out of order", r.Last)
	case f.Prev != r.Head:
		return bad("it does not follow from the entry before: the head there is %.16s…, not %.16s…", r.Head, f.Prev)
	case f.Verify() != nil:
		return bad("its content does not fit its hash")
	}
	r.Last, r.Head = f.Rev, f.Head
	c.count++
	c.remember(f)
	if c.Known != nil {
		return c.Known(f)
	}
	return nil
}

// begin begins an epoch: the first one of the log, or one that a repair began.
func (c *Chain) begin(f *state.Frame) error {
	next := Run{Epoch: f.Epoch, Base: f.Rev - 1, Prev: f.Prev, Last: f.Rev - 1, Head: f.Prev}
	for i := range c.runs {
		switch was := &c.runs[i]; {
		case was.Epoch == f.Epoch:
			return &BrokenError{Epoch: f.Epoch, Rev: f.Rev, What: "its epoch ended before, at revision " + fmt.Sprint(was.Last)}
		case f.Rev <= was.Last+1:
			return &BrokenError{Epoch: f.Epoch, Rev: f.Rev, What: fmt.Sprintf("a new epoch begins at a later revision than %d", was.Last)}
		}
	}
	next.From, next.Joined = c.heads[f.Prev]
	c.runs = append(c.runs, next)
	c.heads, c.ring, c.next = nil, nil, 0
	return nil
}

// remember keeps the last heads of a run.
func (c *Chain) remember(f *state.Frame) {
	if c.heads == nil {
		c.heads = make(map[state.Head]uint64, joinWithin)
		c.ring = make([]state.Head, 0, joinWithin)
		c.keep(f.Prev, f.Rev-1)
	}
	c.keep(f.Head, f.Rev)
}

func (c *Chain) keep(h state.Head, rev uint64) {
	c.heads[h] = rev
	if len(c.ring) < joinWithin {
		c.ring = append(c.ring, h)
		return
	}
	delete(c.heads, c.ring[c.next])
	c.ring[c.next] = h
	c.next = (c.next + 1) % joinWithin
}

// CheckBegin says whether everything is there from a revision on; zero is the first entry of all. Where a repair lost
// the end of an epoch, only the reader can know that nobody took it away: what is asked for begins later then.
func (c *Chain) CheckBegin(from uint64) error {
	if n := len(c.runs); from > 0 && (n == 0 || c.runs[n-1].Last < from) {
		return &BrokenError{Rev: from, What: "it is missing: what there is ends before"}
	}
	for i, r := range c.runs {
		bad := func(rev uint64, what string) error { return &BrokenError{Epoch: r.Epoch, Rev: rev, What: what} }
		switch late := r.Base+1 > from; {
		case from == 0 && i == 0 && (r.Base > 0 || r.Prev != state.Head{}):
			return bad(r.Base+1, "something was before it, and is missing")
		case from > 0 && i == 0 && late:
			return bad(from, fmt.Sprintf("it is missing: what there is begins with revision %d", r.Base+1))
		case i > 0 && !r.Joined && late:
			return bad(r.Base+1, "an epoch begins, and what is before does not lead to it: a repair lost the entries between, or somebody took them away")
		}
	}
	return nil
}

// CheckEnd says whether the log reaches as far as a store says that it stands.
func (c *Chain) CheckEnd(at state.Meta) error {
	n := len(c.runs)
	switch {
	case n == 0 && at.Head == state.Head{}, n > 0 && c.runs[n-1].Epoch == at.Epoch && c.runs[n-1].Last == at.Rev && c.runs[n-1].Head == at.Head:
		return nil
	case n > 0 && c.runs[n-1].Epoch != at.Epoch && c.heads[at.Head] > 0:
		return nil // a store that was just repaired, and where nothing was said since
	case n > 0 && c.runs[n-1].Epoch == at.Epoch && c.runs[n-1].Last < at.Rev:
		return &BrokenError{Epoch: at.Epoch, Rev: c.runs[n-1].Last + 1, What: fmt.Sprintf("it is missing: the store stands at revision %d", at.Rev)}
	default:
		return &BrokenError{Epoch: at.Epoch, Rev: at.Rev, What: "the store stands there with a head that the log does not lead to"}
	}
}
