package state

import "time"

// Request is what Decide must know of an HTTP or gRPC request. Nothing in it but Method, Target and Overrides comes
// from the client.
type Request struct {
	// Method as sent.
	Method string
	// Target is the request target as sent: the raw path with its query, or an absolute URL.
	Target string
	// Service is the scope; empty when none is known, and then the keys of every service count.
	Service string
	// Env is the environment; empty when none is known, and then every gate refuses.
	Env string
	// Overrides are the values of the headers that make some frameworks serve another method.
	Overrides []string
	// Preflight says that access-control-request-method was sent.
	Preflight bool
	// Unreadable says that the edge could not make sense of the request; it is refused while something in scope refuses.
	Unreadable bool
}

// Cause says why a decision is what it is; a closed enumeration.
type Cause uint8

// The causes.
const (
	CauseNone        Cause = iota // nothing governs the request, or it is exempt or protected
	CauseDeprecated               // it passes, with headers
	CauseEnvGated                 // an environment gate refuses
	CauseMaintenance              // a block of effect maintenance
	CauseDisabled                 // a block of effect disabled
	CauseUnreadable               // it cannot be read in one way, and something in scope refuses
	CauseStale                    // the snapshot is too old and the operator chose to close
)

// Decision is the verdict on a request. It holds no pointers into the request.
type Decision struct {
	// Cause says why; Refused follows from it.
	Cause Cause
	// Status is the status of what decided, one of the five words (active for what is unreadable).
	Status Status
	Effect Effect
	// Path is the key as shown, or the sentinel path of the switch that decided; empty when nothing did.
	Path string
	// Reason is what the people who set the block said.
	Reason string
	// RetryAt is the latest end of all that refuse; zero when one of them has no end or a gate refuses.
	RetryAt time.Time
	// Deprecation is what must be told to the callers of a deprecated route; also set for a protected one.
	Deprecation *Deprecation
	// Envs are the environments that the refusing gate admits.
	Envs []string
	// Unreadable says that the request could not be read in one way; it is refused only with CauseUnreadable.
	Unreadable bool
	// Revision and Epoch are those of the snapshot.
	Revision uint64
	Epoch    string
}

// Refused reports whether the request must not pass.
func (d *Decision) Refused() bool { return d.Cause >= CauseEnvGated }
