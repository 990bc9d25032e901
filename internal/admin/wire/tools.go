package wire

import "time"

// ExplainBody asks what would happen to a request.
type ExplainBody struct {
	Method    string   `json:"method,omitempty" query:"method" doc:"Default GET"`
	Target    string   `json:"target" query:"target" doc:"The path with its query, as a client sends it" example:"/payments?id=1"`
	Service   string   `json:"service,omitempty" query:"service" doc:"The scope; empty: every service's keys count"`
	Env       string   `json:"env,omitempty" query:"env" doc:"The environment; empty: unknown"`
	Overrides []string `json:"overrides,omitempty" query:"overrides" doc:"Values of method override headers"`
	Preflight bool     `json:"preflight,omitempty" query:"preflight" doc:"Whether access-control-request-method is there"`
}

// Explanation is the verdict on a request, as every instance gives it.
type Explanation struct {
	Refused bool   `json:"refused"`
	Cause   string `json:"cause" enum:"none,deprecated,env_gated,maintenance,disabled,unreadable,stale"`
	Status  string `json:"status"`
	// HTTPStatus is what the client gets; 0 when the request passes.
	HTTPStatus int        `json:"http_status"`
	Path       string     `json:"path" doc:"The key or switch that decided; empty when none did"`
	Reason     string     `json:"reason"`
	RetryAt    *time.Time `json:"retry_at"`
	Envs       []string   `json:"allowed_envs,omitempty" doc:"What the refusing gate admits"`
	Sunset     *time.Time `json:"sunset_date,omitempty"`
	Successor  string     `json:"successor_path,omitempty"`
	Place
}

// CopyFormat names the form of a Copy.
const CopyFormat = "waygate/1"

// Copy is a document outside of its store: what GET /api/export gives and POST /api/import takes.
type Copy struct {
	Format     string     `json:"format" enum:"waygate/1"`
	ExportedAt *time.Time `json:"exported_at,omitempty"`
	Revision   uint64     `json:"revision,omitempty"`
	Epoch      string     `json:"epoch,omitempty"`

	Global   *CopiedSwitch           `json:"global,omitempty"`
	Services map[string]CopiedSwitch `json:"services,omitempty"`
	Routes   []CopiedRoute           `json:"routes,omitempty" nullable:"false"`
}

// CopiedRoute is one key with the parts of its state.
type CopiedRoute struct {
	Path        string             `json:"path" maxLength:"2200"`
	Deprecation *CopiedDeprecation `json:"deprecation,omitempty"`
	Gate        *CopiedGate        `json:"gate,omitempty"`
	Standing    *CopiedBlock       `json:"standing,omitempty"`
	Windows     []CopiedWindow     `json:"windows,omitempty"`
	Protected   bool               `json:"protected,omitempty"`
}

// CopiedDeprecation is the deprecation of a key.
type CopiedDeprecation struct {
	Since     time.Time  `json:"since"`
	Sunset    *time.Time `json:"sunset,omitempty"`
	Successor string     `json:"successor,omitempty"`
	Reason    string     `json:"reason,omitempty"`
}

// CopiedGate is the gate of a key. Except absent: as for a new gate.
type CopiedGate struct {
	Envs   []string `json:"envs" nullable:"false"`
	Reason string   `json:"reason,omitempty"`
	Except []string `json:"except,omitempty"`
	// Exact says that Except is the whole list, also when it is empty.
	Exact bool `json:"exact,omitempty"`
}

// CopiedBlock is a block without an end.
type CopiedBlock struct {
	Effect string   `json:"effect,omitempty" enum:"maintenance,disabled"`
	Reason string   `json:"reason,omitempty"`
	Except []string `json:"except,omitempty"`
	Exact  bool     `json:"exact,omitempty" doc:"Whether except is the whole list, also when it is empty"`
}

