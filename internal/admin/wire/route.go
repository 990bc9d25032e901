package wire

import "time"

// Route is the state of one route key. Its first twelve members are always present and never change their meaning;
// the others may grow.
type Route struct {
	Path string `json:"path" doc:"The route key as it was first spelled" example:"GET:/payments"`
	// Service is null for a key of every service.
	Service *string `json:"service" doc:"The service that the key is of; null for every service"`
	Status  string  `json:"status" enum:"active,maintenance,disabled,env_gated,deprecated" doc:"The effective status now, with that of every key that contains it; switches are not folded in"`
	Reason  string  `json:"reason"`
	// AllowedEnvs are the environments that the key's gate admits; empty without a gate.
	AllowedEnvs  []string `json:"allowed_envs" nullable:"false"`
	AllowedRoles []string `json:"allowed_roles" nullable:"false" doc:"Reserved, always empty"`
	AllowedIPs   []string `json:"allowed_ips" nullable:"false" doc:"Reserved, always empty"`
	// Window is the running window that ends last, else the next pending one; null unless both ends are known.
	Window            *Span      `json:"window"`
	SunsetDate        *time.Time `json:"sunset_date" doc:"When a deprecated route will end"`
	SuccessorPath     *string    `json:"successor_path"`
	RolloutPercentage int        `json:"rollout_percentage" doc:"Reserved, always 100"`
	ForceActive       bool       `json:"force_active" doc:"Whether the key, or one that contains it, is protected"`

	BaseStatus string `json:"base_status" doc:"What is there when every block has ended" enum:"active,env_gated,deprecated"`
	// Effect is finer than Status; empty while nothing blocks.
	Effect  string     `json:"effect,omitempty"`
	Windows []Window   `json:"windows" nullable:"false" doc:"The timed parts of exactly this key, running and pending"`
	Until   *time.Time `json:"until" doc:"The end of what blocks now; null when it has none or nothing blocks"`
	Because string     `json:"because,omitempty" doc:"The key that decided, where it is not this one"`
	Known   bool       `json:"known" doc:"Whether anybody declared the key, named it in a command, or was seen to use it"`
	Set     bool       `json:"set" doc:"Whether the key contains other keys"`
	By      *string    `json:"updated_by"`
	At      *time.Time `json:"updated_at"`
	Place
}

// Place says at which revision something was true.
type Place struct {
	Revision uint64 `json:"revision" doc:"Rises by one with every commit"`
	Epoch    string `json:"epoch" doc:"Names one history; a repaired store has a new one"`
}

// Told reports whether the answer that the place stands in told it. One that did not is none of an admin.
func (p Place) Told() bool { return p.Epoch != "" }

// Span is a window as clients in the field know it.
type Span struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Reason string    `json:"reason"`
}

// Window is one timed part of a key or a switch.
type Window struct {
	ID     string     `json:"id"`
	Start  time.Time  `json:"start"`
	End    *time.Time `json:"end" doc:"Null: it has no end"`
	Effect string     `json:"effect" enum:"maintenance,disabled,read_only,gone"`
	Reason string     `json:"reason"`
	Origin string     `json:"origin" enum:"window,until" doc:"until: only an end was sent; cancelling a schedule spares it"`
	State  string     `json:"state" enum:"pending,active"`
	By     string     `json:"by,omitempty"`
	Ticket string     `json:"ticket,omitempty" doc:"A link to where the work is planned"`
	Recurs bool       `json:"recurs,omitempty" doc:"Whether there is more of it than this occurrence: see GET /api/windows/{id}"`
}

// Outcome is what a change of a route did, beside the state that came of it.
type Outcome struct {
	Changed bool `json:"changed" doc:"False when everything was already so"`
	// WindowID names the timed part that the command made or updated.
	WindowID   string     `json:"window_id,omitempty"`
	OpenInside []string   `json:"open_inside,omitempty" doc:"Known routes inside the block that it leaves alone"`
	Reclosed   []string   `json:"reclosed,omitempty" doc:"Keys that were open inside the block and are shut again"`
	Cleared    []string   `json:"cleared,omitempty" doc:"What an enable ended: standing, until, window, gate, deprecation, excepted"`
	Still      []Obstacle `json:"still,omitempty" doc:"What still blocks some request of the key"`
	Next       *time.Time `json:"next,omitempty" doc:"When something pending will block it"`
	Exposed    []string   `json:"exposed,omitempty" doc:"Keys that become blocked because a forgotten key left the exceptions of their block"`
	Narrowed   bool       `json:"narrowed,omitempty" doc:"True where a bare path stood for the one METHOD:path key that exists of it"`
	Note       string     `json:"note,omitempty" doc:"Says where a declaration was not stored as sent"`
	// Duplicate tells that the idempotency key was used before, and nothing was done now.
	Duplicate bool `json:"duplicate,omitempty"`
}

// Obstacle is one thing that blocks some request of a key.
type Obstacle struct {
	Path   string     `json:"path" doc:"A key, or the sentinel path of a switch"`
	Status string     `json:"status"`
	Reason string     `json:"reason"`
	Until  *time.Time `json:"until,omitempty"`
}

// ChangedRoute answers a change of one route.
type ChangedRoute struct {
	Route
	Outcome
}
