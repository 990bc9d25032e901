package state

import (
	"fmt"
	"time"
)

// protect sets the flag. A key is not protected while a block, a gate or a window still to come lies on it, inside it,
// or around it: that would be lifted by the way.
func (w *deed) protect() error {
	if w.route.Protected {
		return nil
	}
	for _, near := range [][]Route{{w.route}, w.doc.containing(w.key), w.doc.inside(w.key)} {
		for i := range near {
			if what := w.doc.inForce(&near[i], w.by.At); what != "" {
				return fmt.Errorf("%s cannot be protected: %w: %s on %s", w.out.Shown, ErrInForce, what, near[i].shownOr(""))
			}
		}
	}
	w.route.Protected, w.action = true, ActionProtect
	return nil
}

func (w *deed) unprotect() error {
	if w.route.Protected {
		w.route.Protected, w.action = false, ActionUnprotect
	}
	return nil
}

// inForce names a part of a route that refuses or will; empty when there is none.
func (d *Document) inForce(r *Route, now time.Time) string {
	switch {
	case r.Standing != nil:
		return "a block"
	case r.Gate != nil:
		return "an environment gate"
	}
	for w := range d.WindowsOn(Target{Key: r.Key}) {
		if !w.Over(now) {
			return "a window"
		}
	}
	return ""
}
