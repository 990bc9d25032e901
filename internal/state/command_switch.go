package state

import "time"

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
	speaker, on := x.doc.switchOn(t.target, x.by.At)
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
		return t.shut()
	case VerbDisable:
		if !on {
			return nil
		}
		return t.open()
	case VerbExempt:
		return t.exempt(on)
	case VerbAddWindow:
		return t.addWindow()
	default:
		return Invalid("action", "%q cannot be done to a switch: one of enable, disable, exempt, add_window", t.cmd.Verb)
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
func (t *turning) shut() error {
	if !t.cmd.Start.IsZero() {
		return Invalid("start", "an enable shuts at once, until an end or until it is disabled: add a window to shut it later")
	}
	if err := checkSpan(t.cmd.Start, t.cmd.End, t.by.At); err != nil {
		return err
	}
	was := t.is
	t.takeExemptions(t.enabled())
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
	t.out.OpenInside = t.openInside(t.exempted(), t.is.IncludeProtected)
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
		Origin: OriginUntil, Made: t.by.At, By: t.by.Actor, At: t.by.At,
	}
	if same, ok := t.sameWindow(&is); ok {
		t.out.WindowID = same.ID
		return false, nil
	}
	is.ID = t.newID()
	t.out.WindowID = is.ID
	return true, t.put.SetWindow(is)
}

// enabled reports whether an enable is in force, rather than a scheduled window alone.
func (t *turning) enabled() bool {
	if t.is.Standing != nil {
		return true
	}
	for w := range t.doc.WindowsOn(t.target) {
		if _, ok := w.Running(t.by.At); ok && !w.scheduled() {
			return true
		}
	}
	return false
}

// giveReason gives the reason of the enable to all parts that enables made: they have one reason.
func (t *turning) giveReason() (changed bool, err error) {
	if b := t.is.Standing; b != nil && b.Reason != t.cmd.Reason {
		is := *b
		is.Reason = t.cmd.Reason
		t.is.Standing, changed = &is, true
	}
	for w := range t.doc.WindowsOn(t.target) {
		if _, ok := w.Running(t.by.At); !ok || w.scheduled() || w.Reason == t.cmd.Reason {
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

// open ends what is in force, and clears its exemptions.
func (t *turning) open() error {
	t.is.Standing, t.is.Exempt, t.is.IncludeProtected = nil, nil, false
	if t.is.Spent {
		t.is.Staged, t.is.Spent = nil, false
	}
	for w := range t.doc.WindowsOn(t.target) {
		if _, ok := w.Running(t.by.At); !ok {
			continue
		}
		if err := t.put.endOccurrence(w, t.by.At); err != nil {
			return err
		}
	}
	_, t.action = t.onOff()
	return nil
}

// replaced tells whose switch this was, when it was somebody else's: whoever shut it last.
func (t *turning) replaced(speaker restraint) *Replaced {
	owner := speaker
	for p := range t.doc.switchParts(t.target, t.by.At) {
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
		Before: onStatus(wasOn), Until: t.until, Window: t.out.WindowID,
	})
	if err != nil {
		return err
	}
	_, isOn := t.doc.switchOn(t.target, t.by.At)
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
