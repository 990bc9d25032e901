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
	Place
}

// NextHeader of an answer of GET /api/audit carries the value of before= that asks for the entries that follow.
const NextHeader = "X-Waygate-Next"
