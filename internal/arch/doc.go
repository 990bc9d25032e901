// Package arch holds the test that keeps the house in order: which package may import which.
//
// The rules are a table: a package that is not in it fails the test, so that nobody adds a room without saying what it
// may open onto. Standard-library imports are free everywhere; the table lists what else each package may import, as
// prefixes of import paths.
package arch
