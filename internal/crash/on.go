//go:build crash

package crash

import (
	"bytes"
	"net"
	"os"
	"syscall"
)

// Variable names a file; while it is there and holds the name of a step, the process ends when it gets to that step.
const Variable = "WAYGATE_CRASH"

// Point is a step.
func Point(step string) {
	if path := os.Getenv(Variable); path != "" {
		if asked, err := os.ReadFile(path); err == nil && string(asked) == step {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // it is not over before the kernel got to it
		}
	}
}

// Conn is a connection with a step behind every write that holds a mark.
func Conn(c net.Conn, mark, step string) net.Conn {
	return &conn{Conn: c, mark: []byte(mark), step: step}
}

type conn struct {
	net.Conn
	mark []byte
	step string
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if bytes.Contains(b, c.mark) {
		Point(c.step)
	}
	return n, err
}
