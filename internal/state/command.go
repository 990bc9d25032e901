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
	VerbAddWindow    Verb = "add_window"    // route or switch
	VerbChangeWindow Verb = "change_window" // one window by id, or an occurrence of it: other times, reason or ticket
	VerbEndWindow    Verb = "end_window"    // one window by id: what runs of it ends now
	VerbCancelWindow Verb = "cancel_window" // one window by id, or an occurrence of it
	VerbEnv          Verb = "env"
	VerbDeprecate    Verb = "deprecate"
	VerbProtect      Verb = "protect"
	VerbUnprotect    Verb = "unprotect"
	VerbForget       Verb = "forget"
	VerbExempt       Verb = "exempt"   // switch: add and remove exemptions
	VerbRegister     Verb = "register" // route: declare; never changes a known key
	VerbAdopt        Verb = "adopt"    // route: like register, by a person who saw it in the traffic
	VerbRestore      Verb = "restore"  // route: have it as it was
	VerbImport       Verb = "import"   // route: by a person; adds to a known key what it lacks, and never lifts
)

// Command is one thing a person, script or service asks for. Members that its verb does not use are zero.
type Command struct {
	Verb   Verb
	Target Target
	// Shown is the spelling of the target's key; empty means its canonical text.
	Shown string
	// AnyMethod says that the key named every method on purpose (ANY:/path): it is never ambiguous.
	AnyMethod bool
	Reason    string
	// Start and End bound a timed command. End without Start is an until; both zero is a standing block. A switch takes
	// an End only.
	Start, End time.Time
	// Latest is up to when policy lets a block last that nobody scheduled; zero is without limit. It bounds a schedule that
	// gives a disable its end.
	Latest time.Time
	// Assumed says that the end was set by policy.
	Assumed bool
	// Envs are the environments that env admits; none clears the gate.
	Envs []string
	// Sunset and Successor are those of deprecate; both may be zero.
	Sunset    time.Time
	Successor string
	// Exempt is the list of an enable of a switch (none: the staged list); Add and Remove are those of exempt.
	Exempt, Add, Remove []Exemption
	IncludeProtected    bool
	// Window is what add_window adds. Its id, target, origin, reason and author are those of the command.
	Window *Window
	// WindowID names the window that change_window, end_window and cancel_window are about; its Target is found by it.
	WindowID string
	// Occurrence is the start of the one that is meant. Zero is, for a change, the one that runs, else the next; for a
	// cancel it is the whole window.
	Occurrence time.Time
	// Amend is what change_window says of the window besides Start and End, which are zero where they stay.
	Amend Amendment
	// Declared is what register, adopt and import say of the key; nil is active.
	Declared *Declared
	// Past is what restore brings back.
	Past *Past
}

// Amendment is what is to be said of a window from now on; nil stays as it is.
type Amendment struct {
	Reason, Ticket *string
	// By moves the end, later or earlier; zero leaves it.
	By time.Duration
}

// Declared is the state under which a service or a person introduces a key. The first members are what services send;
// a window (Start, End) with Status maintenance is that window alone and nothing standing. The last ones are the parts
// of a key as a document keeps them, for exact copies: when one is set, only they, Reason and Protected count.
type Declared struct {
	Status    Status // empty is active
	Reason    string
	Envs      []string // of status env_gated
	Start     time.Time
	End       time.Time
	Sunset    time.Time
	Successor string
	Protected bool

	Deprecation *Deprecation
	Gate        *Gate
	Standing    *Block
	// Windows need neither an ID nor a Target; those that are over are left out.
	Windows []Window
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
	// SeenService reports whether an instance names a service; nil knows nothing.
	SeenService func(string) bool
	// NewID makes ids for windows.
	NewID func() string
}

// Outcome is what a command did and what its answer must tell. Lists are sorted and may be nil.
type Outcome struct {
	// Target is what was meant: for a bare path that stands for one METHOD:path key, that key.
	Target Target
	// Shown is its spelling, or the sentinel path of a switch.
	Shown string
	// Narrowed is set where a bare path stood for the one METHOD:path key that exists.
	Narrowed bool
	// Action is what the record says was done; empty when nothing changed.
	Action Action
	// Changed is false when everything was already so.
	Changed bool
	// Known is false when nobody declared, named or saw the key (or service) before: a typo, perhaps. A set is known
	// when something inside it is.
	Known bool
	// WindowID is the timed part that the command made or updated.
	WindowID string
	// OpenInside are the keys inside the new block that it leaves alone: exceptions, and protected routes.
	OpenInside []string
	// Reclosed are the keys that were open inside the block before and are shut again.
	Reclosed []string
	// Cleared tells what an enable ended, in words: standing, until, window, gate, deprecation, excepted.
	Cleared []string
	// Still is everything that still blocks any request of the key (enable and forget).
	Still []Obstacle
	// Next is the next instant at which something pending blocks it; zero for none (enable and forget).
	Next time.Time
	// Exposed are the keys that become blocked because a forgotten key left their block's exceptions.
	Exposed []string
	// Replaced is set where somebody else's switch was touched.
	Replaced *Replaced
	// Note is a sentence for people: where a declaration was not stored as sent (the log carries it too), or where
	// nothing was forgotten because the path alone is no key.
	Note string
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
