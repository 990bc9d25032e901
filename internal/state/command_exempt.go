package state

import "slices"

// takeExemptions replaces the exemptions: by those that the enable names, else by the staged ones. Repeating an enable
// that took the staged ones takes them again; once it is over they are spent.
func (t *turning) takeExemptions(on bool) {
	if len(t.cmd.Exempt) > 0 {
		t.is.Exempt, t.is.Staged, t.is.Spent = onceEach(t.cmd.Exempt), nil, false
		return
	}
	if t.is.Spent && !on {
		t.is.Staged = nil
	}
	t.is.Exempt = t.is.Staged
	t.is.Spent = len(t.is.Staged) > 0
}

// exempt changes the exemptions in force, those of the enable and those of the windows that run; while the switch is
// off, those staged for the next enable.
func (t *turning) exempt(on bool) error {
	if !on {
		if is := t.amended(t.is.pending()); !sameExemptions(t.is.pending(), is) {
			t.is.Staged, t.is.Spent, t.action = is, false, ActionExempt
		}
		return nil
	}
	if is := t.amended(t.is.Exempt); t.enabled() && !sameExemptions(t.is.Exempt, is) {
		t.is.Exempt, t.action = is, ActionExempt
	}
	for w := range t.doc.WindowsOn(t.target) {
		if _, ok := w.Running(t.by.At); !ok || !w.scheduled() {
			continue
		}
		if err := t.exemptIn(w); err != nil {
			return err
		}
	}
	return nil
}

// amended is a list of exemptions as the command leaves it.
func (t *turning) amended(was []Exemption) []Exemption {
	is := slices.DeleteFunc(slices.Clone(was), func(e Exemption) bool {
		return slices.ContainsFunc(t.cmd.Remove, func(gone Exemption) bool { return gone.Key == e.Key })
	})
	return onceEach(append(is, t.cmd.Add...))
}

// exemptIn changes the exceptions of a window that runs: where it recurs, those of the running occurrence.
func (t *turning) exemptIn(w Window) error {
	changed := false
	amend := func(list *[]Key, except []Key) {
		is := less(*list, keysOf(t.cmd.Remove))
		for _, k := range keysOf(t.cmd.Add) {
			if !slices.Contains(is, k) && !slices.Contains(except, k) {
				is = append(is, k)
			}
		}
		if !sameKeys(*list, is) {
			*list, changed = is, true
		}
	}
	if w.Recurs == nil {
		amend(&w.Except, nil)
	} else {
		for _, e := range t.cmd.Remove {
			if slices.Contains(w.Except, e.Key) {
				return Invalid("remove", "%s is an exception of every occurrence of window %s: make the window anew without it", e.Key, w.ID)
			}
		}
		w.changeOccurrences(func(o *Occurrence) bool {
			if o.contains(t.by.At) {
				amend(&o.Except, w.Except)
			}
			return true
		})
	}
	if !changed {
		return nil
	}
	t.action = ActionExempt
	return t.put.SetWindow(w)
}

// sameKeys reports whether two lists have the same keys, in any order: what is removed and added again stays.
func sameKeys(a, b []Key) bool { return len(less(a, b)) == 0 && len(less(b, a)) == 0 }

func keysOf(list []Exemption) []Key {
	var keys []Key
	for _, e := range list {
		keys = append(keys, e.Key)
	}
	return keys
}

func onceEach(all []Exemption) []Exemption {
	var once []Exemption
	for _, e := range all {
		if !slices.ContainsFunc(once, func(have Exemption) bool { return have.Key == e.Key }) {
			once = append(once, e)
		}
	}
	return once
}

func sameExemptions(a, b []Exemption) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(e Exemption) bool {
		return !slices.ContainsFunc(b, func(other Exemption) bool { return other.Key == e.Key })
	})
}

// openInside tells what stays open while the switch is on: what its part leaves alone, and what is protected.
func (t *turning) openInside(left []string, include bool) []string {
	open := left
	if !include {
		for r := range t.doc.Routes() {
			if r.Protected && (t.target.Global || r.Key.Service == "" || r.Key.Service == t.target.Service) {
				open = append(open, r.shownOr(""))
			}
		}
	}
	slices.Sort(open)
	return slices.Compact(open)
}

// exempted are the exemptions of the switch as they were spelled.
func (t *turning) exempted() []string {
	var all []string
	for _, e := range t.is.Exempt {
		all = append(all, shownOr(e.Shown, e.Key))
	}
	return all
}
