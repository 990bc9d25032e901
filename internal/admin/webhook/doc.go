// Package webhook tells the outside what was changed: it reads the log as an outbox and sends each audit record that an
// endpoint asks for, signed and in the endpoint's format, at least once and in order per route.
//
// The log is the queue: nothing is written when something changes, so a delivery never delays or fails a change. Each
// endpoint has one dispatcher at a time, over any number of admins: whoever holds its lease (state.Desk) reads the log
// after the endpoint's cursor and sends. The cursor, what was done beyond it and what is to be tried again are kept beside
// the lease, so that the next holder goes on where this one ended; what was in flight then is sent once more, under the
// same id.
//
// Events of one route key leave in lanes, one after the other; a lane that waits for its next try holds up no other. The
// addresses that are connected to are checked in the dialer, after the name was resolved.
package webhook