// CopiedWindow is one timed part. One that recurs has no start and no end of its own.
type CopiedWindow struct {
	Start    *time.Time        `json:"start,omitempty"`
	End      *time.Time        `json:"end,omitempty"`
	Recurs   *CopiedRecurrence `json:"recurs,omitempty"`
	Timezone string            `json:"timezone,omitempty" maxLength:"100" doc:"Of wall times; default UTC"`
	Effect   string            `json:"effect,omitempty" enum:"maintenance,disabled,read_only,gone"`
	Reason   string            `json:"reason,omitempty"`
	Ticket   string            `json:"ticket,omitempty" maxLength:"2000"`
	Origin   string            `json:"origin,omitempty" enum:"window,until"`
	Except   []string          `json:"except,omitempty"`
	Exact    bool              `json:"exact,omitempty"`
	// IncludeForceActive is that of a window with a start on a switch.
	IncludeForceActive bool `json:"include_force_active,omitempty"`
}

// CopiedRecurrence says when a window recurs, and which of its occurrences are not as the rule says.
type CopiedRecurrence struct {
	Rule      string             `json:"rule" maxLength:"1000" example:"RRULE:FREQ=WEEKLY;BYDAY=SU"`
	First     string             `json:"first" doc:"The wall time that the rule counts from" example:"2026-12-06T02:00:00"`
	For       string             `json:"for,omitempty" doc:"How long an occurrence lasts, in elapsed time"`
	To        string             `json:"to,omitempty" doc:"Instead of for: the wall time of day at which one ends"`
	Cancelled []time.Time        `json:"cancelled,omitempty" doc:"The starts of those that are left out"`
	Changed   []CopiedOccurrence `json:"changed,omitempty" doc:"Those that end at another time or leave keys of their own alone"`
}

// CopiedOccurrence is one occurrence that is not as the rule says.
type CopiedOccurrence struct {
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Except []string  `json:"except,omitempty"`
}

// CopiedSwitch is a switch.
type CopiedSwitch struct {
	Standing           *CopiedBlock   `json:"standing,omitempty"`
	Windows            []CopiedWindow `json:"windows,omitempty"`
	ExemptPaths        []string       `json:"exempt_paths,omitempty"`
	IncludeForceActive bool           `json:"include_force_active,omitempty"`
	StagedPaths        []string       `json:"staged_paths,omitempty"`
}

// Imported answers POST /api/import.
type Imported struct {
	Place
	Changed   bool         `json:"changed" doc:"Whether anything changes; with dry_run, whether anything would"`
	DryRun    bool         `json:"dry_run"`
	Duplicate bool         `json:"duplicate,omitempty"`
	Diff      []Difference `json:"diff" nullable:"false"`
}

// Difference is what an import changes about one key or switch.
type Difference struct {
	Path   string  `json:"path"`
	How    string  `json:"how" enum:"added,changed,removed,kept"`
	Before *string `json:"before" doc:"The effective status before; null where there is none"`
	After  *string `json:"after"`
	Note   string  `json:"note,omitempty"`
}

// Doctor answers GET /api/doctor.
type Doctor struct {
	Version    string    `json:"version"`
	Durability string    `json:"durability"`
	Reachable  bool      `json:"store_reachable"`
	RoundTrip  float64   `json:"store_round_trip_ms"`
	ClockAhead float64   `json:"store_clock_ahead_ms" doc:"The store's clock minus the admin's"`
	Now        time.Time `json:"now" doc:"The time that windows are measured by, which is the store's: compare it with your own"`
	Link       string    `json:"link"`
	Alarm      string    `json:"alarm,omitempty"`
	Open       bool      `json:"open" doc:"Whether the server has no users"`
	Strict     bool      `json:"strict_routes"`
	Live       int       `json:"live"`
	Lost       int       `json:"lost"`
	Gone       int       `json:"gone"`
	Behind     []string  `json:"behind" nullable:"false"`
	Checks     uint64    `json:"checks" doc:"Checks answered by all instances since their start: whether any Envoy asks"`
	Findings   []Finding `json:"findings" nullable:"false"`
	Place
}

// Finding is one thing that was looked at.
type Finding struct {
	Level   string `json:"level" enum:"ok,warn,fail"`
	Subject string `json:"subject"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"`
}
