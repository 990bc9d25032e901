package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Past is what was said of one key at some revision: what a restore brings back.
type Past struct {
	// Route is nil where nobody had named the key.
	Route *Route
	// Windows are those on exactly this key, by their ids.
	Windows []Window
}

// restore has the key as it was: its parts, with their exceptions, and its windows that are not over yet. A key that
// nobody had named is active, and stays known. What others said of it, and switches, stay as they are.
func (w *deed) restore() error {
	if w.cmd.Past == nil {
		return Invalid("revision", "a restore needs what the key was")
	}
	is := w.pastRoute(w.cmd.Past.Route)
	if is.Protected {
		if err := w.refuseForce(); err != nil {
			return err
		}
	}
	changed, err := w.pastWindows(w.cmd.Past.Windows)
	if err != nil {
		return err
	}
	w.route.Standing = w.route.Standing.settled(w.by.At)
	same, err := sameSaid(is, w.route)
	if err != nil || same && !changed {
		return err
	}
	w.route, w.action = is, ActionRestore
	if is.Standing != nil {
		w.out.OpenInside = w.openInside(is.Standing.Except)
	}
	return nil
}

// pastRoute is the entry of the key with the parts it had.
func (w *deed) pastRoute(was *Route) Route {
	is := Route{Key: w.key, Shown: w.route.Shown, Origin: w.route.Origin}
	if was == nil {
		return is
	}
	is.Deprecation, is.Gate, is.Standing = was.Deprecation, was.Gate, was.Standing.settled(w.by.At)
	is.Protected, is.Last = was.Protected, was.Last
	return is
}

// refuseForce refuses to bring protection back while something around the key, or inside it, is in force.
func (w *deed) refuseForce() error {
	for _, near := range [][]Route{w.doc.containing(w.key), w.doc.inside(w.key)} {
		for i := range near {
			if near[i].Key == w.key {
				continue
			}
			if what := w.doc.inForce(&near[i], w.by.At); what != "" {
				return fmt.Errorf("%s was protected and cannot be again: %w: %s on %s", w.out.Shown, ErrInForce, what, near[i].shownOr(""))
			}
		}
	}
	return nil
}

// pastWindows puts the windows back that there were and drops those that there were not. What is over is left alone.
func (w *deed) pastWindows(was []Window) (changed bool, err error) {
	target, kept := Target{Key: w.key}, map[string]bool{}
	for _, is := range was {
		is.Target = target
		if is.Over(w.by.At) {
			continue
		}
		kept[is.ID] = true
		have, ok := w.doc.Window(is.ID)
		same := false
		if ok {
			if same, err = sameWindowSaid(have, is, w.by.At); err != nil {
				return false, err
			}
		}
		if same {
			continue
		}
		// Its author is told what is in force now: only what comes later is announced.
		is.Made, is.By, is.At = w.by.At, w.by.Actor, w.by.At
		changed = true
		if err := w.put.SetWindow(is); err != nil {
			return false, err
		}
	}
	for have := range w.doc.WindowsOn(target) {
		if !kept[have.ID] && !have.Over(w.by.At) {
			changed = true
			w.put.DropWindow(have.ID)
		}
	}
	return changed, nil
}

// sameSaid reports whether two entries of a key say the same, whoever said it.
func sameSaid(a, b Route) (bool, error) {
	a.By, a.At, b.By, b.At = "", time.Time{}, "", time.Time{}
	return sameText(a, b)
}

// sameWindowSaid compares what windows say from now on, of one that recurs as far as both know its occurrences.
func sameWindowSaid(a, b Window, now time.Time) (bool, error) {
	through := a.Through
	if b.Through.Before(through) {
		through = b.Through
	}
	for _, w := range []*Window{&a, &b} {
		w.Made, w.By, w.At = time.Time{}, "", time.Time{}
		if w.Recurs == nil {
			continue
		}
		w.Start, w.Through, w.Finished = time.Time{}, time.Time{}, false
		w.changeOccurrences(func(o *Occurrence) bool { return o.End.After(now) && o.Start.Before(through) })
		w.Skipped = slices.DeleteFunc(slices.Clone(w.Skipped), func(t time.Time) bool { return t.Before(through) })
	}
	return sameText(a, b)
}

func sameText(a, b any) (bool, error) {
	x, err := json.Marshal(a)
	if err != nil {
		return false, fmt.Errorf("compare with the past: %w", err)
	}
	y, err := json.Marshal(b)
	if err != nil {
		return false, fmt.Errorf("compare with the past: %w", err)
	}
	return bytes.Equal(x, y), nil
}
