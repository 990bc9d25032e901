package state

import (
	"slices"
	"time"
)

// turning is one command being carried out on a switch.
type turning struct {
	*execution
	cmd    *Command
	target Target
	is     Switch // as the command leaves it
	put    Patch
	action Action // what was done; empty while nothing changed
	until  time.Time
	out    Outcome
}

// turn carries out a command on a switch. Enable shuts, disable opens.
func (x *execution) turn(cmd *Command) (Outcome, error) {
	t := &turning{execution: x, cmd: cmd, target: cmd.Target, put: Patch{}}
	name := t.target.Service
	if !t.target.Global {
		if err := CheckService(name); err != nil {
			return Outcome{}, err
		}
	}
	t.is = x.doc.switchAt(t.target)
	t.out = Outcome{Target: t.target, Shown: t.target.String()}
	t.out.Known = t.target.Global || x.doc.KnowsService(name) || x.by.SeenService != nil && x.by.SeenService(name)
	speaker, on := x.doc.switchOn(t.target, t.is, x.by.At)
	if err := t.apply(on); err != nil {
		return Outcome{}, err
	}
	if t.action == "" {
		return t.out, nil
	}
	if t.action != ActionExempt && on {
		t.out.Replaced = t.replaced(speaker)
	}
	err := t.finish(on)
	return t.out, err
}

func (t *turning) apply(on bool) error {
	switch t.cmd.Verb {
	case VerbEnable:
		return t.shut(on)
	case VerbDisable:
		if !on {
			return nil
		}
		return t.open()
	case VerbExempt:
		t.exempt(on)
		return nil
	default:
		return Invalid("action", "%q cannot be done to a switch: one of enable, disable, exempt", t.cmd.Verb)
	}
}

// onOff are the actions of the target's kind.
func (t *turning) onOff() (on, off Action) {
	if t.target.Global {
		return ActionGlobalOn, ActionGlobalOff
	}
	return ActionServiceOn, ActionServiceOff
}

// shut replaces reason, exemptions and flag. With an end it adds a timed part, and a standing one stays; without, it
// sets the standing part.
func (t *turning) shut(on bool) error {
	if !t.cmd.Start.IsZero() {
		return Invalid("start", "a switch cannot be scheduled: it shuts at once, until an end or until it is disabled")
	}
	if err := checkSpan(t.cmd.Start, t.cmd.End, t.by.At); err != nil {
		return err
	}
	was := t.is
	t.takeExemptions(on)
	t.is.IncludeProtected = t.cmd.IncludeProtected
	changed := !sameExemptions(was.Exempt, t.is.Exempt) || was.IncludeProtected != t.is.IncludeProtected ||
		was.Spent != t.is.Spent || len(was.Staged) != len(t.is.Staged)
	part, err := t.addPart(changed)
	if err != nil {
		return err
	}
	reasons, err := t.giveReason()
	if err != nil {
		return err
	}
	if changed || part || reasons {
		t.action, _ = t.onOff()
		t.until = t.cmd.End
	}
	t.out.OpenInside = t.openInside()
	return nil
}

// addPart adds the standing or the timed part that an enable asks for; false when it is there.
func (t *turning) addPart(changed bool) (bool, error) {
	if t.cmd.End.IsZero() {
		if t.is.Standing != nil && t.is.Standing.Reason == t.cmd.Reason && !changed {
			return false, nil
		}
		t.is.Standing = &Block{Effect: EffectMaintenance, Reason: t.cmd.Reason, By: t.by.Actor, At: t.by.At}
		return true, nil
	}
	is := Window{
		Target: t.target, Start: t.by.At, End: t.cmd.End, Effect: EffectMaintenance, Reason: t.cmd.Reason,
		Origin: OriginUntil, By: t.by.Actor, At: t.by.At,
	}
	if same, ok := t.sameWindow(&is); ok {
		t.out.WindowID = same.ID
		return false, nil
	}
	is.ID = t.newID()
	t.out.WindowID = is.ID
	return true, t.put.SetWindow(is)
}

