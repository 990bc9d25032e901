package state

import (
	"slices"
	"time"
)

// Words of Outcome.Cleared.
const (
	clearedStanding    = "standing"
	clearedUntil       = "until"
	clearedWindow      = "window"
	clearedExcepted    = "excepted"
	clearedGate        = "gate"
	clearedDeprecation = "deprecation"
)

// enable ends what blocks the key by itself, and has it left alone by the running blocks of keys that contain it.
// Neither switches nor gates and deprecations of wider keys are touched; a gate or a deprecation of its own is cleared
// only if there was nothing else to end and setting it was the last command on the key.
func (w *deed) enable() error {
	if w.route.Standing != nil {
		w.route.Standing = nil
		w.cleared(clearedStanding)
	}
	if err := w.endRunning(); err != nil {
		return err
	}
	for _, c := range w.doc.containing(w.key) {
		if c.Key == w.key {
			continue
		}
		if err := w.openIn(c); err != nil {
			return err
		}
	}
	if w.action != "" {
		return nil
	}
	switch {
	case w.route.Last == ActionEnvGate && w.route.Gate != nil:
		w.route.Gate = nil
		w.cleared(clearedGate)
	case w.route.Last == ActionDeprecate && w.route.Deprecation != nil:
		w.route.Deprecation = nil
		w.cleared(clearedDeprecation)
	}
	return nil
}

func (w *deed) cleared(word string) {
	w.action = ActionEnable
	if !slices.Contains(w.out.Cleared, word) {
		w.out.Cleared = append(w.out.Cleared, word)
	}
}

// endRunning ends the key's own running untils and the running occurrence of its windows.
func (w *deed) endRunning() error {
	for is := range w.doc.WindowsOn(Target{Key: w.key}) {
		if _, ok := is.Running(w.by.At); !ok {
			continue
		}
		if is.Origin == OriginUntil {
			w.cleared(clearedUntil)
		} else {
			w.cleared(clearedWindow)
		}
		if err := w.put.endOccurrence(is, w.by.At); err != nil {
			return err
		}
	}
	slices.Sort(w.out.Cleared)
	return nil
}

// endOccurrence takes the running occurrences out of a window. Nothing of them is left whose end could be announced: the
// command that ends them is the announcement. A window without others goes with them.
func (p Patch) endOccurrence(w Window, now time.Time) error {
	return p.leaveOccurrences(w, func(o *Occurrence) bool { return !o.contains(now) })
}

// leaveOccurrences keeps those occurrences of a window for which keep is true.
func (p Patch) leaveOccurrences(w Window, keep func(*Occurrence) bool) error {
	if w.Recurs != nil {
		w.changeOccurrences(keep)
	}
	if w.Recurs == nil || w.Finished && len(w.Occurrences) == 0 {
		p.DropWindow(w.ID)
		return nil
	}
	return p.SetWindow(w)
}

// openIn adds the key to the exceptions of the running blocks of a route that contains it.
func (w *deed) openIn(c Route) error {
	if b := c.Standing; b != nil && b.Effect.shuts(w.key.Method) && !liftedBy(b.Except, w.key, w.key) {
		is := *b
		is.Except = append(slices.Clone(b.Except), w.key)
		is.Opened = append(slices.Clone(b.Opened), w.key)
		c.Standing = is.settled(w.by.At)
		w.cleared(clearedExcepted)
		if err := w.put.SetRoute(c); err != nil {
			return err
		}
	}
	for is := range w.doc.WindowsOn(Target{Key: c.Key}) {
		left := true // alone, in every occurrence that runs
		for o := range is.inForce(w.by.At) {
			p := is.restraint(o)
			left = left && !p.blocks(w.key, w.key)
		}
		if left {
			continue
		}
		is.except(w.key, w.by.At)
		w.cleared(clearedExcepted)
		if err := w.put.SetWindow(is); err != nil {
			return err
		}
	}
	return nil
}
