package state

import (
	"iter"
	"slices"
	"time"
)

// Window is a timed block on a target. It is in force at t when one of its occurrences contains t: Start <= t < End.
type Window struct {
	// ID is the window's name for ever; it is the field's name in a document and not repeated inside.
	ID string `json:"-"`
	// Target is the route key, service or everything that it blocks.
	Target Target `json:"target"`
	// Start is the first instant in force; of a recurring window, that of the first occurrence it was made with.
	Start time.Time `json:"start"`
	// End is the first instant no longer in force; zero is no end. A recurring window has none of its own.
	End    time.Time `json:"end,omitzero"`
	Effect Effect    `json:"effect"`
	Reason string    `json:"reason,omitempty"`
	// Ticket is a link to where the work is planned.
	Ticket string `json:"ticket,omitempty"`
	// Origin tells whether a start was sent (window) or only an end (until): cancelling a schedule spares an until.
	Origin WindowOrigin `json:"origin"`
	// Assumed says that policy set the end of an until, because its author named none.
	Assumed bool `json:"assumed,omitempty"`
	// Except are the keys that it leaves alone. An until of a switch has none of its own: the switch's exemptions hold.
	Except []Key `json:"except,omitempty"`
	// IncludeProtected makes a window of a switch hold for protected routes too.
	IncludeProtected bool `json:"include_protected,omitempty"`
	// Made is when it was made. Its author was told what was in force then: only what comes later is announced.
	Made time.Time `json:"made,omitzero"`
	By   string    `json:"by,omitempty"`
	At   time.Time `json:"at,omitzero"`

	// Zone is the IANA time zone that its author thinks in; empty is UTC.
	Zone string `json:"zone,omitempty"`
	// Recurs is set for a window that recurs. Then Occurrences are in force, and only they: in rising order, all that
	// start before Through. Finished says that there are no later ones.
	Recurs      *Recurrence  `json:"recurs,omitempty"`
	Occurrences []Occurrence `json:"occurrences,omitempty"`
	Through     time.Time    `json:"through,omitzero"`
	Finished    bool         `json:"finished,omitempty"`
	// Skipped are the starts of occurrences at or after Through that were cancelled before they were known.
	Skipped []time.Time `json:"skipped,omitempty"`
}

// Recurrence says when a window recurs, in wall time of its zone. No verdict depends on it: admins expand occurrences
// from it, ahead of time.
type Recurrence struct {
	// Rule is RRULE:… (RFC 5545, 3.3.10) or CRON:….
	Rule string `json:"rule"`
	// First is the wall time that the rule counts from, as 2006-01-02T15:04:05.
	First string `json:"first"`
	// For is how long an occurrence lasts, in elapsed time, as a Go duration; or To is the wall time of day at which it
	// ends, as 15:04:05. One of them is set.
	For string `json:"for,omitempty"`
	To  string `json:"to,omitempty"`
}

// Occurrence is one span of a window, with the exceptions that hold for it alone.
type Occurrence struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Except []Key     `json:"except,omitempty"`
}

// WindowOrigin tells how a window was asked for.
type WindowOrigin string

// The origins of a window.
const (
	OriginWindow WindowOrigin = "window"
	OriginUntil  WindowOrigin = "until"
)

// Spans are the occurrences that are known; a window that does not recur has one.
func (w *Window) Spans() []Occurrence {
	if w.Recurs == nil {
		return []Occurrence{{Start: w.Start, End: w.End}}
	}
	return w.Occurrences
}

// Running reports whether an occurrence of the window contains now, and gives the one that ends last.
func (w *Window) Running(now time.Time) (is Occurrence, ok bool) {
	if w.Recurs == nil {
		is = Occurrence{Start: w.Start, End: w.End}
		return is, is.contains(now)
	}
	for _, o := range w.Occurrences {
		if o.contains(now) && (!ok || laterEnd(o.End, is.End) > 0) {
			is, ok = o, true
		}
	}
	return is, ok
}

// inForce yields the occurrences that contain now; those of one window may overlap.
func (w *Window) inForce(now time.Time) iter.Seq[Occurrence] {
	return func(yield func(Occurrence) bool) {
		for _, o := range w.Spans() {
			if o.contains(now) && !yield(o) {
				return
			}
		}
	}
}

// current is the occurrence that runs, of several the one that began last, else the next one. Which one it is does not
// depend on ends: a change of the end, given twice, is about the same one.
func (w *Window) current(now time.Time) (is Occurrence, ok bool) {
	for o := range w.inForce(now) {
		if !ok || o.Start.After(is.Start) {
			is, ok = o, true
		}
	}
	if ok {
		return is, true
	}
	return w.upcoming(now)
}

// upcoming is the first occurrence that begins after now.
func (w *Window) upcoming(now time.Time) (Occurrence, bool) {
	if w.Recurs == nil {
		return Occurrence{Start: w.Start, End: w.End}, w.Start.After(now)
	}
	i, _ := slices.BinarySearchFunc(w.Occurrences, now, func(o Occurrence, t time.Time) int {
		if o.Start.After(t) {
			return 1
		}
		return -1
	})
	if i == len(w.Occurrences) {
		return Occurrence{}, false
	}
	return w.Occurrences[i], true
}

// Over reports whether no occurrence is in force at now or later.
func (w *Window) Over(now time.Time) bool {
	if w.Recurs != nil && !w.Finished {
		return false
	}
	return !slices.ContainsFunc(w.Spans(), func(o Occurrence) bool { return o.End.IsZero() || now.Before(o.End) })
}

func (o *Occurrence) contains(now time.Time) bool {
	return !now.Before(o.Start) && (o.End.IsZero() || now.Before(o.End))
}

// scheduled reports whether the window has exemptions of its own though its target is a switch.
func (w *Window) scheduled() bool { return w.Origin == OriginWindow }

// exceptNow are the keys that the window leaves alone at now, some in one running occurrence only.
func (w *Window) exceptNow(now time.Time) []Key {
	all := slices.Clone(w.Except)
	if w.Recurs != nil {
		for o := range w.inForce(now) {
			all = append(all, o.Except...)
		}
	}
	return all
}

// except has the window leave a key alone: for good, or where it recurs in its running occurrences.
func (w *Window) except(k Key, now time.Time) {
	if w.Recurs == nil {
		w.Except = append(slices.Clone(w.Except), k)
		return
	}
	w.changeOccurrences(func(o *Occurrence) bool {
		if o.contains(now) {
			o.Except = append(slices.Clone(o.Except), k)
		}
		return true
	})
}

// changeOccurrences gives a recurring window occurrences of its own, changed; those are left out for which change is
// false.
func (w *Window) changeOccurrences(change func(*Occurrence) bool) {
	kept := make([]Occurrence, 0, len(w.Occurrences))
	for _, o := range w.Occurrences {
		if change(&o) {
			kept = append(kept, o)
		}
	}
	w.Occurrences = kept
}
