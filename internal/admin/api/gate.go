package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/security"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// Names of the headers and the cookie that clients in the field use.
const (
	tokenHeader    = "X-Waygate-Token" //nolint:gosec // the name of a header
	actorHeader    = "X-Waygate-Actor"
	platformHeader = "X-Waygate-Platform"
	cookieName     = "waygate_session"
)

// The addresses at which people log in.
const (
	loginPath     = "/api/auth/login"
	loginFormPath = "/login"
)

// gate lets a request through to next if it may pass, with its body read and a deadline.
func (s *server) gate(w http.ResponseWriter, r *http.Request, below string, next http.HandlerFunc) {
	seen := visitOf(r.Context())
	if err := s.origin.Check(r); err != nil {
		seen.kind = security.CrossSite
		write(w, newProblem(http.StatusForbidden, wire.ProblemBlank, "pages of other sites may not change anything here"))
		return
	}
	if below == feedPath {
		r = feedToken(r)
	}
	if !free(r.Method, below) {
		who, err := s.admit(r)
		if err != nil {
			seen.kind = refusalOf(r)
			s.refuse(w, r, below, problemOf(err))
			return
		}
		seen.user = who.Name
		if err := who.May(people.ScopeChange); err != nil && below == importPath {
			// Such a body is large: it is not read for who may not send it.
			write(w, problemOf(err))
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), principalKey{}, who))
	}
	if s.streams(r.Method, below) || pours(r.Method, below) {
		next(w, r)
		return
	}
	if err := readBody(w, r, below); err != nil {
		write(w, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.patience(w, below))
	defer cancel()
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		p := newProblem(http.StatusServiceUnavailable, wire.ProblemBlank, "too many calls at once")
		p.retryAfter = 1
		write(w, p)
		return
	}
	next(w, r.WithContext(ctx))
}

// patience is how long a call may take. A large import takes longer than anything else, and has the time to.
func (s *server) patience(w http.ResponseWriter, below string) time.Duration {
	if below != importPath && below != trimPath {
		return callFor
	}
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(2 * importFor)); err != nil {
		s.cfg.Log.Debug("the time for an answer cannot be set", zap.Error(err))
	}
	return importFor
}

// refuse answers a call without a right to it. The events of the older SDK are refused slowly: it asks again at once.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, below string, p *problem) {
	if below == sdkEventsPath {
		linger(r.Context())
	}
	if p.Status >= http.StatusInternalServerError {
		s.cfg.Log.Warn("a call could not be admitted", zap.String("error", p.Message))
	}
	write(w, p)
}

// linger waits as long as a client that asks again at once should be kept waiting.
func linger(ctx context.Context) {
	timer := time.NewTimer(slowRefusal)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// free reports whether an address below the base path needs no token. It compares whole addresses: nothing is free
// because of how it begins or ends, or what it contains.
func free(method, path string) bool {
	switch path {
	case "/", loginFormPath, "/api/docs", "/api/openapi.json":
		return method == http.MethodGet || method == http.MethodHead || method == http.MethodPost && path == loginFormPath
	case loginPath:
		return method == http.MethodPost
	default:
		return false
	}
}

type principalKey struct{}

// principal is who makes the call.
func principal(ctx context.Context) people.Principal {
	who, _ := ctx.Value(principalKey{}).(people.Principal)
	return who
}

// admit finds out who makes a call that is not free. The errors are people.ErrToken and state.ErrUnavailable.
func (s *server) admit(r *http.Request) (people.Principal, error) {
	if s.cfg.People.Open() {
		return people.Principal{
			Name: claimedActor(r.Header.Get(actorHeader)), Platform: claimedPlatform(r.Header.Get(platformHeader)), Role: people.Admin,
		}, nil
	}
	text := tokenOf(r)
	if text == "" {
		return people.Principal{}, newProblem(http.StatusUnauthorized, wire.ProblemBlank,
			"a token is needed: log in, or send one as "+tokenHeader+" or Authorization: Bearer")
	}
	return s.cfg.People.Verify(text)
}

// feedToken takes the token of a request for the calendar feed out of its address, where no header carries one: the
// programs that read such feeds are given an address and nothing else. Nothing after this sees it there.
func feedToken(r *http.Request) *http.Request {
	query := r.URL.Query()
	text := query.Get("token")
	if text == "" {
		return r
	}
	query.Del("token")
	sub := r.Clone(r.Context())
	sub.URL.RawQuery, sub.RequestURI = query.Encode(), ""
	if tokenOf(sub) == "" {
		sub.Header.Set(tokenHeader, text)
	}
	return sub
}

// tokenOf finds the token of a request: its own header, a bearer token, or the cookie of the pages.
func tokenOf(r *http.Request) string {
	if t := strings.TrimSpace(r.Header.Get(tokenHeader)); t != "" {
		return t
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	if rest = strings.TrimSpace(rest); strings.EqualFold(scheme, "bearer") && rest != "" {
		return rest
	}
	if c, err := r.Cookie(cookieName); err == nil {
		return c.Value
	}
	return ""
}

// maxActor bounds what a server without users believes of an actor, in bytes.
const maxActor = 128

// claimedActor is who a caller of a server without users says to be. Nobody is the scheduler by saying so.
func claimedActor(text string) string {
	text = strings.ToValidUTF8(strings.TrimSpace(text), "")
	clean := strings.Map(func(c rune) rune {
		if unicode.IsControl(c) {
			return -1
		}
		return c
	}, text[:min(len(text), maxActor)])
	if clean = strings.ToValidUTF8(clean, ""); clean == "" || strings.EqualFold(clean, "system") {
		return "anonymous"
	}
	return clean
}

func claimedPlatform(text string) state.Platform {
	switch p := state.Platform(strings.ToLower(strings.TrimSpace(text))); p {
	case state.PlatformCLI, state.PlatformDashboard, state.PlatformSDK:
		return p
	default:
		return state.PlatformAPI
	}
}

// localHost reports whether a Host header names this machine as only it can be named from here. A page on another site
// that had its own name resolved to 127.0.0.1 sends that name.
func localHost(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.ToLower(strings.TrimSuffix(strings.Trim(name, "[]"), "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(name)
	return err == nil && addr.IsLoopback()
}

// overSocket reports whether a call came over a Unix socket, where the file's permissions say who may.
func overSocket(r *http.Request) bool {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && addr.Network() == "unix"
}
