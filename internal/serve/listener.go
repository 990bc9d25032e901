package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"time"
)

// Listener is a bound listener that clients find once [Listener.Publish] was called.
//
// A Unix socket is bound under a name of its own and renamed over the path asked for, and it is never unlinked. So a
// second process takes the path over between two connections without a moment at which nobody listens, and the first
// one, which ends later, does not take the second one's socket away.
type Listener struct {
	net.Listener
	address Address
	bound   string      // the name to rename; empty for TCP and once published
	file    fs.FileInfo // of the socket
}

// Option changes how [Listen] binds.
type Option func(*net.ListenConfig)

// Shared lets other processes of the same user bind the same TCP port (SO_REUSEPORT), so that a new process takes new
// connections before the old one stops. Without it a port in use is an error.
func Shared() Option {
	return func(c *net.ListenConfig) { c.Control = reusePort }
}

// Listen binds a.
func Listen(ctx context.Context, a Address, options ...Option) (*Listener, error) {
	var config net.ListenConfig
	if a.Network == "tcp" {
		for _, o := range options {
			o(&config)
		}
		l, err := config.Listen(ctx, a.Network, a.Target)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		return &Listener{Listener: l, address: a}, nil
	}
	if stat, err := os.Lstat(a.Target); err == nil && stat.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("listen on unix://%s: something that is no socket is in its place", a.Target)
	}
	bound := temporary(a.Target)
	// What an earlier process of the same id left there is nobody's.
	if err := os.Remove(bound); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listen: %w", err)
	}
	l, err := config.Listen(ctx, a.Network, bound)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if u, ok := l.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
	file, err := os.Lstat(bound)
	if err == nil {
		err = os.Chmod(bound, a.Mode)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen: %w", err), l.Close(), os.Remove(bound))
	}
	return &Listener{Listener: l, address: a, bound: bound, file: file}, nil
}

// Publish puts a Unix socket in its place, over the one that is there. For TCP, and when called again, it does nothing.
func (l *Listener) Publish() error {
	if l.bound == "" {
		return nil
	}
	if err := os.Rename(l.bound, l.address.Target); err != nil {
		return fmt.Errorf("put the socket in its place: %w", err)
	}
	l.bound = ""
	return nil
}

// Close stops listening. A socket that was published stays where it is: another process may have put its own there.
func (l *Listener) Close() error {
	err := l.Listener.Close()
	if l.bound != "" {
		err = errors.Join(err, os.Remove(l.bound))
		l.bound = ""
	}
	return err
}

// SetDeadline bounds how long Accept waits; the zero time is no bound.
func (l *Listener) SetDeadline(at time.Time) error {
	timed, ok := l.Listener.(interface{ SetDeadline(at time.Time) error })
	if !ok {
		return fmt.Errorf("bound a wait for clients: %w", errors.ErrUnsupported)
	}
	return timed.SetDeadline(at) //nolint:wrapcheck // it names the address
}

// Replaced reports whether another process has put its socket in the place of this one. Of a TCP port nobody can tell.
func (l *Listener) Replaced() bool {
	if l.file == nil || l.bound != "" {
		return false
	}
	file, err := os.Lstat(l.address.Target)
	return err == nil && !os.SameFile(file, l.file)
}

// String is the address that clients use, with the port that was bound: "127.0.0.1:41233" or "unix:///run/x.sock".
func (l *Listener) String() string {
	if l.address.Network == "unix" {
		return "unix://" + l.address.Target
	}
	return l.Addr().String()
}

// TCP reports whether it listens on TCP.
func (l *Listener) TCP() bool { return l.address.Network == "tcp" }
