package authz

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// linger is for how long nobody must have come before a door that is being shut counts as free. Whoever takes over an
// address gets those who come later; the ones here came before.
const linger = 50 * time.Millisecond

// Listener is what an edge answers on. Whoever wraps one has to pass its deadlines on: without them nobody is waited for
// when it is shut.
type Listener interface {
	net.Listener
	// SetDeadline bounds how long Accept waits; the zero time is no bound.
	SetDeadline(at time.Time) error
}

// door is a listener that can be shut without turning away who stands before it.
//
// When it stops, grpc-go closes its listeners, and with them the connections nobody has accepted yet, and those it has
// accepted but not begun to serve. For a gateway that connected just before its authz was replaced, that is a failed
// check. A connection that is being served ends in order: it is told to go away, and calls are made again elsewhere.
type door struct {
	net.Listener
	deadline func(time.Time) error
	settled  chan struct{} // closed once nobody stands before a door that is being shut

	mu       sync.Mutex
	shutting bool
	free     bool // nobody has come for a while since it began to shut
	entering int  // connections that were accepted and are not served yet
	// strangers are the connections that have not said what HTTP/2 and TLS want said first; nil once it is barred.
	strangers map[*guest]struct{}
}

// newDoor takes an open listener.
func newDoor(l Listener) *door {
	return &door{Listener: quiet(l), deadline: l.SetDeadline, settled: make(chan struct{}), strangers: map[*guest]struct{}{}}
}

// Accept waits for the next connection. While the door is being shut it still takes those that come.
func (d *door) Accept() (net.Conn, error) {
	for {
		closing := d.closes()
		if closing {
			_ = d.deadline(time.Now().Add(linger)) // it fails where the listener is closed, and Accept says so
		}
		conn, err := d.Listener.Accept()
		switch {
		case err == nil:
			return d.welcome(conn), nil
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err //nolint:wrapcheck // grpc-go looks at the very error
		}
		if closing { // else it was woken to begin with that
			d.note(func() { d.free = true })
		}
		_ = d.deadline(time.Time{})
	}
}

// welcome lets a connection in.
func (d *door) welcome(conn net.Conn) *guest {
	g := &guest{Conn: conn}
	g.served = sync.OnceFunc(func() { d.note(func() { d.entering-- }) })
	g.greeted = sync.OnceFunc(func() { d.note(func() { delete(d.strangers, g) }) })
	barred := false
	d.note(func() {
		d.entering++
		if barred = d.strangers == nil; !barred {
			d.strangers[g] = struct{}{}
		}
	})
	if barred {
		_ = conn.Close() // whoever serves it finds out
	}
	return g
}

// bar cuts the connections that have not begun to speak, and those that come from now on. For these grpc-go waits even
// when it is to stop at once.
func (d *door) bar() {
	var cut map[*guest]struct{}
	d.note(func() { cut, d.strangers = d.strangers, nil })
	for g := range cut {
		_ = g.Conn.Close() // whoever serves it finds out
	}
}

// closes reports whether the door is being shut and is not known to be free.
func (d *door) closes() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shutting && !d.free
}

// note notes what has changed, and tells whoever shuts the door when nobody stands before it any more.
func (d *door) note(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
	select {
	case <-d.settled:
	default:
		if d.free && d.entering == 0 {
			close(d.settled)
		}
	}
}

// shut waits until everybody who stands before the door is served, or until done is closed. The listener stays open:
// whoever serves it closes it.
func (d *door) shut(done <-chan struct{}) {
	d.note(func() { d.shutting = true })
	if d.deadline(time.Now().Add(linger)) != nil {
		return // it is closed
	}
	select {
	case <-d.settled:
	case <-done:
	}
}

// guest is a connection that has come through a door.
type guest struct {
	net.Conn
	served, greeted func()
}

// SetDeadline is the first thing grpc-go does with a connection once it has decided to serve it. It takes the deadline
// away when the other side has said what it has to say first.
func (g *guest) SetDeadline(t time.Time) error {
	g.served()
	if t.IsZero() {
		g.greeted()
	}
	return g.Conn.SetDeadline(t) //nolint:wrapcheck // it is the connection's own error
}

// Close ends the connection.
func (g *guest) Close() error {
	g.served()
	g.greeted()
	return g.Conn.Close() //nolint:wrapcheck // it is the connection's own error
}
