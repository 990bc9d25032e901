package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waygate/waygate/internal/admin/people"
	"github.com/waygate/waygate/internal/admin/security"
	"github.com/waygate/waygate/internal/admin/wire"
	"github.com/waygate/waygate/internal/state"
)

// loginInput carries the address of the caller besides the body.
type loginInput struct {
	peer string
	Body wire.LoginBody
}

// Resolve implements huma.Resolver.
func (l *loginInput) Resolve(ctx huma.Context) []error {
	l.peer = ctx.RemoteAddr()
	return nil
}

type tokenID struct {
	ID string `path:"id" doc:"The token's id, as listed"`
}

// auth registers the calls about people and tokens.
func (s *server) auth(d huma.API) {
	op := operation(http.MethodPost, "/auth/login", "login", "people", "Turn a name and a password into a token")
	op.Security = []map[string][]string{}
	handle(s, d, op, "", s.login)
	handle(s, d, operation(http.MethodPost, "/auth/logout", "logout", "people", "Revoke the token of this call, at every admin"),
		people.ScopeSelf, func(ctx context.Context, who people.Principal, _ *nothing) (wire.Done, error) {
			v := visitOf(ctx)
			v.kind, v.token, v.who = security.LoggedOut, who.TokenID, who.Name
			return wire.Done{OK: true}, s.cfg.People.Logout(ctx, who)
		})
	handle(s, d, operation(http.MethodGet, "/auth/me", "me", "people", "Who the token of this call says you are"),
		people.ScopeSelf, me)
	handle(s, d, operation(http.MethodGet, "/tokens", "list-tokens", "people", "The tokens of machines"),
		people.ScopeAdmin, s.listTokens)
	handle(s, d, operation(http.MethodPost, "/tokens", "create-token", "people", "Make a token for a machine"),
		people.ScopeAdmin, s.createToken)
	handle(s, d, operation(http.MethodDelete, "/tokens/{id}", "revoke-token", "people", "End a machine's token, at every admin"),
		people.ScopeAdmin, func(ctx context.Context, who people.Principal, in *tokenID) (wire.Done, error) {
			v := visitOf(ctx)
			v.kind, v.token = security.TokenRevoked, in.ID
			return wire.Done{OK: true}, s.cfg.People.RevokeToken(ctx, who, in.ID)
		})
}

func (s *server) login(ctx context.Context, _ people.Principal, in *loginInput) (wire.Login, error) {
	platform := state.PlatformCLI
	if in.Body.Platform == string(state.PlatformSDK) {
		platform = state.PlatformSDK
	}
	session, err := s.enter(ctx, in.Body.Username, in.Body.Password, platform, in.peer)
	if err != nil {
		return wire.Login{}, err
	}
	return wire.Login{
		Token: session.Token, Username: session.Name, ExpiresAt: wire.Stamp(session.Expires), Role: string(session.Role),
	}, nil
}

// enter is People.Login, of which the security log hears.
func (s *server) enter(ctx context.Context, name, password string, platform state.Platform, peer string) (people.Session, error) {
	v := visitOf(ctx)
	v.kind, v.user = security.LoginFailed, name
	session, err := s.cfg.People.Login(ctx, name, password, platform, peer)
	if err == nil {
		v.kind, v.token = security.LoggedIn, session.TokenID
	}
	return session, err //nolint:wrapcheck // the use case's errors are the call's
}

func me(_ context.Context, who people.Principal, _ *nothing) (wire.Me, error) {
	scopes := []string{}
	for _, scope := range who.Role.Scopes() {
		scopes = append(scopes, string(scope))
	}
	return wire.Me{
		Username: who.Name, Platform: string(who.Platform), Role: string(who.Role), Scopes: scopes,
		ExpiresAt: wire.StampOrNil(who.Expires),
	}, nil
}

func (s *server) listTokens(_ context.Context, _ people.Principal, _ *nothing) ([]wire.Token, error) {
	machines, err := s.cfg.People.Tokens()
	if err != nil {
		return nil, err //nolint:wrapcheck // the use case's errors are the call's
	}
	out := make([]wire.Token, len(machines))
	for i, m := range machines {
		out[i] = token(m)
	}
	return out, nil
}

func token(m people.Machine) wire.Token {
	return wire.Token{
		ID: m.ID, Name: m.Name, Role: string(m.Role), CreatedBy: m.By,
		CreatedAt: wire.Stamp(m.Made), ExpiresAt: wire.Stamp(m.Expires),
	}
}

func (s *server) createToken(ctx context.Context, who people.Principal, in *global[wire.TokenBody]) (wire.NewToken, error) {
	role, err := people.ParseRole(in.Body.Role)
	if err != nil {
		return wire.NewToken{}, err //nolint:wrapcheck // it names the choices
	}
	term := people.DefaultMachineTerm
	if in.Body.TTL != "" {
		if term, err = wire.ParseDuration(in.Body.TTL); err != nil {
			return wire.NewToken{}, state.Invalid("ttl", "%q is not a duration: write 90d or 1y", in.Body.TTL)
		}
	}
	made, err := s.cfg.People.CreateToken(ctx, who, in.Retry, in.Body.Name, role, term.Truncate(time.Second))
	if err != nil {
		return wire.NewToken{}, err //nolint:wrapcheck // the use case's errors are the call's
	}
	at := wire.Place{Revision: made.Receipt.Frame.Rev, Epoch: made.Receipt.Frame.Epoch}
	if !at.Told() { // it was made before, under the same key
		view, err := s.cfg.Service.View()
		if err != nil {
			return wire.NewToken{}, err //nolint:wrapcheck // the use case's errors are the call's
		}
		at = place(view.Place())
	}
	v := visitOf(ctx)
	v.kind, v.token, v.who = security.TokenCreated, made.ID, made.Name
	return wire.NewToken{Token: token(made.Machine), Text: made.Text, Place: at}, nil
}
