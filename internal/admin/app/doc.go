// Package app puts waygate-admin together.
//
// New wires everything in one line: the store, what the disk kept of it, the follower that keeps this admin's view, the
// repairer that gives a lost store back what it had, people, the use cases, the API, and the listeners. What was
// started is undone last thing first, with a deadline. Run does both, with the work in between, and is what tests call;
// Main adds the command line.
package app
