package app

import (
	"runtime"
	"syscall"
)

// backgroundNice is by how much work in the background gives way to the rest of the machine.
const backgroundNice = 10

// inBackground has the kernel prefer everything else to this goroutine, for the rest of its life: it gets a thread to
// itself, of low priority, which ends with it. A priority that was lowered cannot be raised again without privileges,
// so the goroutine must be one that ends.
func inBackground() {
	runtime.LockOSThread()
	// Where it is refused, the work is done at the ordinary priority.
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), backgroundNice)
}
