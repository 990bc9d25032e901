package state

import "time"

// Route is what people and services said about one key: the three parts of its state except the timed one, which
// are Windows of their own. The zero parts mean: active, nothing standing, not protected.
type Route struct {
	// Key is the canonical key; it is the field's name in a document and not repeated inside.
	Key Key `json:"-"`
	// Shown is the key as first spelled (its parameter names are no part of the key).
	Shown string `json:"shown"`
	// Origin tells how the key became known.
	Origin Origin `json:"origin"`
	// Deprecation is set while the base is deprecated instead of active.
	Deprecation *Deprecation `json:"deprecation,omitempty"`
	// Gate admits only requests of some environments.
	Gate *Gate `json:"gate,omitempty"`
	// Standing is a block without an end.
	Standing *Block `json:"standing,omitempty"`
	// Protected is the flag that clients know as force_active.
	Protected bool `json:"protected,omitempty"`
	// Last is the last command on the key: only a gate or deprecation that was the last command is cleared by enable.
	Last Action `json:"last,omitempty"`
	// By and At tell who changed the route last, and when.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at,omitzero"`
}

// Origin tells how a key became known.
type Origin string

// The origins of a known key.
const (
	OriginCommand  Origin = "command"
	OriginRegister Origin = "register"
	OriginImport   Origin = "import"
	OriginAdopt    Origin = "adopt"
)

// Deprecation marks a route that still passes and tells its callers when it was deprecated (RFC 9745), when it will
// end (RFC 8594) and what replaces it.
type Deprecation struct {
	Since     time.Time `json:"since"`
	Sunset    time.Time `json:"sunset,omitzero"`
	Successor string    `json:"successor,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// Gate admits requests of the environments it names and refuses all others, also those whose environment is unknown.
// Except holds the keys that it leaves alone.
type Gate struct {
	Envs   []string `json:"envs"`
	Reason string   `json:"reason,omitempty"`
	Except []Key    `json:"except,omitempty"`
}

// Block refuses. Except holds the keys that it leaves alone.
type Block struct {
	Effect Effect `json:"effect"`
	Reason string `json:"reason,omitempty"`
	Except []Key  `json:"except,omitempty"`
	// Opened are those of Except that an enable added after the block was set: they shut again with the next one.
	Opened []Key     `json:"opened,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`
	// Before is the block that this disable replaced. A schedule that follows at once, the second half of "disabled
	// until" as older clients send it, puts it back.
	Before *Block `json:"before,omitempty"`
}

// Switch shuts a service, or everything. Its timed parts are Windows whose target is the switch.
type Switch struct {
	// Standing is the part without an end; its Except is not used (exemptions belong to the switch).
	Standing *Block `json:"standing,omitempty"`
	// Exempt are the keys that pass while the switch is on; they belong to the switch and lift no other block.
	Exempt []Exemption `json:"exempt,omitempty"`
	// IncludeProtected makes the switch hold for protected routes too (clients know it as include_force_active).
	IncludeProtected bool `json:"include_protected,omitempty"`
	// Staged waits for the next enable that names no exemptions.
	Staged []Exemption `json:"staged,omitempty"`
	// Spent says that the enable in force took Staged: repeating it takes the same list again, a later one does not.
	Spent bool      `json:"spent,omitempty"`
	By    string    `json:"by,omitempty"`
	At    time.Time `json:"at,omitzero"`
}

// Exemption is a key, or a pattern, that a switch lets pass, with the spelling it was given in.
type Exemption struct {
	Key   Key    `json:"key"`
	Shown string `json:"shown"`
}
