//go:build !crash

package crash

import "net"

// Point is a step.
func Point(string) {}

// Conn is a connection with a step behind every write that holds a mark.
func Conn(c net.Conn, _, _ string) net.Conn { return c }
