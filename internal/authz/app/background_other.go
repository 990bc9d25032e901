//go:build !linux

package app

// inBackground does nothing here: threads have no priority of their own.
func inBackground() {}
