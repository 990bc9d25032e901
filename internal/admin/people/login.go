package people

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/waygate/waygate/internal/state"
)

// Session is what a login gives.
type Session struct {
	Token string
	Principal
}

// nobody stands for every name that no user can have: what is counted of tries must not grow with what is sent.
const nobody = ""

// Login turns a name and a password into a token for a platform (cli, sdk or dashboard; anything else counts as cli).
// Peer is the address that asks. The errors are ErrNoUsers, ErrCredentials, *TooManyError and state.ErrUnavailable.
func (p *People) Login(ctx context.Context, name, password string, platform state.Platform, peer string) (Session, error) {
	if p.Open() {
		return Session{}, ErrNoUsers
	}
	v := p.view.Load()
	if v == nil || v.key == nil {
		return Session{}, fmt.Errorf("the signing secret is not known yet: %w", state.ErrUnavailable)
	}
	if !nameForm().MatchString(name) {
		name = nobody
	}
	if wait := p.limits.take(name, peer, time.Now()); wait > 0 {
		return Session{}, &TooManyError{After: wait}
	}
	u, known := p.cfg.Roster.find(name)
	against := u.hash
	if !known {
		against = p.cfg.Roster.unknown()
	}
	right, err := p.check(ctx, against, password, p.limits.trusts(name, peer, time.Now()))
	if err != nil {
		return Session{}, err
	}
	if !right || !known {
		return Session{}, ErrCredentials
	}
	p.limits.succeeded(name, peer, time.Now())
	return p.session(u, platform, v.key)
}

func (p *People) session(u user, platform state.Platform, key []byte) (Session, error) {
	term := p.cfg.CLITerm
	switch platform {
	case state.PlatformSDK:
		term = p.cfg.SDKTerm
	case state.PlatformDashboard:
	default:
		platform = state.PlatformCLI
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Session{}, fmt.Errorf("make an id: %w", err)
	}
	who := Principal{
		Name: u.Name, Platform: platform, Role: u.Role, TokenID: id.String(),
		Expires: time.Now().Add(term).UTC().Truncate(time.Second),
	}
	text, err := claims{
		ID: who.TokenID, Name: who.Name, Platform: platform, Role: who.Role, Expires: who.Expires.Unix(),
		Fingerprint: u.fingerprint(key),
	}.sign(key)
	if err != nil {
		return Session{}, fmt.Errorf("sign the token: %w", err)
	}
	return Session{Token: text, Principal: who}, nil
}
