package state

import (
	"slices"
	"strings"
)

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
	// EffectReadOnly refuses what may write (POST, PUT, PATCH, DELETE) as in maintenance, and lets the rest pass.
	EffectReadOnly Effect = "read_only"
	// EffectGone refuses with 410: what was here will not come back under this address. It shows as disabled.
	EffectGone Effect = "gone"
)

// Effects are all of them, in the order in which people are told of them.
func Effects() []Effect {
	return []Effect{EffectMaintenance, EffectDisabled, EffectReadOnly, EffectGone}
}

// Status is the word under which the effect shows.
func (e Effect) Status() Status {
	if e == EffectDisabled || e == EffectGone {
		return Disabled
	}
	return Maintenance
}

func (e Effect) valid() bool { return slices.Contains(Effects(), e) }

// shuts reports whether the effect refuses some request of a key with this method (empty: any).
func (e Effect) shuts(method string) bool {
	return e != EffectReadOnly || methodsOf(method)&writingMethods != 0
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
	ActionScheduleChange Action = "schedule_change"
	ActionScheduleCancel Action = "schedule_cancel"
	ActionUpcoming       Action = "window_upcoming"
	ActionEnding         Action = "window_ending"
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
	// The webhook actions are about an endpoint; their path is that of WebhookPath.
	ActionWebhookAdd    Action = "webhook_add"
	ActionWebhookChange Action = "webhook_change"
	ActionWebhookRemove Action = "webhook_remove"
	ActionWebhookRotate Action = "webhook_rotate"
	ActionRestore       Action = "restore"
	ActionAuditTrim     Action = "audit_trim"
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
	// KindPrivate says that the private part changed (tokens, revocations, endpoints); it carries no content, and records
	// only where the change is audited.
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

// Sentinel paths of the two kinds of switches, and of endpoints, in log records and events.
const (
	GlobalPath     = "__global__"
	servicePrefix  = "__waygate:svc_global:"
	webhookPrefix  = "__webhook:"
	sentinelSuffix = "__"
)

// AuditPath stands in records of what was done to the log itself. It is no target.
const AuditPath = "__waygate:audit__"

// ServicePath is the sentinel path of a service's switch.
func ServicePath(service string) string { return servicePrefix + service + sentinelSuffix }

// WebhookPath is the sentinel path of an endpoint that is told of changes. No command and no window is about it: it stands
// in records alone.
func WebhookPath(id string) string { return webhookPrefix + id + sentinelSuffix }

// IsWebhookPath tells whether a path is a WebhookPath.
func IsWebhookPath(path string) bool {
	return len(path) > len(webhookPrefix+sentinelSuffix) && strings.HasPrefix(path, webhookPrefix) && strings.HasSuffix(path, sentinelSuffix)
}
