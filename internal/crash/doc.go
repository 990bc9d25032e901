// Package crash names the steps of a change between which a process may end. In a build with the tag "crash", which only
// tests make, the process kills itself at the step it is told to: test/kill. In every other build nothing of this is there.
package crash
