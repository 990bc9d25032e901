package api

import (
	"cmp"
	"context"
	"net/http"

	"github.com/waygate/waygate/internal/admin/security"
)

// visit is what is learnt of a call on its way, for the security log. It belongs to the call's goroutine.
type visit struct {
	kind       security.Kind // empty: what the status says
	user       string
	token, who string // the token that the call is about, and who carries it
}

type visitKey struct{}

// visitOf is the visit that a call is; one that nobody looks at where there is none.
func visitOf(ctx context.Context) *visit {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		return v
	}
	return new(visit)
}

// witnessed is an answer whose status is looked at.
type witnessed struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (w *witnessed) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap gives http.ResponseController what it works on.
func (w *witnessed) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// witness lets next answer and notes what is of interest.
func (s *server) witness(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if s.cfg.Security == nil {
		next(w, r)
		return
	}
	v, seen := new(visit), &witnessed{ResponseWriter: w}
	defer func() { s.note(r, v, cmp.Or(seen.status, http.StatusOK)) }()
	next(seen, r.WithContext(context.WithValue(r.Context(), visitKey{}, v)))
}

// refusalOf says what is wrong with a call that was not admitted.
func refusalOf(r *http.Request) security.Kind {
	if tokenOf(r) == "" {
		return security.TokenMissing
	}
	return security.TokenRefused
}

// note writes to the security log what a call came to. What succeeded is of interest only where the call said so.
func (s *server) note(r *http.Request, v *visit, status int) {
	kind := v.kind
	switch status {
	case http.StatusUnauthorized:
		kind = cmp.Or(kind, security.TokenRefused)
	case http.StatusForbidden:
		kind = cmp.Or(kind, security.Denied)
	case http.StatusTooManyRequests:
		kind = security.TooManyTries
	case http.StatusOK, http.StatusSeeOther:
	default:
		return
	}
	if kind == "" {
		return
	}
	s.cfg.Security.Note(security.Event{
		Kind: kind, Peer: cmp.Or(r.RemoteAddr, "unix"), User: v.user, Method: r.Method, Path: r.URL.Path, Status: status,
		Token: v.token, For: v.who,
	})
}
