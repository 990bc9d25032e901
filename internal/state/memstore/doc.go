// Package memstore keeps truth in memory. It is the reference for every other store and the double that tests use.
//
// A Store holds the fields of one document, its private part, the last frames of its log, the idempotency ids of the
// last 24 hours and the reports of the fleet. One writer at a time passes Commit or Seed; readers only take a lock for
// as long as they copy.
//
// A Journal makes it durable: it is asked to keep each commit before the commit shows, so a store that outlives its
// process is this one with a Journal (package filestore). Without one everything is forgotten with the process, which
// is why Gen is the start time: instances follow such a store after a restart instead of holding what it forgot.
package memstore
