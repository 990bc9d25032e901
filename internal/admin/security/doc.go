// Package security keeps the log of what was refused at the admin's door, and of the tokens that were made and ended.
//
// It is no audit: nothing was done. It stands apart from it, and an attacker writes as little into it as possible. Of
// each kind of refusal and each network it takes a burst of lines, then one line a minute with the number of those that
// were left out. What others chose is cut short and escaped, and no line holds a password, a token or a body.
package security
