package security

import (
	"strconv"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Kind is what happened, as one word.
type Kind string

// The refusals.
const (
	LoginFailed  Kind = "login_failed"
	TooManyTries Kind = "too_many_tries"
	// TokenMissing is a call that needs a token and has none, TokenRefused one with a token that does not count.
	TokenMissing Kind = "token_missing"
	TokenRefused Kind = "token_refused"
	// Denied is a call that the caller's role does not allow.
	Denied Kind = "denied"
	// CrossSite is a call that a page of another site made, WrongHost one that names this server in a way it may not have.
	CrossSite Kind = "cross_site"
	WrongHost Kind = "wrong_host"
)

// What was allowed and is of interest.
const (
	LoggedIn     Kind = "logged_in"
	LoggedOut    Kind = "logged_out"
	TokenCreated Kind = "token_created"
	TokenRevoked Kind = "token_revoked"
)

// Refusals are all kinds of refusals.
func Refusals() []Kind {
	return []Kind{LoginFailed, TooManyTries, TokenMissing, TokenRefused, Denied, CrossSite, WrongHost}
}

// refusal reports whether the kind is one that anybody can cause.
func (k Kind) refusal() bool {
	switch k {
	case LoggedIn, LoggedOut, TokenCreated, TokenRevoked:
		return false
	default:
		return true
	}
}

func (k Kind) sentence() string {
	switch k {
	case LoggedIn:
		return "somebody logged in"
	case LoggedOut:
		return "somebody logged out"
	case TokenCreated:
		return "a token was made"
	case TokenRevoked:
		return "a token was revoked"
	default:
		return "a call was refused"
	}
}

// Event is something that happened at the door.
type Event struct {
	Kind Kind
	// Peer is the other end of the connection, and not who it claims to speak for.
	Peer string
	// User is who the caller is, or (of a login) says to be; empty where nobody knows.
	User string
	// Method, Path and Status are the call's. The path is without its query.
	Method, Path string
	Status       int
	// Token is the id of the token that the event is about, and For who carries it.
	Token, For string
}

// Bounds of what others chose, in bytes.
const (
	maxName = 80
	maxPath = 200
)

func (e *Event) fields() []zapcore.Field {
	all := []zapcore.Field{
		zap.String("kind", string(e.Kind)), zap.String("peer", clean(e.Peer, maxName)), zap.String("user", clean(e.User, maxName)),
		zap.String("method", clean(e.Method, maxName)), zap.String("path", clean(e.Path, maxPath)), zap.Int("status", e.Status),
	}
	if e.Token != "" {
		all = append(all, zap.String("token_id", clean(e.Token, maxName)))
	}
	if e.For != "" {
		all = append(all, zap.String("token_for", clean(e.For, maxName)))
	}
	return all
}

// clean cuts a text short and escapes what is not printable, so that it can fake no line and hide nothing on a terminal.
func clean(text string, limit int) string {
	cut := len(text) > limit
	if cut {
		text = text[:limit]
	}
	quoted := strconv.Quote(strings.ToValidUTF8(text, "?"))
	text = strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`)
	if cut {
		text += "…"
	}
	return text
}
