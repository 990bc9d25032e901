package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"unicode"

	"github.com/waygate/waygate/internal/admin/people"
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
