// Package filestore keeps truth on one machine, in files that one process owns.
//
// For a store at state.json there are:
//
//	state.json          the document: readable, and editable by hand while the store is stopped
//	state.json.log/     the log: one line of JSON per commit, in segments; nothing is ever dropped from it
//	state.json.private  the private part, for the owner only
//	state.json.desk/    what admins leave for the next one: cursors of webhooks
//	state.json.lock     held while a process uses the store
//
// A commit is made when its line is in the log and synced: the line is the commit. The private part is written before,
// beside the one in force, and the line names it, so both are there or neither is. The document follows behind, at most
// once a second: it is what the log came to at its revision, and the start applies what is missing. A line that was torn
// by a crash, which can only be the last, is cut off at the start; any other damage stops it. A document that was
// edited is committed as one entry of the log, compared with what the log says it was.
//
// What is common to all stores, compare-and-set, idempotency, watching, the fleet, is package memstore's.
package filestore
