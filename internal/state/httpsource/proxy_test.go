package httpsource_test

import (
	"context"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// proxy is a wire between a source and an admin that can be cut, and go silent as behind a peer that vanished.
type proxy struct {
	listener net.Listener
	to       string

	mu     sync.Mutex
	silent bool
	down   bool
	conns  map[net.Conn]struct{}
	work   sync.WaitGroup
}

func newProxy(t *testing.T, server *httptest.Server) *proxy {
	t.Helper()
	p := &proxy{listener: listen(t, "127.0.0.1:0"), to: strings.TrimPrefix(server.URL, "http://"), conns: map[net.Conn]struct{}{}}
	p.work.Go(p.accept)
	t.Cleanup(func() {
		require.NoError(t, p.listener.Close())
		p.Cut()
		p.work.Wait()
	})
	return p
}

func (p *proxy) URL() string { return "http://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.carry(near) })
	}
}

// carry joins two connections until one of them ends.
func (p *proxy) carry(near net.Conn) {
	if !p.own(near) {
		return
	}
	defer p.drop(near)
	var d net.Dialer
	far, err := d.DialContext(context.Background(), "tcp", p.to)
	if err != nil || !p.own(far) {
		return
	}
	defer p.drop(far)
	var both sync.WaitGroup
	both.Go(func() { p.copy(far, near) })
	both.Go(func() { p.copy(near, far) })
	both.Wait()
}

// copy hands on what it reads. What comes on a silent wire is lost.
func (p *proxy) copy(to, from net.Conn) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buf := make([]byte, 4096)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if silent {
			_, _ = io.Copy(io.Discard, from)
			return
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) own(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// Cut ends all connections, and new ones as soon as they come.
func (p *proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for c := range p.conns {
		_ = c.Close()
	}
}

// Silence loses everything from now on, without a word to anybody.
func (p *proxy) Silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = true
}

// Heal ends what was silent and lets new connections through.
func (p *proxy) Heal() {
	p.Cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent, p.down = false, false
}
