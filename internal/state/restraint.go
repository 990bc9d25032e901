package state

import (
	"cmp"
	"iter"
	"time"
)

// restraint is one part of a key or a switch that refuses requests while it is in force.
type restraint struct {
	status Status
	effect Effect // empty for a gate
	reason string
	envs   []string // of a gate
	window string   // id of a timed part
	origin WindowOrigin
	start  time.Time // of a timed part
	end    time.Time // zero: none
	except []Key
	// include says that it holds for protected routes too; only parts of switches do.
	include bool
	by      string
	at      time.Time
}

// strictness of the statuses: the higher one speaks.
func (s Status) rank() int {
	switch s {
	case Disabled:
		return 4
	case Maintenance:
		return 3
	case EnvGated:
		return 2
	case Deprecated:
		return 1
	default:
		return 0
	}
}

// restraintsOn yields the gate, the standing part and the timed parts of a route that are in force at now.
func (d *Document) restraintsOn(r *Route, now time.Time) iter.Seq[restraint] {
	return func(yield func(restraint) bool) {
		if g := r.Gate; g != nil && !yield(restraint{status: EnvGated, reason: g.Reason, envs: g.Envs, except: g.Except}) {
			return
		}
		if b := r.Standing; b != nil && !yield(b.restraint()) {
			return
		}
		for w := range d.WindowsOn(Target{Key: r.Key}) {
			for o := range w.inForce(now) {
				if !yield(w.restraint(o)) {
					return
				}
			}
		}
	}
}

func (b *Block) restraint() restraint {
	return restraint{status: b.Effect.Status(), effect: b.Effect, reason: b.Reason, except: b.Except, by: b.By, at: b.At}
}

// restraint is the window in one of its occurrences.
func (w *Window) restraint(o Occurrence) restraint {
	except := w.Except
	if len(o.Except) > 0 {
		except = append(append([]Key{}, except...), o.Except...)
	}
	return restraint{
		status: w.Effect.Status(), effect: w.Effect, reason: w.Reason, window: w.ID, origin: w.Origin,
		start: o.Start, end: o.End, except: except, include: w.IncludeProtected, by: w.By, at: w.At,
	}
}

// blocks reports whether the part, of the key owner, refuses some request of k, which shares requests with it.
func (r *restraint) blocks(k, owner Key) bool {
	return r.effect.shuts(k.Method) && r.effect.shuts(owner.Method) && !liftedBy(r.except, k, owner)
}

// laterEnd compares ends: no end is the last.
func laterEnd(a, b time.Time) int {
	switch {
	case a.IsZero() || b.IsZero():
		return cmp.Compare(boolInt(a.IsZero()), boolInt(b.IsZero()))
	default:
		return a.Compare(b)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// speaksBefore reports whether r, a part of the key rk, is heard rather than s, a part of sk: the stricter one, then
// the one that ends last, then the lower key, then the standing part and the earlier window.
func (r *restraint) speaksBefore(rk Key, s *restraint, sk Key) bool {
	return cmp.Or(
		cmp.Compare(r.status.rank(), s.status.rank()),
		laterEnd(r.end, s.end),
		compareKeys(sk, rk),
		cmp.Compare(s.window, r.window),
	) > 0
}
