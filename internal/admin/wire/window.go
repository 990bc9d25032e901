package wire

import "time"

// NewWindow is the body of POST /api/windows: a span (start, and end or for), or a recurrence (every and at, rrule, or
// cron; and for or to).
type NewWindow struct {
	// Path is a route key, or the sentinel path of a switch: __global__ or __waygate:svc_global:NAME__.
	Path string `json:"path" maxLength:"2200" doc:"A route key, __global__ or __waygate:svc_global:NAME__"`
	// Start and End are times: RFC 3339, a wall time in Timezone where they have no zone, or a duration from now.
	Start string `json:"start,omitempty" minLength:"1" doc:"When it begins, or the first of a recurrence; default now" example:"2026-12-06T02:00"`
	End   string `json:"end,omitempty" minLength:"1" doc:"When it ends"`
	For   string `json:"for,omitempty" minLength:"1" doc:"How long it lasts, in elapsed time, instead of an end" example:"2h"`
	// Timezone is the IANA zone of all wall times; empty is UTC.
	Timezone string `json:"timezone,omitempty" maxLength:"100" example:"Europe/Berlin"`
	Every    string `json:"every,omitempty" maxLength:"200" doc:"day, weekday, weekend, sunday, monday,thursday, first sunday, last friday, month, hour"`
	At       string `json:"at,omitempty" maxLength:"8" doc:"The wall time of day at which an occurrence begins" example:"02:00"`
	To       string `json:"to,omitempty" maxLength:"8" doc:"The wall time of day at which an occurrence ends, instead of for" example:"04:00"`
	RRule    string `json:"rrule,omitempty" maxLength:"1000" doc:"RFC 5545, without DTSTART" example:"FREQ=WEEKLY;BYDAY=SU"`
	Cron     string `json:"cron,omitempty" maxLength:"200" doc:"Five fields: when an occurrence begins" example:"0 2 * * 0"`

	Effect string   `json:"effect,omitempty" enum:"maintenance,disabled,read_only,gone" doc:"Default maintenance"`
	Reason string   `json:"reason,omitempty" maxLength:"1000"`
	Ticket string   `json:"ticket,omitempty" maxLength:"2000" doc:"A link to where the work is planned"`
	Except []string `json:"except,omitempty" maxItems:"1000" doc:"Keys that the window leaves alone"`
	// IncludeForceActive makes a window of a switch hold for protected routes too.
	IncludeForceActive bool `json:"include_force_active,omitempty"`
}

// WindowChange is the body of PATCH /api/windows/{id}. What is absent stays.
type WindowChange struct {
	// Occurrence is the start of the one whose times change; default the one that runs, else the next.
	Occurrence string  `json:"occurrence,omitempty" minLength:"1"`
	Start      string  `json:"start,omitempty" minLength:"1" doc:"Of a window to come that does not recur"`
	End        string  `json:"end,omitempty" minLength:"1" doc:"A time, a wall time in timezone, or a duration from now"`
	By         string  `json:"by,omitempty" minLength:"1" doc:"Moves the end by so much; a leading - shortens" example:"30m"`
	Timezone   string  `json:"timezone,omitempty" maxLength:"100" doc:"Of wall times; default that of the window"`
	Reason     *string `json:"reason,omitempty" maxLength:"1000"`
	Ticket     *string `json:"ticket,omitempty" maxLength:"2000"`
}

// WindowDetail is everything about one window: a timed part of a key or a switch.
type WindowDetail struct {
	ID      string  `json:"id"`
	Path    string  `json:"path" doc:"A route key, __global__ or __waygate:svc_global:NAME__"`
	Service *string `json:"service"`
	// Start and End are those of the occurrence that runs, else of the next, else of the last.
	Start  time.Time  `json:"start"`
	End    *time.Time `json:"end" doc:"Null: it has no end"`
	State  string     `json:"state" enum:"pending,active,ended"`
	Effect string     `json:"effect" enum:"maintenance,disabled,read_only,gone"`
	Reason string     `json:"reason"`
	Ticket string     `json:"ticket,omitempty"`
	Origin string     `json:"origin" enum:"window,until" doc:"until: only an end was sent; cancelling a schedule spares it"`
	Except []string   `json:"except" nullable:"false"`

	IncludeForceActive bool   `json:"include_force_active"`
	Timezone           string `json:"timezone" doc:"Empty is UTC"`
	// Recurrence is null for a window that does not recur.
	Recurrence *Recurrence `json:"recurrence"`
	// Occurrences are those that run and, of the later ones, the first that are known.
	Occurrences []Occurrence `json:"occurrences" nullable:"false"`
	By          string       `json:"by,omitempty"`
	At          *time.Time   `json:"at,omitempty"`
	Made        *time.Time   `json:"made_at,omitempty"`
	Place
}

// Recurrence says when a window recurs, in wall time of its zone.
type Recurrence struct {
	Rule        string     `json:"rule" doc:"RRULE:… or CRON:…"`
	First       string     `json:"first" doc:"The wall time that the rule counts from"`
	For         string     `json:"for,omitempty" doc:"How long an occurrence lasts, in elapsed time"`
	To          string     `json:"to,omitempty" doc:"The wall time of day at which one ends"`
	Description string     `json:"description" doc:"The rule in words" example:"every Sunday at 02:00 for 2h, Europe/Berlin"`
	Through     *time.Time `json:"through" doc:"Up to when the occurrences are known; null when there are no later ones"`
}

// Occurrence is one span of a window.
type Occurrence struct {
	Start  time.Time  `json:"start"`
	End    *time.Time `json:"end"`
	State  string     `json:"state" enum:"pending,active,ended"`
	Except []string   `json:"except,omitempty" doc:"Keys left alone by this one besides those of the window"`
}

// ChangedWindow answers a change of a window: the window, null where it is gone, and the state that came of it of the
// route or the switch that it is on.
type ChangedWindow struct {
	Place
	Changed   bool          `json:"changed"`
	Duplicate bool          `json:"duplicate,omitempty"`
	Window    *WindowDetail `json:"window"`
	ChangeResult
}

// CalendarEntry is one occurrence in a calendar.
type CalendarEntry struct {
	Window   string     `json:"window" doc:"The id of the window"`
	Path     string     `json:"path"`
	Service  *string    `json:"service"`
	Start    time.Time  `json:"start"`
	End      *time.Time `json:"end"`
	State    string     `json:"state" enum:"pending,active,ended"`
	Effect   string     `json:"effect"`
	Reason   string     `json:"reason"`
	Ticket   string     `json:"ticket,omitempty"`
	Origin   string     `json:"origin"`
	Recurs   bool       `json:"recurs"`
	Timezone string     `json:"timezone"`
}
