package state

import (
	"context"
	"time"
)

// Meta says where a document stands.
type Meta struct {
	// Epoch names one history; a repaired or re-created store has a new one.
	Epoch string `json:"epoch"`
	// Gen rises with every new epoch; a follower never adopts an epoch whose Gen is not higher than its own.
	Gen uint64 `json:"gen"`
	// Rev is the revision: it rises by one with every commit.
	Rev  uint64 `json:"rev"`
	Head Head   `json:"head"`
}

// Pulse is a Meta with the store's clock, read after the question came and before the answer went, and the last sign of life of an admin by that clock (zero: never).
type Pulse struct {
	Meta
	Now  time.Time
	Beat time.Time
}

// Source is where a follower reads truth. All methods are safe for concurrent use, observe ctx, and return
// ErrUnavailable (wrapped) when the other side cannot be reached and ErrEmpty when it holds no document.
type Source interface {
	// Pulse reads where the source stands. It is cheap: it is asked every second.
	Pulse(ctx context.Context) (Pulse, error)
	// Load reads the whole document in one atomic step.
	Load(ctx context.Context) (*Document, error)
	// Frames reads up to limit frames of epoch after revision after, in order; ErrGap when they do not reach back.
	Frames(ctx context.Context, epoch string, after uint64, limit int) ([]Frame, error)
	// Watch subscribes, calls w.Subscribed once the subscription is confirmed (no frame committed after that is
	// missed), then w.Frame for each frame in order. It returns when ctx ends, or with an error as soon as the link is
	// lost or silent for longer than a living one can be. It never buffers without bound and never drops silently.
	Watch(ctx context.Context, w Watcher) error
}

// Watcher is what Watch calls, from one goroutine.
type Watcher struct {
	Subscribed func()
	Frame      func(Frame)
}

// Store is where truth is kept. Every store passes the contract suite in statetest.
type Store interface {
	Source
	// Commit makes the change if the store still stands at base, as one step: document, log, private part, idempotency
	// id and event, or nothing. ErrConflict: the store moved on. ErrUnavailable: nothing happened. ErrUnknownOutcome:
	// the answer was lost. A change whose ID was committed within the last 24 h is not made again: its receipt is
	// given back with Duplicate set, whatever base says.
	Commit(ctx context.Context, base Meta, c Change) (Receipt, error)
	// Private reads the private part: fingerprints, tokens, revocations, endpoints, cursors.
	Private(ctx context.Context) (map[string][]byte, error)
	// Durability says what an acknowledged commit survives.
	Durability() Durability
}

// Receipt is the proof of a commit.
type Receipt struct {
	Frame     Frame
	Duplicate bool
}

// Durability says what an acknowledged commit survives.
type Durability string

// The durabilities, weakest first.
const (
	DurableMemory   Durability = "memory"   // lost when the process ends
	DurableNone     Durability = "none"     // Redis without an append-only file
	DurableEverySec Durability = "everysec" // Redis appendfsync everysec: up to a second can be lost with the machine
	DurableAlways   Durability = "always"   // Redis appendfsync always
	DurableWaitAOF  Durability = "waitaof"  // Redis 7.2+: fsync confirmed per commit
	DurableFsync    Durability = "fsync"    // the file store
)

// Seeder is a Store that can be given a document from outside: at its creation and after it lost or forked its own.
type Seeder interface {
	// Seed replaces whatever the store holds by doc and private, with the Meta of doc, in one step that happens only if
	// the store still stands at seen (the zero Meta: it is empty); otherwise ErrConflict. The log starts anew there.
	Seed(ctx context.Context, seen Meta, doc *Document, private map[string][]byte) error
	// Beat tells that an admin is alive.
	Beat(ctx context.Context) error
}

// Fleet is where instances of waygate-authz report and admins read the reports.
type Fleet interface {
	// Report stores what an instance says of itself; the store's clock stamps it.
	Report(ctx context.Context, r Report) error
	// Reports lists the last report of every instance that was heard of within the last 24 h.
	Reports(ctx context.Context) ([]Report, error)
	// Forget drops an instance; ErrNotFound when nobody reported under that id.
	Forget(ctx context.Context, id string) error
}

// Report is what one instance of waygate-authz says of itself after each apply and every second.
type Report struct {
	ID      string `json:"id"`   // host + listen address unless the operator chose one
	Boot    string `json:"boot"` // differs after each start
	Version string `json:"version"`
	Service string `json:"service,omitempty"`
	Env     string `json:"env,omitempty"`
	// Epoch, Gen and Rev are what the instance enforces. Head is that of Rev in hex, which tells two histories apart; empty
	// where it is not known.
	Epoch string `json:"epoch"`
	Gen   uint64 `json:"gen,omitempty"`
	Rev   uint64 `json:"rev"`
	Head  string `json:"head,omitempty"`
	// Link is the state of its source: connected, reconnecting or holding.
	Link string `json:"link"`
	// Alarm says what is wrong with its source or its clock, in a sentence.
	Alarm string `json:"alarm,omitempty"`
	// SkewMS is the store's clock minus the instance's own, in milliseconds.
	SkewMS int64 `json:"skew_ms,omitempty"`
	// Bye is set in the last report of an orderly stop.
	Bye bool `json:"bye,omitempty"`
	// Checks, Refused and Unreadable count since its start.
	Checks     uint64 `json:"checks"`
	Refused    uint64 `json:"refused"`
	Unreadable uint64 `json:"unreadable"`
	// Hits counts checks per route key, bounded; Unseen are path templates seen for which no key is known, bounded.
	Hits   map[string]uint64 `json:"hits,omitempty"`
	Unseen map[string]uint64 `json:"unseen,omitempty"`
	// Seen is when the report arrived, by the store's clock, and Age how long ago that was when it was read.
	Seen time.Time     `json:"seen,omitzero"`
	Age  time.Duration `json:"age,omitempty"`
}

// Presence is what the silence of an instance means.
type Presence string

// The presences.
const (
	Live Presence = "live" // reported within liveWithin
	Lost Presence = "lost" // silent without a goodbye
	Gone Presence = "gone" // said goodbye, or lost for longer than GoneAfter
)

// Bounds of the presences.
const (
	liveWithin = 3 * time.Second
	GoneAfter  = 24 * time.Hour
)

// Presence is derived from the last report.
func (r *Report) Presence() Presence {
	switch {
	case r.Bye || r.Age > GoneAfter:
		return Gone
	case r.Age <= liveWithin:
		return Live
	default:
		return Lost
	}
}
