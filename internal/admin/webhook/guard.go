package webhook

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// Bounds of one attempt, beside its time.
const (
	maxAnswer       = 64 << 10
	maxAnswerHeader = 64 << 10
	idleFor         = 30 * time.Second
)

// newClient makes the client of one endpoint. Connections are not shared between endpoints: what one may reach another
// may not. It follows no redirect, asks no proxy, and looks at each address right before it is connected to.
func newClient(e *Endpoint, within time.Duration, resolver *net.Resolver) (*http.Client, error) {
	allow, err := parseAllow(e.Allow)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return nil, fmt.Errorf("read the endpoint's url: %w", err)
	}
	secure := u.Scheme == "https"
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err //nolint:wrapcheck // the client says what was being done
			}
			asked := target{host: host, port: port, secure: secure}
			dialer := net.Dialer{Timeout: within, Resolver: resolver, Control: func(_, connected string, _ syscall.RawConn) error {
				return checkConnected(allow, asked, connected)
			}}
			return dialer.DialContext(ctx, network, address) //nolint:wrapcheck // the client says what was being done
		},
		TLSHandshakeTimeout: within, ResponseHeaderTimeout: within, IdleConnTimeout: idleFor,
		MaxConnsPerHost: maxLanes, MaxIdleConnsPerHost: maxLanes, MaxIdleConns: maxLanes,
		MaxResponseHeaderBytes: maxAnswerHeader, ForceAttemptHTTP2: true, DisableCompression: true,
	}
	return &http.Client{
		Transport: transport, Timeout: within,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// checkConnected looks at the address that is about to be connected to, as the system was given it.
func checkConnected(allow allowList, asked target, connected string) error {
	at, err := netip.ParseAddrPort(connected)
	if err != nil {
		return fmt.Errorf("%q: %w", connected, errForbidden)
	}
	return allow.check(asked, at.Addr())
}