// giveReason gives the reason of the enable to all parts in force: a switch has one reason.
func (t *turning) giveReason() (changed bool, err error) {
	if b := t.is.Standing; b != nil && b.Reason != t.cmd.Reason {
		is := *b
		is.Reason = t.cmd.Reason
		t.is.Standing, changed = &is, true
	}
	for w := range t.doc.WindowsOn(t.target) {
		if _, ok := w.Running(t.by.At); !ok || w.Reason == t.cmd.Reason {
			continue
		}
		w.Reason, changed = t.cmd.Reason, true
		if w.ID == t.out.WindowID {
			w.By, w.At = t.by.Actor, t.by.At
		}
		if err := t.put.SetWindow(w); err != nil {
			return false, err
		}
	}
	return changed, nil
}

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

// open ends what is in force, and clears its exemptions.
func (t *turning) open() error {
	t.is.Standing, t.is.Exempt = nil, nil
	if t.is.Spent {
		t.is.Staged, t.is.Spent = nil, false
	}
	pending := false
	for w := range t.doc.WindowsOn(t.target) {
		if _, ok := w.upcoming(t.by.At); ok {
			pending = true
		}
		if _, ok := w.Running(t.by.At); !ok {
			continue
		}
		if err := t.put.endOccurrence(w, t.by); err != nil {
			return err
		}
	}
	t.is.IncludeProtected = t.is.IncludeProtected && pending
	_, t.action = t.onOff()
	return nil
}

// exempt changes the exemptions in force; while the switch is off, those staged for the next enable.
func (t *turning) exempt(on bool) {
	was := t.is.pending()
	if on {
		was = t.is.Exempt
	}
	is := slices.DeleteFunc(slices.Clone(was), func(e Exemption) bool {
		return slices.ContainsFunc(t.cmd.Remove, func(gone Exemption) bool { return gone.Key == e.Key })
	})
	is = onceEach(append(is, t.cmd.Add...))
	if sameExemptions(was, is) {
		return
	}
	t.action = ActionExempt
	if on {
		t.is.Exempt = is
		return
	}
	t.is.Staged, t.is.Spent = is, false
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

// openInside tells what stays open while the switch is on: its exemptions, and what is protected.
func (t *turning) openInside() []string {
	var open []string
	for _, e := range t.is.Exempt {
		open = append(open, shownOr(e.Shown, e.Key))
	}
	if !t.is.IncludeProtected {
		for r := range t.doc.Routes() {
			if r.Protected && (t.target.Global || r.Key.Service == "" || r.Key.Service == t.target.Service) {
				open = append(open, r.shownOr(""))
			}
		}
	}
	slices.Sort(open)
	return slices.Compact(open)
}

// replaced tells whose switch this was, when it was somebody else's: whoever shut it last.
func (t *turning) replaced(speaker restraint) *Replaced {
	owner := speaker
	for p := range t.doc.switchParts(t.target, t.doc.switchAt(t.target), t.by.At) {
		if p.at.After(owner.at) {
			owner = p
		}
	}
	if owner.by == t.by.Actor {
		return nil
	}
	return &Replaced{Actor: owner.by, Reason: owner.reason, Since: owner.at}
}

// finish makes what changed part of the execution, with its record.
func (t *turning) finish(wasOn bool) error {
	t.is.By, t.is.At = t.by.Actor, t.by.At
	t.sweep(t.target, t.put)
	set := t.put.SetGlobal
	if !t.target.Global {
		set = func(s Switch) error { return t.put.SetService(t.target.Service, s) }
	}
	if err := set(t.is); err != nil {
		return err
	}
	at := len(t.records)
	err := t.commit(t.put, Record{
		Action: t.action, Path: t.target.String(), Service: t.target.Service, Reason: t.cmd.Reason,
		Before: onStatus(wasOn), Until: t.until,
	})
	if err != nil {
		return err
	}
	_, isOn := t.doc.switchOn(t.target, t.is, t.by.At)
	t.records[at].After = onStatus(isOn)
	t.out.Changed, t.out.Action = true, t.action
	return nil
}

func onStatus(on bool) Status {
	if on {
		return Maintenance
	}
	return Active
}

// cancelSwitchWindow ends one window of a switch.
func (x *execution) cancelSwitchWindow(cmd *Command, is Window) (Outcome, error) {
	t := &turning{execution: x, cmd: cmd, target: is.Target, is: x.doc.switchAt(is.Target), put: Patch{}}
	t.out = Outcome{Target: is.Target, Shown: is.Target.String(), Known: true, WindowID: is.ID}
	_, on := x.doc.switchOn(t.target, t.is, x.by.At)
	t.put.DropWindow(is.ID)
	t.action = ActionScheduleCancel
	err := t.finish(on)
	return t.out, err
}
