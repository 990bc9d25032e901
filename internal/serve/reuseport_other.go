//go:build !unix

package serve

import "syscall"

// reusePort has no counterpart here: a port cannot be taken over while another process holds it.
func reusePort(_, _ string, _ syscall.RawConn) error { return nil }
