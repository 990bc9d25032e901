// Package admin is what people and scripts do: every use case of Waygate once, whatever they come through.
//
// A change goes one way. The caller's role is checked, the commands are executed on the document at the store's head
// (state.Execute says what they do and what their answer must tell), and the result is committed if the store still
// stands there; where another admin was faster, it is executed again on what that one made. So two admins that change
// things at once lose nothing. An idempotency key makes a retry safe: what was done under it is not done again. The
// answer comes when this admin's own view has the change, so that whoever reads next sees it.
//
// Reads are answered from that view: the snapshot a follower keeps. The audit is read from the log itself.
package admin
