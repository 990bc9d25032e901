package authz

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// quiet makes the connections of a listener read and write without telling Go's scheduler.
//
// An ordinary Read announces a system call that might block, so that the scheduler can use the processor otherwise
// meanwhile. For that it wakes a thread that watches over blocked calls, whenever the process was idle before. The
// sockets here never block: Go's poller waits for them. At a few hundred checks a second, each of which finds the
// process idle, that wake-up was a third of what a check cost.
func quiet(l net.Listener) net.Listener { return quietListener{l} }

type quietListener struct{ net.Listener }

// Accept waits for the next connection.
func (l quietListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // grpc-go looks at the very error
	}
	direct, ok := conn.(syscall.Conn)
	if !ok {
		return conn, nil
	}
	raw, err := direct.SyscallConn()
	if err != nil {
		return conn, nil //nolint:nilerr // it can be used as it is
	}
	q := &quietConn{Conn: conn}
	q.in = transfer{number: syscall.SYS_READ, wait: raw.Read}
	q.out = transfer{number: syscall.SYS_WRITE, wait: raw.Write}
	q.in.try, q.out.try = q.in.once, q.out.once
	return q, nil
}

// quietConn is a connection. As with any, one goroutine may read while another one writes; grpc-go and crypto/tls never
// have two that do the same.
type quietConn struct {
	net.Conn
	in, out transfer
}

// Read reads what is there, and waits while there is nothing.
func (q *quietConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := q.in.run(b)
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return n, err
}

// Write writes all of b.
func (q *quietConn) Write(b []byte) (int, error) {
	written := 0
	for written < len(b) {
		n, err := q.out.run(b[written:])
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// transfer is one direction of a connection.
type transfer struct {
	number uintptr // of the system call
	wait   func(func(fd uintptr) bool) error
	try    func(fd uintptr) bool
	bytes  []byte
	n      int
	err    error
}

// run makes the call on b once the socket is ready for it.
func (t *transfer) run(b []byte) (int, error) {
	t.bytes, t.n, t.err = b, 0, nil
	err := t.wait(t.try)
	t.bytes = nil
	if err == nil {
		err = t.err
	}
	return t.n, err
}

// once makes the call, and reports whether it is done: false waits until the socket is ready.
func (t *transfer) once(fd uintptr) bool {
	for {
		n, _, errno := syscall.RawSyscall(t.number, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.bytes))), uintptr(len(t.bytes)))
		switch errno {
		case 0:
			t.n = int(n)
			return true
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			t.err = os.NewSyscallError("transfer", errno)
			return true
		}
	}
}
