package state

// Status is one of the five words that clients know; there will never be a sixth.
type Status string

// The five statuses, from the weakest to the strictest.
const (
	Active      Status = "active"
	Deprecated  Status = "deprecated"
	EnvGated    Status = "env_gated"
	Maintenance Status = "maintenance"
	Disabled    Status = "disabled"
)

// Effect is what a block does to a request. Effects are finer than statuses; each shows as one status.
type Effect string

// The effects of a block.
const (
	EffectMaintenance Effect = "maintenance"
	EffectDisabled    Effect = "disabled"
)

// Status is the word under which the effect shows.
func (e Effect) Status() Status {
	if e == EffectDisabled {
		return Disabled
	}
	return Maintenance
}

// Action names what a log record says was done; webhook events share the names.
type Action string

// The actions.
const (
	ActionEnable         Action = "enable"
	ActionDisable        Action = "disable"
	ActionMaintenanceOn  Action = "maintenance_on"
	ActionMaintenanceOff Action = "maintenance_off"
	ActionEnvGate        Action = "env_gate"
	ActionSchedule       Action = "schedule"
	ActionScheduleCancel Action = "schedule_cancel"
	ActionGlobalOn       Action = "global_maintenance_on"
	ActionGlobalOff      Action = "global_maintenance_off"
	ActionServiceOn      Action = "service_maintenance_on"
	ActionServiceOff     Action = "service_maintenance_off"
	ActionDeprecate      Action = "deprecate"
	ActionProtect        Action = "protect"
	ActionUnprotect      Action = "unprotect"
	ActionForget         Action = "forget"
	ActionExempt         Action = "exempt"
	ActionRegister       Action = "register"
	ActionAdopt          Action = "adopt"
	ActionImport         Action = "import"
)

// Kind tells what a log entry is for.
type Kind string

// The kinds of log entries.
const (
	// KindChange is a command of a person or a script: audited, sent to webhooks.
	KindChange Kind = "change"
	// KindRegister is a service declaring its routes: in the log, not in audit answers, no webhook.
	KindRegister Kind = "register"
	// KindAnnounce tells that a window opened or closed; it changes no verdict.
	KindAnnounce Kind = "announce"
	// KindHorizon extends the expanded occurrences of recurring windows; neither audited nor announced.
	KindHorizon Kind = "horizon"
	// KindPrivate says that the private part changed (tokens, revocations, endpoints); it carries no content.
	KindPrivate Kind = "private"
)

// Platform tells through what a change came.
type Platform string

// The platforms.
const (
	PlatformCLI       Platform = "cli"
	PlatformDashboard Platform = "dashboard"
	PlatformSDK       Platform = "sdk"
	PlatformAPI       Platform = "api"
	PlatformSystem    Platform = "system"
)

// Sentinel paths of the two kinds of switches in log records and events.
const (
	GlobalPath    = "__global__"
	servicePrefix = "__waygate:svc_global:"
	serviceSuffix = "__"
)

// ServicePath is the sentinel path of a service's switch.
func ServicePath(service string) string { return servicePrefix + service + serviceSuffix }
