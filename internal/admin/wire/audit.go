package wire

import "time"

// AuditEntry is one line of the audit. Members that do not apply are null, but reason is always text.
type AuditEntry struct {
	ID        string    `json:"id" format:"uuid"`
	Timestamp time.Time `json:"timestamp"`
	Path      string    `json:"path" doc:"A route key, __global__ or __waygate:svc_global:NAME__"`
	Service   *string   `json:"service"`
	Action    string    `json:"action"`
	Actor     string    `json:"actor"`
	Platform  string    `json:"platform" enum:"cli,dashboard,sdk,api,system"`
	Reason    string    `json:"reason"`
	// PreviousStatus and NewStatus are null or one of the five words.
	PreviousStatus *string `json:"previous_status"`
	NewStatus      *string `json:"new_status"`

	Until *time.Time `json:"until,omitempty" doc:"The end that a timed command carried"`
	Note  string     `json:"note,omitempty" doc:"Says where something was not stored as declared"`
	// Window, ScheduledAt and Late are told of what windows do.
	Window      string     `json:"window,omitempty" doc:"The id of the window that was made, changed or ended, or did something by itself"`
	ScheduledAt *time.Time `json:"scheduled_at,omitempty" doc:"When what a window does by itself happened, or is to; timestamp is when it was recorded"`
	Late        bool       `json:"late,omitempty" doc:"Whether it was recorded more than five seconds after it was due"`
	// Changes are told when they are asked for.
	Changes []FieldChange `json:"changes,omitempty" doc:"With changes=1: what was set, field by field"`
	Place
}

// FieldChange is one field of the document that a commit set.
type FieldChange struct {
	Field  string `json:"field" doc:"g (the global switch), s:SERVICE, r:KEY or w:WINDOW"`
	Before any    `json:"before" doc:"Null where there was nothing; also in entries of releases that did not record it"`
	After  any    `json:"after" doc:"Null where the field was removed"`
}

// RouteChange is one commit that changed what was said of a route.
type RouteChange struct {
	Timestamp time.Time     `json:"timestamp"`
	Action    string        `json:"action"`
	Actor     string        `json:"actor"`
	Platform  string        `json:"platform"`
	Reason    string        `json:"reason"`
	Changes   []FieldChange `json:"changes" nullable:"false" doc:"The route's own field and those of its windows"`
	Place
}

// RestoreBody asks to have a route as it was.
type RestoreBody struct {
	Revision uint64 `json:"revision" doc:"A revision of the present epoch: the route becomes what it was then"`
	Reason   string `json:"reason,omitempty"`
	DryRun   bool   `json:"dry_run,omitempty" doc:"Change nothing and tell what would change"`
}

// Restored answers a restore.
type Restored struct {
	ChangedRoute
	Changes []FieldChange `json:"changes" nullable:"false"`
	DryRun  bool          `json:"dry_run,omitempty"`
}

// TrimBody asks to remove old entries from the log.
type TrimBody struct {
	Before         string `json:"before" doc:"The first revision that stays, or a time: everything from then on stays; a duration such as 90d is so long ago"`
	Head           string `json:"head,omitempty" doc:"The head of the last entry before that, from the archive that holds what goes"`
	WithoutArchive bool   `json:"without_archive,omitempty" doc:"Waives the head: what goes is lost"`
	Reason         string `json:"reason,omitempty"`
	DryRun         bool   `json:"dry_run,omitempty" doc:"Remove nothing and tell what would go"`
}

// Trimmed answers a trim.
type Trimmed struct {
	Before  uint64 `json:"before" doc:"The first revision that stays; stores that remove in portions may keep more"`
	Prev    string `json:"prev" doc:"The head before it"`
	Entries uint64 `json:"entries" doc:"How many go"`
	DryRun  bool   `json:"dry_run,omitempty"`
	Place
}

// NextHeader of an answer of GET /api/audit carries the value of cursor= (or before=) that asks for the entries that follow.
const NextHeader = "X-Waygate-Next"
