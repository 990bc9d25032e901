package state

import (
	"slices"
	"time"
)

// SwitchState is the state of the global switch, or of a service's, as clients know it.
type SwitchState struct {
	// Enabled says that the switch shuts now.
	Enabled bool `json:"enabled"`
	// Reason is that of the part that speaks; empty while it is off.
	Reason string `json:"reason"`
	// ExemptPaths pass while it is on; while it is off, they are those staged for the next enable.
	ExemptPaths        []string `json:"exempt_paths"`
	IncludeForceActive bool     `json:"include_force_active"`

	// Service is empty for the global switch.
	Service string `json:"service,omitempty"`
	// Until is when it opens again by itself; nil when it has a standing part or is off.
	Until     *time.Time    `json:"until"`
	Windows   []WindowState `json:"windows"`
	UpdatedBy *string       `json:"updated_by"`
	UpdatedAt *time.Time    `json:"updated_at"`
}

// GlobalState is the state of the global switch at an instant.
func (d *Document) GlobalState(now time.Time) SwitchState {
	return d.switchState(Target{Global: true}, now)
}

// ServiceState is the state of a service's switch at an instant.
func (d *Document) ServiceState(name string, now time.Time) SwitchState {
	return d.switchState(Target{Service: name}, now)
}

// switchAt gives the switch that a target names.
func (d *Document) switchAt(t Target) Switch {
	if t.Global {
		return d.Global()
	}
	return d.Service(t.Service)
}

func (d *Document) switchState(t Target, now time.Time) SwitchState {
	s := d.switchAt(t)
	st := SwitchState{
		ExemptPaths: []string{}, Service: t.Service, Windows: d.windowStates(t, now),
		UpdatedBy: orNil(s.By), UpdatedAt: orNil(s.At),
	}
	exempt := s.pending()
	if speaker, on := d.switchOn(t, now); on {
		st.Enabled, st.Reason, st.Until = true, speaker.reason, orNil(speaker.end)
		exempt = d.exemptNow(t, now)
		for p := range d.switchParts(t, now) {
			st.IncludeForceActive = st.IncludeForceActive || p.include
		}
	}
	for _, e := range exempt {
		st.ExemptPaths = append(st.ExemptPaths, shownOr(e.Shown, e.Key))
	}
	return st
}

// exemptNow are the exemptions that all parts of a switch in force have.
func (d *Document) exemptNow(t Target, now time.Time) []Exemption {
	var all []Exemption
	first := true
	for p := range d.switchParts(t, now) {
		if first {
			first = false
			for _, k := range p.except {
				all = append(all, Exemption{Key: k, Shown: d.shown(k)})
			}
			continue
		}
		all = slices.DeleteFunc(all, func(e Exemption) bool { return !slices.Contains(p.except, e.Key) })
	}
	spelled := d.switchAt(t).Exempt
	for i := range all {
		if j := slices.IndexFunc(spelled, func(e Exemption) bool { return e.Key == all[i].Key }); j >= 0 {
			all[i] = spelled[j]
		}
	}
	return all
}

// pending are the exemptions that wait for the next enable of a switch that is off.
func (s *Switch) pending() []Exemption {
	if s.Spent {
		return nil
	}
	return s.Staged
}
