//go:build !linux

package parts

import "syscall"

// dieWithParent has no counterpart here: a server outlives a test program that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }
