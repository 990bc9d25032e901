// Package stream shows an admin's store to those who cannot open it: an instance of waygate-authz without Redis, a
// dashboard, a command line that follows the log.
//
// The stream itself is server-sent events: where the log goes on from the place the client names, its frames from
// there; otherwise the whole document first. Each event's id is <epoch>.<revision>, so that a client that was cut off
// goes on where it stopped. A heartbeat at a fixed pace carries the store's clock, so that a client notices a link that
// is silent but not closed. Frames go out once this admin's own view has them, each exactly once and in order, read
// from the log: nothing is queued for a client. One that does not keep up is cut; it comes back and catches up.
//
// Beside it are addresses for single questions: where the store stands (pulse), the whole document, a piece of the log
// (frames). They are answered from the store as it is, and together they are a state.Source: package httpsource.
package stream
