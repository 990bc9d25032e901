package webhook_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/waygate/waygate/internal/admin/webhook"
	"github.com/waygate/waygate/internal/state"
)

// canary listens on loopback and counts whoever connects.
func canary(t *testing.T) (port string, connections func() int64) {
	t.Helper()
	var n atomic.Int64
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { require.NoError(t, l.Close()); <-done })
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port, n.Load
}

// nameserver answers every question with what answer gives for the nth one.
func nameserver(t *testing.T, answer func(n int64, name string) netip.Addr) *net.Resolver {
	t.Helper()
	var asked atomic.Int64
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			size, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answerTo(buf[:size], &asked, answer); reply != nil {
				_, _ = conn.WriteTo(reply, from)
			}
		}
	}()
	t.Cleanup(func() { require.NoError(t, conn.Close()); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

func answerTo(question []byte, asked *atomic.Int64, answer func(int64, string) netip.Addr) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	q := m.Questions[0]
	head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
	addr := answer(asked.Add(1), q.Name.String())
	switch {
	case q.Type == dnsmessage.TypeA && addr.Is4():
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AResource{A: addr.As4()}}}
	case q.Type == dnsmessage.TypeAAAA && addr.Is6():
		m.Answers = []dnsmessage.Resource{{Header: head, Body: &dnsmessage.AAAAResource{AAAA: addr.As16()}}}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// sending makes a dispatcher with real connections.
func sending(t *testing.T, resolver *net.Resolver) *webhook.Dispatcher {
	t.Helper()
	s := newStage(t)
	return webhook.New(webhook.Config{
		Log: s.store, Desk: s.store, Endpoints: s.endpoints, Owner: "x", Timeout: 2 * time.Second, Resolver: resolver,
	})
}

// hostile are ways to write loopback, private and special addresses.
var hostile = []string{
	"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "0",
	"0.0.0.0", "127.0.0.1.", "127.255.255.254", "localhost", "LOCALHOST", "localhost.", "%6c%6f%63%61%6c%68%6f%73%74", "ⓛocalhost",
	"127。0。0。1", "１２７.0.0.1", "①②⑦.⓪.⓪.①", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]",
	"[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
	"[2002:7f00:1::1]", "[2001:0:7f00:1::]", "[2001::1]", "[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[fc00::1]", "[fd00:ec2::254]",
	"[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
	"169.254.169.254", "169.254.170.2", "100.64.0.1", "100.127.255.255", "100.100.100.200", "192.0.0.192", "168.63.129.16", "192.0.2.1", "198.18.0.1",
	"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
	"user@127.0.0.1", "example.com@127.0.0.1", "127.0.0.1#@example.com", "127.0.0.1\\@example.com", "127.0.0.1%00.example.com",
	"rebound.example.com", "loop.example.com", "mapped.example.com",
}

