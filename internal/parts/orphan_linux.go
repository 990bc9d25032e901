package parts

import "syscall"

// dieWithParent lets the kernel kill a server whose test program is gone, for instance after "panic: test timed out".
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
