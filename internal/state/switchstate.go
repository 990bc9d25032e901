package state

import "time"

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
func (s *Snapshot) GlobalState(now time.Time) SwitchState {
	return s.doc.switchState(Target{Global: true}, now)
}

// ServiceState is the state of a service's switch at an instant.
func (s *Snapshot) ServiceState(name string, now time.Time) SwitchState {
	return s.doc.switchState(Target{Service: name}, now)
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
	speaker, on := d.switchOn(t, s, now)
	exempt := s.pending()
	if on {
		exempt = s.Exempt
		st.Enabled, st.Reason, st.Until, st.IncludeForceActive = true, speaker.reason, orNil(speaker.end), s.IncludeProtected
	}
	for _, e := range exempt {
		st.ExemptPaths = append(st.ExemptPaths, shownOr(e.Shown, e.Key))
	}
	return st
}

// pending are the exemptions that wait for the next enable of a switch that is off.
func (s *Switch) pending() []Exemption {
	if s.Spent {
		return nil
	}
	return s.Staged
}
