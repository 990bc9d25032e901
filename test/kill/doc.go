// Package kill has a real waygate-admin end at every named step of a change, as by SIGKILL, and looks at what is
// left: state without an entry of the log, an entry without its state, readers of the log that miss something, and webhooks
// that never arrive, or more often than they may.
package kill
