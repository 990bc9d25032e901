// Package people knows who may do what at the admin: users, their roles, and the tokens they and machines carry.
//
// A Roster holds the users, from the environment or from a file. Login turns a name and a password into a token. A
// token is text signed with a key that all admins share (HMAC-SHA256): nothing is stored when one is made, and every
// admin can verify it alone. It dies at its expiry, when the user's password changes or the user is removed (it
// carries a fingerprint of both), and when it is revoked. Revocations, and the tokens that machines were given, stand
// in the private part of the store, so that they reach every admin and survive restarts.
//
// Guessing is slow: argon2id work is bounded, an unknown user costs what a known one does, and tries are counted per
// user and address (see limits).
package people

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Sentinels that the API maps to status codes.
var (
	// ErrToken means that a token is not valid: forged, expired, revoked, or its user or password is gone.
	ErrToken = errors.New("the token is not valid or has expired")
	// ErrCredentials means that the name or the password is wrong.
	ErrCredentials = errors.New("wrong username or password")
	// ErrNoUsers means that the server has no users, so that nobody can log in.
	ErrNoUsers = errors.New("no users are configured: this server is open and needs no login")
	// ErrKeyReused means that an idempotency key was used for another token.
	ErrKeyReused = errors.New("this Idempotency-Key was used for another token: take a new one")
	// ErrForbidden means that the role does not allow it.
	ErrForbidden = errors.New("the role does not allow this")
)

// TooManyError means that there were too many tries.
type TooManyError struct {
	// After is how long to wait.
	After time.Duration
}

// Error implements error.
func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many login attempts: try again in %d s", e.Seconds())
}

// Seconds is After in whole seconds, rounded up: whoever comes back earlier is refused again.
func (e *TooManyError) Seconds() int { return max(1, int(math.Ceil(e.After.Seconds()))) }

// Config says how people are known.
type Config struct {
	Roster *Roster
	Store  state.Store
	// Stands tells where the store stands once it is sure to stay there: what is committed to one that is about to be
	// repaired is lost. It is asked before each commit; nil asks the store itself.
	Stands func(context.Context) (state.Pulse, error)
	// Secret signs tokens. Empty: a key is made once and kept in the private part of the store.
	Secret string
	// CLITerm and SDKTerm are how long the tokens of logins live.
	CLITerm, SDKTerm time.Duration
	Log              *zap.Logger
}

// Terms of tokens unless the configuration says otherwise.
const (
	DefaultCLITerm = 24 * time.Hour
	DefaultSDKTerm = 365 * 24 * time.Hour
)

// People verifies tokens and makes them. It is safe for concurrent use.
type People struct {
	cfg     Config
	view    atomic.Pointer[view]
	limits  *limits
	gate    chan struct{} // bounds argon2 work
	spare   chan struct{} // the same, for who is trusted
	refresh chan struct{}
	turn    chan struct{} // held while the private part is read and taken over
	ready   chan struct{}
	once    sync.Once
}

// New makes People; call Refresh before the first use and Run beside it.
func New(cfg Config) *People {
	if cfg.CLITerm <= 0 {
		cfg.CLITerm = DefaultCLITerm
	}
	if cfg.SDKTerm <= 0 {
		cfg.SDKTerm = DefaultSDKTerm
	}
	if cfg.Stands == nil && cfg.Store != nil {
		cfg.Stands = cfg.Store.Pulse
	}
	return &People{
		cfg: cfg, limits: newLimits(), gate: make(chan struct{}, hashesAtOnce), spare: make(chan struct{}, spareHashes),
		refresh: make(chan struct{}, 1), turn: make(chan struct{}, 1), ready: make(chan struct{}),
	}
}

// Ready is closed once tokens can be made and verified; on a server without users, once the private part was read.
func (p *People) Ready() <-chan struct{} { return p.ready }

// see makes a view the present one.
func (p *People) see(v *view) {
	p.view.Store(v)
	if v.key != nil || p.Open() {
		p.once.Do(func() { close(p.ready) })
	}
}

// Open reports whether there are no users: nobody can log in and nobody has to.
func (p *People) Open() bool { return p.cfg.Roster.Empty() }

// Principal is who makes a request and with what rights.
type Principal struct {
	Name     string
	Platform state.Platform
	Role     Role
	// TokenID names the token; empty on a server without users.
	TokenID string
	// Expires is when the token ends; zero on a server without users.
	Expires time.Time
}

// May returns ErrForbidden (wrapped, with what would be needed) unless the principal's role includes the scope.
func (p Principal) May(s Scope) error {
	if p.Role.May(s) {
		return nil
	}
	return fmt.Errorf("%w: %s has the role %s, which may not %s", ErrForbidden, p.Name, p.Role, s.sentence())
}

// Verify reads a token. ErrToken: it is not valid; state.ErrUnavailable: revocations could not be read yet, so that
// nobody can say.
func (p *People) Verify(text string) (Principal, error) {
	v := p.view.Load()
	if v == nil || v.key == nil {
		return Principal{}, fmt.Errorf("revoked tokens are not known yet: %w", state.ErrUnavailable)
	}
	c, err := parseToken(text, v.key)
	if err != nil {
		return Principal{}, err
	}
	who := Principal{Name: c.Name, Platform: c.Platform, Role: c.Role, TokenID: c.ID, Expires: time.Unix(c.Expires, 0).UTC()}
	if _, revoked := v.revoked[c.ID]; revoked || !time.Now().Before(who.Expires) {
		return Principal{}, ErrToken
	}
	if c.Machine {
		if _, listed := v.machines[c.ID]; !listed {
			return Principal{}, ErrToken
		}
		return who, nil
	}
	u, known := p.cfg.Roster.find(c.Name)
	if !known || !hmac.Equal([]byte(c.Fingerprint), []byte(u.fingerprint(v.key))) {
		return Principal{}, ErrToken
	}
	who.Role = u.Role
	return who, nil
}

// Logout revokes the principal's token, at every admin.
func (p *People) Logout(ctx context.Context, who Principal) error {
	if who.TokenID == "" {
		return nil
	}
	return p.revoke(ctx, who, who.TokenID, who.Expires)
}

// signingKey stretches a secret of any length to a key.
func signingKey(secret []byte) []byte {
	sum := sha256.Sum256(append([]byte("waygate token key\x00"), secret...))
	return sum[:]
}
