//go:build soak

package kill_test

import "testing"

func TestSoakKills(t *testing.T) { killAtEveryStep(t, 200) }
