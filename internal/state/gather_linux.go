package state

import (
	"bytes"
	"os"
	"syscall"
)

// collapse puts a piece of memory into huge pages now, as madvise(2) says of MADV_COLLAPSE. What is in it stays.
func collapse(address, size uintptr) error {
	const collapseNow = 25 // syscall has no name for it
	if _, _, failed := syscall.Syscall(syscall.SYS_MADVISE, address, size, collapseNow); failed != 0 {
		return failed
	}
	return nil
}

// hugePagesWanted reports whether the machine's administrator left huge pages on: asking for them outright would get
// them all the same.
func hugePagesWanted() bool {
	set, err := os.ReadFile("/sys/kernel/mm/transparent_hugepage/enabled")
	return err == nil && !bytes.Contains(set, []byte("[never]"))
}
