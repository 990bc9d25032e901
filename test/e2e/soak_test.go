//go:build soak

package e2e_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSoakFaults(t *testing.T) { testFaults(t, 20*time.Second, 2*time.Minute) }

func TestSoakRestarts(t *testing.T) { testRestarts(t, 5) }

func TestSoakWindows(t *testing.T) { testCalendar(t, 10_000, 1_000_000, 4*time.Minute) }

func TestSoakWebhooks(t *testing.T) { testWebhooks(t, 100_000, 300, time.Second, 1_000) }

// A million entries are to be verified within 10 s, from a real Redis through an admin to the command line.
func TestSoakAudit(t *testing.T) { require.Less(t, testLongLog(t, 1_000_000), 10*time.Second) }