func TestNothingOfOursIsConnectedTo(t *testing.T) {
	require.GreaterOrEqual(t, len(hostile), 60)
	port, connections := canary(t)
	resolver := nameserver(t, func(_ int64, name string) netip.Addr {
		if strings.HasPrefix(name, "mapped.") {
			return netip.MustParseAddr("::ffff:127.0.0.1")
		}
		return netip.MustParseAddr("127.0.0.1")
	})
	d := sending(t, resolver)
	for _, host := range hostile {
		for _, form := range []string{"https://" + host, "http://" + host} {
			e := webhook.Endpoint{ID: "e", URL: form + "/x", Filter: webhook.Filter{Actions: []state.Action{state.ActionDisable}}}
			if at := strings.IndexAny(host, "#\\"); at < 0 {
				e.URL = form + ":" + port + "/x"
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			attempts, err := d.Test(ctx, e)
			cancel()
			if _, invalid := errors.AsType[*state.InvalidError](err); invalid {
				continue
			}
			require.NoError(t, err, e.URL)
			require.Equal(t, webhook.OutcomeFailed, attempts[0].Outcome, e.URL)
		}
	}
	require.Zero(t, connections())
}

// A name that is public when it is looked at and ours when it is connected to: the address connected to is what counts.
func TestANameThatChangesIsNotFollowed(t *testing.T) {
	port, connections := canary(t)
	resolver := nameserver(t, func(n int64, _ string) netip.Addr {
		if n%3 == 1 {
			return netip.MustParseAddr("192.0.2.7") // refused as well, and nobody is there
		}
		return netip.MustParseAddr("127.0.0.1")
	})
	d := sending(t, resolver)
	e := webhook.Endpoint{ID: "e", URL: "https://rebound.example.com:" + port + "/", Filter: webhook.Filter{Actions: []state.Action{state.ActionDisable}}}
	for range 20 {
		attempts, err := d.Test(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, webhook.OutcomeFailed, attempts[0].Outcome)
		require.Contains(t, attempts[0].Error, "is not a public address")
	}
	require.Zero(t, connections())
}

func TestNoRedirectIsFollowedAndNoProxyAsked(t *testing.T) {
	port, connections := canary(t)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:"+port)
	redirects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		code := http.StatusFound
		if r.URL.Path == "/307" {
			code = http.StatusTemporaryRedirect
		}
		http.Redirect(w, r, "http://127.0.0.1:"+port+"/", code)
	}))
	t.Cleanup(redirects.Close)
	at, err := url.Parse(redirects.URL)
	require.NoError(t, err)
	d := sending(t, nil)
	for _, path := range []string{"/302", "/307"} {
		e := webhook.Endpoint{ID: "e", URL: redirects.URL + path, Allow: []string{at.Host}, Filter: webhook.Filter{Actions: []state.Action{state.ActionDisable}}}
		attempts, err := d.Test(t.Context(), e)
		require.NoError(t, err)
		require.Equal(t, webhook.OutcomeRefused, attempts[0].Outcome, attempts[0].Error)
		require.Contains(t, attempts[0].Error, "redirects are not followed")
	}
	require.Zero(t, connections())
}

func TestWhatIsAllowedIsReached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("long ", 100_000)))
	}))
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	resolver := nameserver(t, func(int64, string) netip.Addr { return netip.MustParseAddr("127.0.0.1") })
	d := sending(t, resolver)
	for _, c := range []struct {
		host  string
		allow string
		taken bool
	}{
		{"127.0.0.1", "127.0.0.0/8", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", at.Host, true},
		{"127.0.0.1", "127.0.0.1:1", false},
		{"127.0.0.1", "10.0.0.0/8", false},
		{"hooks.internal", "hooks.internal", true},
		{"hooks.internal", "HOOKS.internal.:" + at.Port(), true},
		{"hooks.internal", "127.0.0.1", true},
		{"hooks.internal", "other.internal", false},
		{"hooks.internal", "hooks.internal:1", false},
	} {
		e := webhook.Endpoint{ID: "e", URL: "http://" + net.JoinHostPort(c.host, at.Port()), Allow: []string{c.allow}, Filter: webhook.Filter{Actions: []state.Action{state.ActionDisable}}}
		attempts, err := d.Test(t.Context(), e)
		taken := err == nil && attempts[0].Outcome == webhook.OutcomeDelivered
		require.Equal(t, c.taken, taken, "%s for %s: %v", c.allow, c.host, err)
		if taken {
			require.Len(t, attempts[0].Response.Body, 1024)
		}
	}
}

func TestPublicAddressesAreThoseOfTheInternet(t *testing.T) {
	for _, text := range []string{"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "192.0.1.0", "2606:4700::1111", "2a00::1", "::ffff:1.1.1.1"} {
		require.True(t, webhook.Public(netip.MustParseAddr(text)), text)
	}
	require.False(t, webhook.Public(netip.Addr{}))
	require.False(t, webhook.Public(netip.MustParseAddr("168.63.129.16")), "Azure's, of each machine")
}

// Whoever lists a host means a receiver, and never what a cloud tells its machines.
func TestAHostThatIsListedIsNoMetadataService(t *testing.T) {
	for _, at := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"} {
		d := sending(t, nameserver(t, func(int64, string) netip.Addr { return netip.MustParseAddr(at) }))
		e := webhook.Endpoint{
			ID: "e", URL: "http://hooks.internal/", Allow: []string{"hooks.internal"}, Filter: webhook.Filter{Actions: []state.Action{state.ActionDisable}},
		}
		attempts, err := d.Test(t.Context(), e)
		require.NoError(t, err)
		require.Contains(t, attempts[0].Error, "is not a public address", at)
	}
}
