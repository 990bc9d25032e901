package memstore

import (
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Journal makes commits outlive the process. Its methods are called one at a time, except Frames.
type Journal interface {
	// Append keeps one commit. It returns once the commit can no longer be lost. An error that wraps
	// state.ErrUnavailable says that nothing was kept, one that wraps state.ErrUnknownOutcome that it may have been.
	Append(c Committed) error
	// Replace keeps a whole document in place of everything before, with the same promise.
	Replace(doc Kept) error
	// Frames reads up to limit frames of the current epoch after a revision, for readers that reach back further than
	// memory does; state.ErrGap when they are not there.
	Frames(after uint64, limit int) ([]state.Frame, error)
	// Durability says what an acknowledged commit survives.
	Durability() state.Durability
}

// Committed is one commit as it happened.
type Committed struct {
	Frame state.Frame
	// ID is the idempotency id, if any, and At the instant of the commit by the store's clock.
	ID string
	At time.Time
	// Private is the whole private part after the commit; nil says that the commit did not touch it.
	Private map[string][]byte
}

// Kept is everything a store holds besides its log. Its maps are shared: they must not be changed.
type Kept struct {
	Meta    state.Meta
	Fields  state.Patch
	Private map[string][]byte
	// Tail are the last frames of the log: unbroken, up to and with Meta. Older ones are asked of the journal.
	Tail []state.Frame
	// Made are the commits whose idempotency ids still count, oldest first.
	Made []Committed
	// Desks are the fields of what lies on each desk.
	Desks map[string]map[string][]byte
}
