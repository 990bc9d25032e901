package state

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Leads are how long before it happens something is announced.
type Leads struct {
	// Upcoming is how long before the start of a window, Ending before its end. Zero announces nothing ahead.
	Upcoming, Ending time.Duration
}

// Moment is one thing that a window does by itself, at the instant that its data say; for what is announced ahead, the
// instant at which that is due.
type Moment struct {
	At time.Time
	// Kind orders what happens at one instant.
	Kind       MomentKind
	Window     Window
	Occurrence Occurrence
}

// MomentKind tells what a window does.
type MomentKind uint8

// The kinds of moments. Of those at one instant, what ends is told before what begins.
const (
	MomentEnds MomentKind = iota
	MomentEnding
	MomentBegins
	MomentUpcoming
)

// Announced is the instant up to which everything that windows do is in the log. Zero while there never was a window.
func (d *Document) Announced() time.Time { return d.announced }

// BeginAnnouncing has a document that is given its first window by the patch begin to announce: from now on.
func (p Patch) BeginAnnouncing(d *Document, now time.Time) error {
	if !d.announced.IsZero() {
		return nil
	}
	for field := range p {
		if strings.HasPrefix(field, fieldWindow) {
			return p.SetAnnounced(now)
		}
	}
	return nil
}

// spent reports whether a window is over for long and nothing of it is left to announce.
func (d *Document) spent(w *Window, now time.Time) bool {
	last := d.announced
	if old := now.Add(-sweepAfter); old.Before(last) {
		last = old
	}
	return w.Over(last)
}

// Due are the moments after what was announced, up to and with now, in the order in which they are told.
func (d *Document) Due(lead Leads, now time.Time) []Moment {
	if d.announced.IsZero() || !d.announced.Before(now) {
		return nil
	}
	var due []Moment
	for w := range d.Windows() {
		for _, o := range w.Spans() {
			if o.Start.Add(-lead.Upcoming).After(now) {
				break // and all later ones
			}
			w.moments(o, lead, func(at time.Time, kind MomentKind) {
				if at.After(d.announced) && !at.After(now) {
					due = append(due, Moment{At: at, Kind: kind, Window: w, Occurrence: o})
				}
			})
		}
	}
	slices.SortFunc(due, func(a, b Moment) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Window.ID, b.Window.ID))
	})
	return due
}

// NextMoment is the first instant after what was announced at which something is to be; zero for none.
func (d *Document) NextMoment(lead Leads) time.Time {
	var next time.Time
	for w := range d.Windows() {
		for _, o := range w.Spans() {
			w.moments(o, lead, func(at time.Time, _ MomentKind) {
				if at.After(d.announced) && (next.IsZero() || at.Before(next)) {
					next = at
				}
			})
			if first := o.Start.Add(-lead.Upcoming); first.After(d.announced) && first.After(w.Made) && first.After(w.At) {
				break // that is among what was given, and later ones have nothing earlier
			}
		}
	}
	return next
}

// moments gives what an occurrence of the window does by itself. What was so when the window was made is not among it:
// its author was told. Nor is an announcement that was due already when the window was changed: who changed it knows.
func (w *Window) moments(o Occurrence, lead Leads, is func(time.Time, MomentKind)) {
	if o.Start.After(w.Made) {
		is(o.Start, MomentBegins)
		if at := o.Start.Add(-lead.Upcoming); lead.Upcoming > 0 && at.After(w.Made) && at.After(w.At) {
			is(at, MomentUpcoming)
		}
	}
	if o.End.IsZero() {
		return
	}
	is(o.End, MomentEnds)
	if at := o.End.Add(-lead.Ending); lead.Ending > 0 && at.After(o.Start) && at.After(w.Made) && at.After(w.At) {
		is(at, MomentEnding)
	}
}

// maxSwept bounds how many windows one announcement sweeps out.
const maxSwept = 500

// Announce is the change that puts into the log what windows did by themselves until now; nothing when there is
// nothing to tell. It moves the document's mark, so that of several admins exactly one can commit it, and takes out windows
// that are over for long: no verdict changes.
func Announce(d *Document, lead Leads, now time.Time) (Change, error) {
	now = canonicalTime(now)
	c := Change{Entry: Entry{Kind: KindAnnounce, At: now, Actor: ActorSystem, Platform: PlatformSystem, Patch: Patch{}}}
	if d.announced.IsZero() && d.WindowCount() > 0 {
		// They did not come by commands; what they did before now nobody can tell.
		return c, c.Patch.SetAnnounced(now)
	}
	due := d.Due(lead, now)
	if len(due) == 0 {
		return Change{}, nil
	}
	for i := range due {
		c.Records = append(c.Records, d.record(&due[i]))
	}
	swept := 0
	for w := range d.Windows() {
		if swept < maxSwept && d.spent(&w, now) {
			c.Patch.DropWindow(w.ID)
			swept++
		}
	}
	return c, c.Patch.SetAnnounced(now)
}

// ActorSystem is who does what nobody commanded.
const ActorSystem = "system"

// record tells a moment, with the effective status of its target just before and from then on.
func (d *Document) record(m *Moment) Record {
	t := m.Window.Target
	r := Record{
		Path: t.String(), Service: t.Service, Reason: m.Window.Reason, Window: m.Window.ID, Due: m.At,
		Start: m.Occurrence.Start, Until: m.Occurrence.End,
		Before: d.targetStatus(t, m.At.Add(-time.Nanosecond)), After: d.targetStatus(t, m.At),
	}
	if t.Key.Path != "" {
		r.Path, r.Service = d.shown(t.Key), t.Key.Service
	}
	switch m.Kind {
	case MomentBegins:
		r.Action = t.opening(m.Window.Effect)
	case MomentEnds:
		r.Action = t.closing(m.Window.Effect)
	case MomentUpcoming:
		r.Action = ActionUpcoming
	case MomentEnding:
		r.Action = ActionEnding
	}
	return r
}

// targetStatus is the effective status of a key, or of a switch: active or maintenance.
func (d *Document) targetStatus(t Target, now time.Time) Status {
	if t.Key.Path != "" {
		return d.status(t.Key, now)
	}
	_, on := d.switchOn(t, now)
	return onStatus(on)
}
