package state

import (
	"fmt"
	"time"
)

// declare carries out register, adopt and import: somebody introduces a key. None of them changes what is said about a
// known key, except that an import adds the parts it lacks; none lifts anything. An unknown key inside a protected one is
// stored as it is declared: its block holds as soon as that protection ends.
func (x *execution) declare(cmd *Command) (Outcome, error) {
	var said Declared
	if cmd.Declared != nil {
		said = *cmd.Declared
	}
	w := x.deedOn(cmd, cmd.Target.Key, cmd.Shown)
	parts, err := said.parts(x.by)
	if err != nil {
		return Outcome{}, err
	}
	if cmd.Reason == "" {
		w.cmd.Reason = said.Reason
	}
	before := x.doc.status(w.key, x.by.At)
	origin, action := declaredBy(cmd.Verb)
	if !w.route.Origin.declared() || !w.named {
		// Who named the key in a command did not declare it; now it is declared, and all else stays as it is.
		w.route.Origin, w.action = origin, action
	}
	if !w.named || cmd.Verb == VerbImport {
		if err := w.add(parts, action); err != nil {
			return Outcome{}, err
		}
	}
	err = w.finish(before)
	return w.out, err
}

func declaredBy(v Verb) (Origin, Action) {
	switch v {
	case VerbAdopt:
		return OriginAdopt, ActionAdopt
	case VerbImport:
		return OriginImport, ActionImport
	default:
		return OriginRegister, ActionRegister
	}
}

// parts are what a declaration says, as parts of a key.
type parts struct {
	deprecation *Deprecation
	gate        *Gate
	standing    *Block
	windows     []Window
	protected   bool
}

// refuses reports whether one of the parts is a block or a gate.
func (p *parts) refuses() bool { return p.gate != nil || p.standing != nil || len(p.windows) > 0 }

// parts reads a declaration.
func (s *Declared) parts(by Author) (parts, error) {
	p := parts{protected: s.Protected}
	if s.Deprecation != nil || s.Gate != nil || s.Standing != nil || len(s.Windows) > 0 {
		p.deprecation, p.gate, p.standing = s.Deprecation, s.Gate, s.Standing
		for _, w := range s.Windows {
			if err := p.addWindow(w, by); err != nil {
				return parts{}, err
			}
		}
		return p, p.check()
	}
	timed := !s.Start.IsZero() || !s.End.IsZero()
	if timed {
		w := Window{Start: s.Start, End: s.End, Effect: EffectMaintenance, Reason: s.Reason}
		if err := p.addWindow(w, by); err != nil {
			return parts{}, err
		}
	}
	switch s.Status {
	case Active, "":
	case Deprecated:
		p.deprecation = &Deprecation{Since: by.At, Sunset: canonicalTime(s.Sunset), Successor: s.Successor, Reason: s.Reason}
	case EnvGated:
		p.gate = &Gate{Envs: s.Envs, Reason: s.Reason}
	case Disabled:
		p.standing = &Block{Effect: EffectDisabled, Reason: s.Reason}
	case Maintenance:
		if !timed {
			p.standing = &Block{Effect: EffectMaintenance, Reason: s.Reason}
		}
	default:
		return parts{}, Invalid("status", "%q is no status: one of active, maintenance, disabled, env_gated, deprecated", s.Status)
	}
	return p, p.check()
}

// addWindow takes a declared window, unless it is over.
func (p *parts) addWindow(w Window, by Author) error {
	if w.Recurs != nil {
		return p.addRecurring(w, by)
	}
	w.Start, w.End = canonicalTime(w.Start), canonicalTime(w.End)
	if w.Origin == "" {
		w.Origin = OriginWindow
		if w.Start.IsZero() {
			w.Origin = OriginUntil
		}
	}
	if w.Start.IsZero() {
		w.Start = by.At
	}
	if !w.End.IsZero() && !w.End.After(w.Start) && w.End.After(by.At) {
		return Invalid("window", "the end %s is not after the start %s", w.End.Format(time.RFC3339), w.Start.Format(time.RFC3339))
	}
	if !w.Over(by.At) {
		p.windows = append(p.windows, w)
	}
	return nil
}

// addRecurring takes a declared window that recurs, with the occurrences that are known.
func (p *parts) addRecurring(w Window, by Author) error {
	if w.Over(by.At) {
		return nil
	}
	w.Origin, w.Through = OriginWindow, canonicalTime(w.Through)
	if err := w.plan(by.At); err != nil {
		return err
	}
	p.windows = append(p.windows, w)
	return nil
}

