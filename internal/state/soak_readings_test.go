//go:build soak

package state_test

import "testing"

// TestSoakReadings is the proof of the readings at a million mutated and a hundred thousand ordinary targets.
func TestSoakReadings(t *testing.T) {
	t.Setenv(soakVariable, "1000000")
	t.Run("no backend is reached through a block", TestNoBackendIsReachedThroughABlock)
	t.Run("exceptions open no other route", TestExceptionsOpenNoOtherRoute)
	t.Run("ordinary targets pass", TestOrdinaryTargetsPass)
}
