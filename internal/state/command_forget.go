package state

import (
	"fmt"
	"slices"
)

// forgetKey takes the key out of the document, and out of every exception. That may shut it: the answer says what.
func (w *deed) forgetKey() error {
	if !w.named {
		return nil
	}
	if what := w.doc.inForce(&w.route, w.by.At); what != "" {
		return fmt.Errorf("%s cannot be forgotten: %w: %s", w.out.Shown, ErrInForce, what)
	}
	lost, err := w.leaveExceptions()
	if err != nil {
		return err
	}
	for is := range w.doc.WindowsOn(Target{Key: w.key}) {
		w.put.DropWindow(is.ID)
	}
	w.out.Exposed = w.exposedBy(lost)
	w.forget, w.action = true, ActionForget
	return nil
}

// exceptions are those of one part before and after a key left them.
type exceptions struct {
	owner         Key
	before, after []Key
}

// leaveExceptions takes the key out of every except list, and gives the lists that it was in.
func (w *deed) leaveExceptions() ([]exceptions, error) {
	var lost []exceptions
	leave := func(owner Key, list *[]Key) bool {
		if !slices.Contains(*list, w.key) {
			return false
		}
		after := less(*list, []Key{w.key})
		lost = append(lost, exceptions{owner: owner, before: *list, after: after})
		*list = after
		return true
	}
	for r := range w.doc.Routes() {
		if r.Key != w.key && r.leaveOut(leave) {
			if err := w.put.SetRoute(r); err != nil {
				return nil, err
			}
		}
	}
	for is := range w.doc.Windows() {
		if is.leaveOut(leave) {
			if err := w.put.SetWindow(is); err != nil {
				return nil, err
			}
		}
	}
	return lost, nil
}

// leaveOut hands the exceptions of the parts of a route to leave, and reports whether one changed.
func (r *Route) leaveOut(leave func(Key, *[]Key) bool) bool {
	changed := false
	if r.Gate != nil {
		is := *r.Gate
		changed = leave(r.Key, &is.Except)
		r.Gate = &is
	}
	if r.Standing == nil {
		return changed
	}
	is := *r.Standing
	here := leave(r.Key, &is.Except)
	is.Opened = slices.DeleteFunc(slices.Clone(is.Opened), func(k Key) bool { return !slices.Contains(is.Except, k) })
	r.Standing = &is
	return changed || here
}

func (w *Window) leaveOut(leave func(Key, *[]Key) bool) bool {
	changed := leave(w.Target.Key, &w.Except)
	w.Occurrences = slices.Clone(w.Occurrences)
	for i := range w.Occurrences {
		changed = leave(w.Target.Key, &w.Occurrences[i].Except) || changed
	}
	return changed
}

// exposedBy are the known keys, the forgotten one first of all, that some part leaves alone no more.
func (w *deed) exposedBy(lost []exceptions) []string {
	if len(lost) == 0 {
		return nil
	}
	keys := []Key{w.key}
	for _, r := range w.doc.inside(w.key) {
		keys = append(keys, r.Key)
	}
	exposed := slices.DeleteFunc(keys, func(k Key) bool {
		return !slices.ContainsFunc(lost, func(l exceptions) bool {
			return liftedBy(l.before, k, k) && !liftedBy(l.after, k, k)
		})
	})
	return w.doc.shownAll(exposed)
}