// check refuses parts that no command could have made.
func (p *parts) check() error {
	if p.standing != nil && !p.standing.Effect.valid() {
		return Invalid("effect", "%q is no effect of a block", p.standing.Effect)
	}
	for _, w := range p.windows {
		if !w.Effect.valid() || w.Origin != OriginWindow && w.Origin != OriginUntil {
			return Invalid("window", "a window has an effect (maintenance, disabled, read_only, gone) and an origin (window, until)")
		}
		if hasControl(w.Ticket) {
			return Invalid("ticket", "%q cannot be a link: it holds control characters", w.Ticket)
		}
	}
	if p.deprecation != nil && hasControl(p.deprecation.Successor) {
		return Invalid("successor", "%q cannot name a successor: it holds control characters", p.deprecation.Successor)
	}
	if p.gate == nil {
		return nil
	}
	envs, err := checkEnvs(p.gate.Envs)
	is := *p.gate
	is.Envs = append([]string{}, envs...)
	p.gate = &is
	return err
}

// add gives the key those of the parts that it lacks.
func (w *deed) add(p parts, action Action) error {
	lacking := w.lacking(p)
	if w.named && (lacking.refuses() || lacking.deprecation != nil) {
		if err := w.refuseProtected(w.key, w.out.Shown); err != nil {
			return err
		}
	}
	w.addFlag(p, action)
	if lacking.deprecation != nil {
		w.route.Deprecation, w.action = lacking.deprecation, action
	}
	if lacking.gate != nil {
		w.route.Gate, w.action = w.begun(lacking.gate), action
	}
	if b := lacking.standing; b != nil {
		w.route.Standing, w.action = w.begunBlock(b), action
	}
	for _, is := range lacking.windows {
		if err := w.importWindow(is); err != nil {
			return err
		}
		w.action = action
	}
	if w.action == "" {
		w.note = "" // nothing was stored that it could explain
	}
	return nil
}

// addFlag protects the key if it was declared so and nothing blocks it.
func (w *deed) addFlag(p parts, action Action) {
	if !p.protected || w.route.Protected {
		return
	}
	if by := w.blockedBy(p); by != "" {
		w.note = fmt.Sprintf("declared protected (force_active), stored unprotected: %s blocks it", by)
		return
	}
	w.route.Protected, w.action = true, action
}

func (w *deed) importWindow(is Window) error {
	if !is.Effect.shuts(w.key.Method) {
		return Invalid("effect", "a %s request changes nothing: read_only would refuse none", w.key.Method)
	}
	if is.Except == nil {
		is.Except = w.knownInside()
	}
	if is.By == "" {
		is.By, is.At = w.by.Actor, w.by.At
	}
	is.ID, is.Made = w.newID(), w.by.At
	w.out.OpenInside = w.openInside(is.Except)
	return w.put.SetWindow(is)
}

// lacking are the parts that the key does not have yet.
func (w *deed) lacking(p parts) parts {
	if w.route.Deprecation != nil {
		p.deprecation = nil
	}
	if w.route.Gate != nil {
		p.gate = nil
	}
	if w.route.Standing != nil {
		p.standing = nil
	}
	all := p.windows
	p.windows = nil
	for _, is := range all {
		is.Target = Target{Key: w.key}
		if _, ok := w.sameWindow(&is); !ok {
			p.windows = append(p.windows, is)
		}
	}
	return p
}

// begun is a declared gate with the exceptions that every new gate on a template has.
func (w *deed) begun(g *Gate) *Gate {
	is := *g
	if is.Except == nil {
		is.Except = w.knownInside()
	}
	w.out.OpenInside = w.openInside(is.Except)
	return &is
}

func (w *deed) begunBlock(b *Block) *Block {
	is := *b
	is.Before = nil
	if is.Except == nil {
		is.Except = w.knownInside()
	}
	if is.By == "" {
		is.By, is.At = w.by.Actor, w.by.At
	}
	w.out.OpenInside = w.openInside(is.Except)
	return &is
}

// blockedBy names what blocks the key, or will: it cannot be protected by being declared so. Empty when nothing does.
func (w *deed) blockedBy(p parts) string {
	if p.refuses() {
		return "its own declaration"
	}
	if still := w.doc.Still(w.key, w.by.At); len(still) > 0 {
		return fmt.Sprintf("%s (%s)", still[0].Path, still[0].Status)
	}
	if next := w.doc.Next(w.key, w.by.At); !next.IsZero() {
		return "a window that begins at " + next.Format(time.RFC3339)
	}
	// A window that recurs may have no occurrence yet that is known.
	for _, r := range w.doc.containing(w.key) {
		for is := range w.doc.WindowsOn(Target{Key: r.Key}) {
			if is.Recurs != nil && !is.Finished && !liftedBy(is.Except, w.key, w.key) {
				return "a window that recurs on " + r.shownOr("")
			}
		}
	}
	return ""
}
