// Package state says what is true and what follows from it for a request.
//
// A Key names routes. A Route holds what people said about one key: a base
// (active or deprecated, an environment gate), a standing block, a flag that
// protects it. A Window is a block with a start or an end. A Switch shuts a
// service or everything. All of them together are a Document, which a Store
// keeps and changes by commits: each commit is one Frame of a hash-chained log,
// and that frame is the audit record and the event as well.
//
// Compile turns a Document into a Snapshot, and Snapshot.Decide answers for a
// request at an instant. It is a pure function: no clock, no lock, no I/O.
// A Follower keeps a Cache (one atomic pointer to a Snapshot) equal to a Source.
//
// The package imports the standard library only.
package state
