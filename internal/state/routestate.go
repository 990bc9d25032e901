package state

import (
	"cmp"
	"slices"
	"time"
)

// RouteState is the state of one key as clients know it. Its first twelve members are always present and never change
// their meaning; arrays and the reason are never null.
type RouteState struct {
	// Path is the key as it was first spelled; the canonical text of a key that nobody named.
	Path string `json:"path"`
	// Service is nil for a key of every service.
	Service *string `json:"service"`
	// Status is the effective status: the key's own and that of every key that contains it. Switches are not in it.
	Status Status `json:"status"`
	// Reason is that of the part that speaks.
	Reason string `json:"reason"`
	// AllowedEnvs are the environments that every gate on the key admits; empty without a gate.
	AllowedEnvs  []string `json:"allowed_envs"`
	AllowedRoles []string `json:"allowed_roles"`
	AllowedIPs   []string `json:"allowed_ips"`
	// Window is the running window that ends last, else the next pending one; nil unless both its ends are known.
	Window            *Span      `json:"window"`
	SunsetDate        *time.Time `json:"sunset_date"`
	SuccessorPath     *string    `json:"successor_path"`
	RolloutPercentage int        `json:"rollout_percentage"`
	// ForceActive says that the key, or one that contains it, is protected.
	ForceActive bool `json:"force_active"`

	// BaseStatus is what is there when every block has ended: active, deprecated or env_gated.
	BaseStatus Status `json:"base_status"`
	// Effect is finer than Status; empty while nothing blocks.
	Effect Effect `json:"effect,omitempty"`
	// Windows are the timed parts of exactly this key, running and pending, by their start.
	Windows []WindowState `json:"windows"`
	// Until is the end of the part that speaks; nil when it has none or nothing blocks.
	Until *time.Time `json:"until"`
	// Known says that somebody declared the key or named it in a command; a set is known when a key inside it is.
	Known bool `json:"known"`
	// Set says that the key contains other keys.
	Set bool `json:"set"`
	// Because is the key that speaks, as shown; empty when none does.
	Because   string     `json:"because,omitempty"`
	UpdatedBy *string    `json:"updated_by"`
	UpdatedAt *time.Time `json:"updated_at"`
}

// Span is a window as clients in the field know it.
type Span struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Reason string    `json:"reason"`
}

// WindowState is one timed part of a key or a switch that is in force or still to come. Of a recurring one it is the
// running occurrence, else the next.
type WindowState struct {
	ID    string    `json:"id"`
	Start time.Time `json:"start"`
	// End is nil where there is none.
	End    *time.Time   `json:"end"`
	Effect Effect       `json:"effect"`
	Reason string       `json:"reason"`
	Origin WindowOrigin `json:"origin"`
	Phase  Phase        `json:"state"`
	By     string       `json:"by,omitempty"`
	Ticket string       `json:"ticket,omitempty"`
	// Recurs says that there is more of it than this occurrence.
	Recurs bool `json:"recurs,omitempty"`
}

// Phase says where an instant lies in a window.
type Phase string

// The phases of a window.
const (
	PhasePending Phase = "pending"
	PhaseActive  Phase = "active"
	PhaseEnded   Phase = "ended"
)

// State is the state of a key at an instant. A key that nobody named has one too: active, or what the keys that
// contain it make of it.
func (d *Document) State(k Key, now time.Time) RouteState {
	st := d.stateOf(k, d.containing(k), now)
	st.Known = st.Known || d.Knows(k)
	return st
}

// States are the states of all known keys for which keep is true (nil: all), by key.
func (d *Document) States(now time.Time, keep func(Key) bool) []RouteState {
	type entry struct {
		key  Key
		text string
	}
	var all []entry
	for r := range d.Routes() {
		if keep == nil || keep(r.Key) {
			all = append(all, entry{r.Key, r.Key.String()})
		}
	}
	slices.SortFunc(all, func(a, b entry) int { return cmp.Compare(a.text, b.text) })
	speakers := d.speakers()
	states := make([]RouteState, len(all))
	for i, e := range all {
		states[i] = d.stateOf(e.key, speakers.containing(e.key), now)
	}
	return states
}

// stateOf tells the state of k, given the routes whose key contains it.
func (d *Document) stateOf(k Key, around []Route, now time.Time) RouteState {
	e := d.effectiveOf(k, around, now)
	own, known := d.Route(k)
	st := RouteState{
		Path: shownOr(own.Shown, k), Status: e.status, Reason: e.speaker.reason, RolloutPercentage: 100,
		AllowedEnvs: append([]string{}, e.envs...), AllowedRoles: []string{}, AllowedIPs: []string{},
		ForceActive: e.protector != nil, BaseStatus: e.base, Effect: e.speaker.effect,
		Windows: d.windowStates(Target{Key: k}, now), Until: orNil(e.speaker.end), Known: known, Set: k.IsSet(),
		UpdatedBy: orNil(own.By), UpdatedAt: orNil(own.At), Service: orNil(k.Service),
	}
	if e.deprecation != nil {
		st.SunsetDate, st.SuccessorPath = orNil(e.deprecation.Sunset), orNil(e.deprecation.Successor)
	}
	if e.because != nil {
		st.Because = e.because.shownOr("")
	}
	if e.protector == nil {
		st.Window = d.windowOf(k, around, now)
	}
	return st
}

// windowOf picks the window to show of all those on keys that contain k.
func (d *Document) windowOf(k Key, around []Route, now time.Time) *Span {
	var running, pending *restraint
	for i := range around {
		for w := range d.WindowsOn(Target{Key: around[i].Key}) {
			for o := range w.inForce(now) {
				running = latest(running, w.restraint(o), k)
			}
			if o, ok := w.upcoming(now); ok {
				pending = soonest(pending, w.restraint(o), k)
			}
		}
	}
	is := cmp.Or(running, pending)
	if is == nil || is.end.IsZero() {
		return nil
	}
	return &Span{Start: is.start, End: is.end, Reason: is.reason}
}

// latest is the one that ends last, of those that refuse some request of k.
func latest(have *restraint, p restraint, k Key) *restraint {
	if !p.blocks(k, k) || have != nil && laterEnd(p.end, have.end) <= 0 {
		return have
	}
	return &p
}

// soonest is the one that begins first, of those that refuse some request of k.
func soonest(have *restraint, p restraint, k Key) *restraint {
	if !p.blocks(k, k) || have != nil && !p.start.Before(have.start) {
		return have
	}
	return &p
}

// windowStates are the timed parts of a target that are in force or still to come, by start and id.
func (d *Document) windowStates(t Target, now time.Time) []WindowState {
	states := []WindowState{}
	for w := range d.WindowsOn(t) {
		phase := PhaseActive
		o, ok := w.Running(now)
		if !ok {
			phase = PhasePending
			o, ok = w.upcoming(now)
		}
		if ok {
			states = append(states, WindowState{
				ID: w.ID, Start: o.Start, End: orNil(o.End), Effect: w.Effect, Reason: w.Reason,
				Origin: w.Origin, Phase: phase, By: w.By, Ticket: w.Ticket, Recurs: w.Recurs != nil,
			})
		}
	}
	slices.SortFunc(states, func(a, b WindowState) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return states
}

// orNil is a pointer to v, nil for its zero value.
func orNil[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
