package state

import "crypto/rand"

// Backend is everything an admin needs of the place where truth is kept. Every store is one.
type Backend interface {
	Store
	Seeder
	Fleet
	Desk
	Trimmer
}

// NewEpoch draws the name of a new history. It is random: no two histories ever share a name.
func NewEpoch() string { return rand.Text() }

// Genesis is the document of a store that is created, not repaired: nothing is known, at revision 0 of a new epoch of
// generation gen. Seed it with the zero Meta as what was seen, so that it never replaces anything.
//
// A store that survives its process begins with generation 1, so that no instance adopts it in place of what it knew.
// A store that forgets everything with its process takes its start time in milliseconds, so that every instance does.
func Genesis(gen uint64) *Document { return NewDocument(Meta{Epoch: NewEpoch(), Gen: gen}) }
