package people

import (
	"slices"
	"strings"

	"github.com/waygate/waygate/internal/state"
)

// Role is what somebody may do, as one word.
type Role string

// The roles. The first three rise; an instance only reports and follows.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Admin    Role = "admin"
	Instance Role = "instance"
)

// Scope is one kind of thing to do.
type Scope string

// The scopes.
const (
	// ScopeRead reads states, the audit and the fleet.
	ScopeRead Scope = "read"
	// ScopeChange changes routes and switches.
	ScopeChange Scope = "change"
	// ScopeAdmin makes and revokes tokens and replaces the document.
	ScopeAdmin Scope = "admin"
	// ScopeReport reports as an instance.
	ScopeReport Scope = "report"
	// ScopeStream follows the log.
	ScopeStream Scope = "stream"
	// ScopeSelf asks about and ends one's own token.
	ScopeSelf Scope = "self"
)

// Scopes lists what the role may do, besides asking about itself.
func (r Role) Scopes() []Scope {
	switch r {
	case Viewer:
		return []Scope{ScopeRead, ScopeStream}
	case Operator:
		return []Scope{ScopeRead, ScopeStream, ScopeChange, ScopeReport}
	case Admin:
		return []Scope{ScopeRead, ScopeStream, ScopeChange, ScopeReport, ScopeAdmin}
	case Instance:
		return []Scope{ScopeReport, ScopeStream}
	default:
		return nil
	}
}

// May reports whether the role includes the scope.
func (r Role) May(s Scope) bool {
	return s == ScopeSelf && r != "" || slices.Contains(r.Scopes(), s)
}

func (s Scope) sentence() string {
	switch s {
	case ScopeRead:
		return "read states"
	case ScopeChange:
		return "change anything"
	case ScopeAdmin:
		return "administer this server"
	case ScopeReport:
		return "report as an instance"
	case ScopeStream:
		return "follow the log"
	default:
		return "do this"
	}
}

// ParseRole reads a role; what it refuses is a *state.InvalidError that names the choices.
func ParseRole(text string) (Role, error) {
	all := []string{string(Viewer), string(Operator), string(Admin), string(Instance)}
	if slices.Contains(all, text) {
		return Role(text), nil
	}
	return "", state.Invalid("role", "%q is no role: one of %s", text, strings.Join(all, ", "))
}
