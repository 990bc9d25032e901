package wire

import "time"

// Switch is the global switch or that of one service.
type Switch struct {
	Enabled            bool     `json:"enabled" doc:"Whether it shuts now"`
	Reason             string   `json:"reason"`
	ExemptPaths        []string `json:"exempt_paths" nullable:"false" doc:"Keys that pass while it is on; while it is off, those staged for the next enable"`
	IncludeForceActive bool     `json:"include_force_active" doc:"Whether it holds for protected routes too"`

	Service string     `json:"service,omitempty"`
	Until   *time.Time `json:"until" doc:"When it opens again by itself; null when it has a standing part or is off"`
	Windows []Window   `json:"windows" nullable:"false"`
	By      *string    `json:"updated_by"`
	At      *time.Time `json:"updated_at"`
	// Known is told for services: a key, a switch or an instance names it.
	Known *bool `json:"known,omitempty" doc:"For a service: whether a key, a switch or an instance names it"`
	// Unscoped names the live instances that have no service.
	Unscoped []string `json:"unscoped_instances,omitempty" doc:"Instances without a service: every service's switch shuts them"`
	Place
}

// ChangedSwitch answers a change of a switch.
type ChangedSwitch struct {
	Switch
	Changed   bool      `json:"changed"`
	Replaced  *Replaced `json:"replaced,omitempty" doc:"Whose switch this was"`
	Duplicate bool      `json:"duplicate,omitempty"`
}

// Replaced tells whose switch was touched.
type Replaced struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}
