package wire

// ReasonBody is the body of commands that take a reason and nothing else.
type ReasonBody struct {
	Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Why; shown to blocked clients and in the audit"`
}

// DisableBody is the body of disable.
type DisableBody struct {
	Reason string `json:"reason,omitempty" maxLength:"1000"`
	Until  string `json:"until,omitempty" minLength:"1" doc:"When it ends by itself: a time, or a duration such as 2h"`
}

// MaintenanceBody is the body of maintenance.
type MaintenanceBody struct {
	Reason string `json:"reason,omitempty" maxLength:"1000"`
	Start  string `json:"start,omitempty" minLength:"1" doc:"When to begin; in the future: scheduled, not now"`
	End    string `json:"end,omitempty" minLength:"1" doc:"The same as until"`
	Until  string `json:"until,omitempty" minLength:"1" doc:"When it ends by itself: a time, or a duration such as 2h"`
}

// ScheduleBody is the body of schedule.
type ScheduleBody struct {
	Start  string `json:"start" minLength:"1"`
	End    string `json:"end" minLength:"1"`
	Reason string `json:"reason,omitempty" maxLength:"1000"`
}

// EnvBody is the body of env.
type EnvBody struct {
	Envs   []string `json:"envs" nullable:"false" maxItems:"64" doc:"The environments to admit; empty clears the gate"`
	Reason string   `json:"reason,omitempty" maxLength:"1000"`
}

// DeprecateBody is the body of deprecate.
type DeprecateBody struct {
	Sunset    string `json:"sunset,omitempty" minLength:"1" doc:"When the route will end"`
	Successor string `json:"successor,omitempty" maxLength:"2048" doc:"What replaces it: a path or a URL"`
	Reason    string `json:"reason,omitempty" maxLength:"1000"`
}

// SwitchBody is the body of the enable of a switch.
type SwitchBody struct {
	Reason             string   `json:"reason,omitempty" maxLength:"1000"`
	ExemptPaths        []string `json:"exempt_paths,omitempty" maxItems:"1000"`
	IncludeForceActive bool     `json:"include_force_active,omitempty"`
	Until              string   `json:"until,omitempty" minLength:"1"`
}

// ExemptBody is the body of exempt.
type ExemptBody struct {
	Add    []string `json:"add,omitempty" maxItems:"1000"`
	Remove []string `json:"remove,omitempty" maxItems:"1000"`
	Reason string   `json:"reason,omitempty" maxLength:"1000"`
}

// Actions that a Command can ask for. On the sentinel path of a switch, enable shuts and disable opens, as in the
// switch's own calls.
const (
	ActionEnable      = "enable"
	ActionDisable     = "disable"
	ActionMaintenance = "maintenance"
	ActionSchedule    = "schedule"
	ActionCancel      = "cancel"
	ActionEnv         = "env"
	ActionDeprecate   = "deprecate"
	ActionProtect     = "protect"
	ActionUnprotect   = "unprotect"
	ActionForget      = "forget"
	ActionExempt      = "exempt"
)

// Command is one of several changes that are made as one commit.
type Command struct {
	Action string `json:"action" enum:"enable,disable,maintenance,schedule,cancel,env,deprecate,protect,unprotect,forget,exempt"`
	// Path is a route key, or the sentinel path of a switch: __global__ or __waygate:svc_global:NAME__.
	Path               string   `json:"path" maxLength:"2200" doc:"A route key, __global__ or __waygate:svc_global:NAME__"`
	Reason             string   `json:"reason,omitempty" maxLength:"1000"`
	Start              string   `json:"start,omitempty" minLength:"1"`
	End                string   `json:"end,omitempty" minLength:"1"`
	Until              string   `json:"until,omitempty" minLength:"1"`
	Envs               []string `json:"envs,omitempty" maxItems:"64"`
	Sunset             string   `json:"sunset,omitempty" minLength:"1"`
	Successor          string   `json:"successor,omitempty" maxLength:"2048"`
	ExemptPaths        []string `json:"exempt_paths,omitempty" maxItems:"1000"`
	IncludeForceActive bool     `json:"include_force_active,omitempty"`
	Add                []string `json:"add,omitempty" maxItems:"1000"`
	Remove             []string `json:"remove,omitempty" maxItems:"1000"`
}

// Changes is the body of POST /api/changes: one commit, all or nothing.
type Changes struct {
	Changes []Command `json:"changes" minItems:"1" maxItems:"1000" nullable:"false"`
}

// ChangesAnswer answers POST /api/changes: the states after all of them, in the order sent. Exactly one member of each
// result is set.
type ChangesAnswer struct {
	Place
	Changed   bool           `json:"changed"`
	Duplicate bool           `json:"duplicate,omitempty"`
	Results   []ChangeResult `json:"results" nullable:"false"`
}

// ChangeResult is the outcome of one of several changes.
type ChangeResult struct {
	Route  *ChangedRoute  `json:"route,omitempty"`
	Switch *ChangedSwitch `json:"switch,omitempty"`
}
