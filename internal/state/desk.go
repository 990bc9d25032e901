package state

import (
	"context"
	"time"
)

// Desk is where admins keep, beside the log, what they are doing: one of them at a time holds the lease of a desk, and
// leaves there what the next holder needs to go on. What lies on a desk is no part of the document: it has no revision,
// is not audited, and a store that is repaired or seeded may have lost it.
//
// Names are 1 to MaxDeskName of [A-Za-z0-9._-] and begin with a letter or digit; anything else is an *InvalidError.
type Desk interface {
	// Lease takes or renews the lease of a desk for owner until ttl from now, by the store's clock. ErrConflict: another
	// owner holds it. A lease that is renewed before its end, or after it while nobody else took it, keeps its token.
	Lease(ctx context.Context, desk, owner string, ttl time.Duration) (Lease, error)
	// ReadDesk reads all fields of a desk; none of one that nobody wrote to.
	ReadDesk(ctx context.Context, desk string) (map[string][]byte, error)
	// WriteDesk sets fields, and removes those whose value is empty, in one step. ErrConflict: the lease is not the last
	// one that was given, and nothing was written. With Token zero it is written whoever holds the lease: for fields that
	// mean the same in whichever order they are written. Writing the same twice is safe.
	//
	// It survives the end of this process, and of the machine no sooner than the store finds time for it.
	WriteDesk(ctx context.Context, lease Lease, fields map[string][]byte) error
	// Release ends a lease before its time. One that is lost already is no error.
	Release(ctx context.Context, lease Lease) error
}

// Lease is the right to a desk.
type Lease struct {
	Desk, Owner string
	// Token rises with every change of the holder: a write with an older one is refused. It begins at the store's clock, in
	// ms, so that a store that forgot a lease gives no token twice.
	Token uint64
	// Until is when it ends unless it is renewed, by the store's clock.
	Until time.Time
}

// MaxDeskName is the longest name of a desk, in bytes.
const MaxDeskName = 120

// CheckDesk reports whether name can name a desk. Otherwise it returns an *InvalidError.
func CheckDesk(name string) error {
	if name == "" || len(name) > MaxDeskName || !isAlnum(name[0]) {
		return Invalid("desk", "%.80q cannot name a desk", name)
	}
	for i := range len(name) {
		if c := name[i]; !isAlnum(c) && c != '.' && c != '_' && c != '-' {
			return Invalid("desk", "%.80q cannot name a desk", name)
		}
	}
	return nil
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
