package state

import (
	"fmt"
	"slices"
	"time"
)

// deed is one command being carried out on one key.
type deed struct {
	*execution
	cmd   *Command
	key   Key
	named bool // the document has the key
	// route is the key's entry as the command leaves it. All else that it changes is in put and in exchanged.
	route  Route
	put    Patch
	forget bool
	// action is what was done; empty while nothing changed.
	action Action
	until  time.Time
	note   string
	out    Outcome
}

// commandRoute carries out a command of a person or a script on a key.
func (x *execution) commandRoute(cmd *Command) (Outcome, error) {
	k, shown, err := x.doc.Resolve(Spelling{Key: cmd.Target.Key, Shown: cmd.Shown, AnyMethod: cmd.AnyMethod})
	if err != nil {
		return Outcome{}, err
	}
	note := ""
	if cmd.Verb == VerbForget && k != cmd.Target.Key {
		// The path itself may have been forgotten a moment ago: said twice, it must not be taken for another key.
		note = "nothing was forgotten: the key is " + shown
		k, shown = cmd.Target.Key, cmd.Shown
	}
	w := x.deedOn(cmd, k, shown)
	w.out.Narrowed, w.out.Note = k != cmd.Target.Key, note
	w.out.Known = w.named || x.by.Seen != nil && x.by.Seen(k) || x.doc.Knows(k)
	if x.by.Strict && !w.out.Known {
		return Outcome{}, fmt.Errorf("%s: %w", w.out.Shown, ErrUnknownKey)
	}
	if cmd.Verb != VerbProtect && cmd.Verb != VerbUnprotect {
		if err := x.refuseProtected(k, w.out.Shown); err != nil {
			return Outcome{}, err
		}
	}
	before := x.doc.status(k, x.by.At)
	if err := w.apply(); err != nil {
		return Outcome{}, err
	}
	if err := w.finish(before); err != nil {
		return Outcome{}, err
	}
	w.answer()
	return w.out, nil
}

// deedOn begins a command on a key.
func (x *execution) deedOn(cmd *Command, k Key, shown string) *deed {
	w := &deed{execution: x, cmd: cmd, key: k, put: Patch{}}
	w.route, w.named = x.doc.Route(k)
	if !w.named {
		w.route = Route{Key: k, Shown: shownOr(shown, k), Origin: OriginCommand}
	}
	w.out = Outcome{Target: Target{Key: k}, Shown: w.route.shownOr(""), Known: w.named}
	return w
}

func (x *execution) refuseProtected(k Key, shown string) error {
	p, ok := x.doc.protector(k)
	switch {
	case !ok:
		return nil
	case p.Key == k:
		return fmt.Errorf("%s: %w; unprotect it first", shown, ErrProtected)
	default:
		return fmt.Errorf("%s: %w by %s; unprotect that first", shown, ErrProtected, p.shownOr(""))
	}
}

// apply does what the verb says to the parts of the key.
func (w *deed) apply() error {
	switch w.cmd.Verb {
	case VerbEnable:
		return w.enable()
	case VerbDisable:
		return w.block(EffectDisabled)
	case VerbMaintenance:
		return w.block(EffectMaintenance)
	case VerbSchedule:
		return w.schedule()
	case VerbCancel:
		return w.cancel()
	case VerbEnv:
		return w.gate()
	case VerbDeprecate:
		return w.deprecate()
	case VerbProtect:
		return w.protect()
	case VerbUnprotect:
		return w.unprotect()
	case VerbForget:
		return w.forgetKey()
	case VerbAddWindow:
		return w.addWindow()
	case VerbRestore:
		return w.restore()
	default:
		return Invalid("action", "%q cannot be done to a route", w.cmd.Verb)
	}
}

// finish makes what changed part of the execution, with its record.
func (w *deed) finish(before Status) error {
	if w.action == "" {
		return nil
	}
	switch w.cmd.Verb {
	case VerbRegister, VerbAdopt, VerbImport, VerbRestore:
	default:
		w.route.Last = w.action
	}
	if !w.named || w.cmd.Verb != VerbRegister {
		w.route.By, w.route.At = w.by.Actor, w.by.At
	}
	w.route.Standing = w.route.Standing.settled(w.by.At)
	w.sweep(Target{Key: w.key}, w.put)
	if w.forget {
		w.put.DropRoute(w.key)
	} else if err := w.put.SetRoute(w.route); err != nil {
		return err
	}
	at := len(w.records)
	err := w.commit(w.put, Record{
		Action: w.action, Path: w.out.Shown, Service: w.key.Service, Reason: w.cmd.Reason,
		Before: before, Until: w.until, Window: w.out.WindowID, Note: w.note,
	})
	if err != nil {
		return err
	}
	w.records[at].After = w.doc.status(w.key, w.by.At)
	w.out.Changed, w.out.Action = true, w.action
	if w.note != "" {
		w.out.Note = w.note
	}
	return nil
}

// answer tells what only the document after the command knows.
func (w *deed) answer() {
	switch w.cmd.Verb {
	case VerbEnable, VerbForget, VerbRestore:
		over := w.doc.unprotectedOver(w.key)
		w.out.Still, w.out.Next = w.doc.stillOver(over, w.key, w.by.At), w.doc.nextOver(over, w.key, w.by.At)
	}
}

// knownInside are the routes that a block or a gate on a template leaves alone from the start: declared by a service
// or a person, with a more specific path, and reached by some of the same methods and services.
func (w *deed) knownInside() []Key {
	if !w.key.IsTemplate() {
		return nil
	}
	var found []Key
	path := patternOf(w.key.Path)
	for _, r := range w.doc.overlapping(w.key) {
		inner := patternOf(r.Key.Path)
		if r.Origin.declared() && path.contains(inner) && !inner.contains(path) {
			found = append(found, r.Key)
		}
	}
	slices.SortFunc(found, compareKeys)
	return found
}

// declared reports whether a service or a person introduced the key, rather than naming it in a command.
func (o Origin) declared() bool {
	return o == OriginRegister || o == OriginImport || o == OriginAdopt
}

// openInside tells what stays open inside a block: its exceptions, and what is protected.
func (w *deed) openInside(except []Key) []string {
	open := slices.Clone(except)
	for _, r := range w.doc.overlapping(w.key) {
		if r.Protected {
			open = append(open, r.Key)
		}
	}
	return w.doc.shownAll(open)
}
