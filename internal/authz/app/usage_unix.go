//go:build unix

package app

import (
	"syscall"
	"time"
)

// spentKnown says that processorTime means something.
const spentKnown = true

// processorTime is what this process has used so far, in user code and in the kernel.
func processorTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
