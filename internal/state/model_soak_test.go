//go:build soak

package state_test

import "testing"

// TestSoakModel compares two hundred times as much as the test of every run, from seeds of its own.
func TestSoakModel(t *testing.T) {
	*modelTriples, *modelSeed = 60_000_000, 1_000_000
	TestCommandsAgainstTheModel(t)
}
