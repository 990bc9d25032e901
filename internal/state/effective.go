package state

import (
	"slices"
	"time"
)

// effective is the state of a key at an instant: what all keys that contain it make of it together. Switches are not folded in.
type effective struct {
	status Status
	base   Status
	// because is the key whose part speaks; nil when nothing does.
	because *Route
	speaker restraint // of a deprecation: only its status and reason
	// protector is the key whose flag protects; nil for none.
	protector   *Route
	deprecation *Deprecation
	gated       bool
	envs        []string // that every gate admits
}

// effectiveOf folds the parts of all routes around k, which must be those that contain it, by key.
func (d *Document) effectiveOf(k Key, around []Route, now time.Time) effective {
	e := effective{status: Active, base: Active}
	for i := range around {
		r := &around[i]
		if e.protector == nil && r.protects(k) {
			e.protector = r
		}
		if r.Deprecation != nil && e.deprecation == nil {
			e.deprecation, e.base = r.Deprecation, Deprecated
			e.hear(r, restraint{status: Deprecated, reason: r.Deprecation.Reason})
		}
	}
	if e.protector != nil {
		return e
	}
	for i := range around {
		r := &around[i]
		for p := range d.restraintsOn(r, now) {
			if !p.blocks(k, k) {
				continue
			}
			if p.status == EnvGated {
				e.gate(p.envs)
			}
			e.hear(r, p)
		}
	}
	return e
}

func (e *effective) hear(r *Route, p restraint) {
	if e.because == nil || p.speaksBefore(r.Key, &e.speaker, e.because.Key) {
		e.status, e.because, e.speaker = p.status, r, p
	}
}

// gate narrows the environments to those that one more gate admits.
func (e *effective) gate(envs []string) {
	e.base = EnvGated
	if !e.gated {
		e.gated, e.envs = true, envs
		return
	}
	e.envs = slices.DeleteFunc(slices.Clone(e.envs), func(env string) bool { return !slices.Contains(envs, env) })
}

// status is the effective status of a key.
func (d *Document) status(k Key, now time.Time) Status {
	e := d.effectiveOf(k, d.containing(k), now)
	return e.status
}

// protector is the key that protects k: k itself or one that contains it.
func (d *Document) protector(k Key) (Route, bool) {
	for _, r := range d.containing(k) {
		if r.protects(k) {
			return r, true
		}
	}
	return Route{}, false
}

// protects reports whether the flag of a route that contains k holds for k as well: like all that opens, it does not
// look past letter case.
func (r *Route) protects(k Key) bool { return r.Protected && r.Key.lifts(k, k) }
