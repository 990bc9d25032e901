package httpsource

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// Config says which admin to read from, and as whom.
type Config struct {
	// Base is the admin's address with its base path: http://localhost:8000/waygate.
	Base string
	// Token is sent with every request; empty where the admin has no users.
	Token string
	// Namespace is the one that the admin must serve.
	Namespace string
	// TLS is how an https address is checked, and what certificate we show; nil is the machine's own roots.
	TLS *tls.Config
}

// Bounds of connecting.
const (
	dialTimeout = 2 * time.Second
	idleFor     = 90 * time.Second
	idleConns   = 4
)

// Source is a state.Source, and takes reports like a state.Fleet. It is safe for concurrent use.
type Source struct {
	base      string
	token     string
	namespace string
	http      *http.Client
	transport *http.Transport
	// known is set once an answer named our namespace.
	known atomic.Bool
	life  context.Context
	end   context.CancelFunc
}

// New makes a source. It connects to nothing yet; what it refuses is a *state.InvalidError that says what to write.
func New(cfg Config) (*Source, error) {
	u, err := url.Parse(strings.TrimSpace(cfg.Base))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, state.Invalid("source", "%.128q is no address of an admin: write it like http://localhost:8000/waygate", cfg.Base)
	}
	if u.User != nil {
		return nil, state.Invalid("source", "the address of an admin holds no user and no password: the token is WAYGATE_TOKEN")
	}
	token := strings.TrimSpace(cfg.Token)
	if strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, state.Invalid("token", "the token holds characters that no token has")
	}
	// HTTP/1.1 only: with one connection for each call, a call that hangs holds up no other.
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSClientConfig: cfg.TLS.Clone(), TLSHandshakeTimeout: dialTimeout, Protocols: protocols,
		MaxIdleConnsPerHost: idleConns, IdleConnTimeout: idleFor, DisableCompression: true,
	}
	s := &Source{
		base: strings.TrimRight(u.String(), "/"), token: token, namespace: cfg.Namespace, transport: transport,
		http: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s, nil
}

// Address is the admin's base URL. Nothing in it is secret.
func (s *Source) Address() string { return s.base }

// Close ends every call and watch that is under way with state.ErrUnavailable, and all that come after.
func (s *Source) Close() error {
	s.end()
	s.transport.CloseIdleConnections()
	return nil
}

var errClosed = errors.New("the source is closed")

// bounded is a context for one call: it ends with ctx, after a time, and with the source. The caller ends it.
func (s *Source) bounded(ctx context.Context, within time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, within)
	stop := context.AfterFunc(s.life, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// failed says that nothing was read or reported while doing something, and why. Ctx is the caller's: one that gave up
// gets the error of its context.
func (s *Source) failed(ctx context.Context, doing string, err error) error {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", doing, ctx.Err())
	case s.life.Err() != nil:
		return fmt.Errorf("%s: %w: %w", doing, errClosed, state.ErrUnavailable)
	case meansSomething(err):
		return fmt.Errorf("%s: %w", doing, err)
	}
	// Others of the connections that are kept may have been lost along with this one.
	s.transport.CloseIdleConnections()
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: the admin at %s does not answer: %w: %w", doing, s.base, state.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: the admin at %s: %w: %w", doing, s.base, state.ErrUnavailable, err)
}

// meansSomething reports whether an error says already what it is.
func meansSomething(err error) bool {
	for _, sentinel := range []error{state.ErrUnavailable, state.ErrEmpty, state.ErrGap, state.ErrDamaged} {
		if errors.Is(err, sentinel) {
			return true
		}
	}
	return false
}
