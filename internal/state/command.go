package state

import "time"

// Verb is what a command asks for.
type Verb string

// The verbs. The switch verbs take a Target that is a switch; enable and disable on a switch turn maintenance on and off.
const (
	VerbEnable       Verb = "enable"        // route: lift; switch: shut (maintenance on)
	VerbDisable      Verb = "disable"       // route: block as disabled; switch: open (maintenance off)
	VerbMaintenance  Verb = "maintenance"   // route
	VerbSchedule     Verb = "schedule"      // route: a window
	VerbCancel       Verb = "cancel"        // route: DELETE schedule
	VerbCancelWindow Verb = "cancel_window" // one window by id
	VerbEnv          Verb = "env"
	VerbDeprecate    Verb = "deprecate"
	VerbProtect      Verb = "protect"
	VerbUnprotect    Verb = "unprotect"
	VerbForget       Verb = "forget"
	VerbExempt       Verb = "exempt"   // switch: add and remove exemptions
	VerbRegister     Verb = "register" // route: declare; never changes a known key
	VerbImport       Verb = "import"   // route: like register, by a person
)

// Command is one thing a person, script or service asks for. Members that its verb does not use are zero.
type Command struct {
	Verb   Verb
	Target Target
	// Shown is the spelling of the target's key.
	Shown string
	// AnyMethod says that the key named every method on purpose (ANY:/path): it is never ambiguous.
	AnyMethod bool
	Reason    string
	// Start and End bound a timed command. End without Start is an until; both zero is a standing block.
	Start, End time.Time
	Envs       []string
	Sunset     time.Time
	Successor  string
	// Exempt is the list of an enable of a switch; Add and Remove are those of exempt.
	Exempt, Add, Remove []Exemption
	IncludeProtected    bool
	WindowID            string
	// Route is the whole state that register and import declare.
	Route *Declared
}

// Declared is the state under which a service or an import introduces an unknown key.
type Declared struct {
	Status    Status
	Reason    string
	Envs      []string
	Start     time.Time // of a window, zero for none
	End       time.Time
	Sunset    time.Time
	Successor string
	Protected bool
}

// Author is who gives a command, at what instant of the store's clock, with what policy in force.
type Author struct {
	Actor    string
	Platform Platform
	At       time.Time
	// Strict refuses commands on keys nobody declared or saw.
	Strict bool
	// Seen reports whether live traffic knows a key; nil knows nothing.
	Seen func(Key) bool
	// NewID makes ids for windows.
	NewID func() string
}

// Outcome is what a command did and what its answer must tell.
type Outcome struct {
	// Target is what was meant: for a bare path that stands for one METHOD:path key, that key.
	Target Target
	Shown  string
	// Changed is false when everything was already so.
	Changed bool
	// Known is false when nobody declared or saw the key before: a typo, perhaps.
	Known bool
	// WindowID is the timed part that the command made or updated.
	WindowID string
	// OpenInside are the known routes inside the new block that it leaves alone.
	OpenInside []string
	// Reclosed are the keys that were open inside the block before and are shut again.
	Reclosed []string
	// Cleared tells what an enable ended, in words: standing, until, window, gate, deprecation, excepted.
	Cleared []string
	// Still is everything that still blocks any request of the key.
	Still []Obstacle
	// Next is the next instant at which something pending blocks it; zero for none.
	Next time.Time
	// Exposed are the keys that become blocked because a forgotten key left their block's exceptions.
	Exposed []string
	// Replaced is set where somebody else's switch was touched.
	Replaced *Replaced
}

// Obstacle is one thing that blocks some request of a key.
type Obstacle struct {
	Path   string    `json:"path"` // key as shown or sentinel
	Status Status    `json:"status"`
	Reason string    `json:"reason"`
	Until  time.Time `json:"until,omitzero"`
}

// Replaced tells whose switch was touched.
type Replaced struct {
	Actor  string    `json:"actor"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
}
