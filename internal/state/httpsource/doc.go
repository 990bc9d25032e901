// Package httpsource reads what is true from an admin, over HTTP, for an instance that cannot open the store itself.
//
// It is a state.Source over the admin's stream of server-sent events and the addresses beside it, and the reporting
// half of a state.Fleet. Every answer names its namespace, and one of another namespace is refused; nothing is reported
// to an admin before its namespace is known. A stream that says nothing for three heartbeats is taken for broken,
// though nobody closed it: that is how a half-open connection is noticed. Everything that is read is bounded, and
// nothing is remembered beyond the event at hand.
package httpsource
