package people

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/waygate/waygate/internal/state"
)

// Names of the fields of the private part that are people's.
const (
	fieldSecret  = "secret"   // the generated signing secret
	fieldMachine = "token:"   // + token id: a machine's token, as JSON
	fieldRevoked = "revoked:" // + token id: Unix seconds of the expiry of a revoked token
)

// commitTries bounds how often a private commit that met another one is tried again.
const commitTries = 50

// keepRevoked is how long a revocation outlives its token: where an admin's clock is behind, the token still lives.
const keepRevoked = 24 * time.Hour

// view is the private part as it is needed to verify tokens. It is immutable.
type view struct {
	key      []byte // nil: there is no secret yet, and no token
	revoked  map[string]int64
	machines map[string]Machine
}

// Refresh reads revocations and machine tokens from the store; where no signing secret is configured, it reads the
// generated one, and makes it when there is none yet. A server without users makes none: nobody logs in.
func (p *People) Refresh(ctx context.Context) error { return p.refreshWith(ctx, !p.Open()) }

func (p *People) refreshWith(ctx context.Context, create bool) error {
	// One after the other: what was read before a revocation must not be taken over after it.
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return fmt.Errorf("read revocations: %w", ctx.Err())
	}
	for range commitTries {
		at, err := p.cfg.Stands(ctx)
		if err != nil {
			return err //nolint:wrapcheck // the store says what was being done
		}
		fields, err := p.cfg.Store.Private(ctx)
		if err != nil {
			return err //nolint:wrapcheck // the store says what was being done
		}
		if v := p.readView(fields); v.key != nil || !create {
			p.see(v)
			return nil
		}
		err = p.commitAt(ctx, at, Principal{Name: "system", Platform: state.PlatformSystem},
			map[string][]byte{fieldSecret: []byte(rand.Text() + rand.Text())})
		if err != nil && !errors.Is(err, state.ErrConflict) {
			return fmt.Errorf("keep a new signing secret: %w", err)
		}
	}
	return fmt.Errorf("the store changes too fast to read it: %w", state.ErrUnavailable)
}

// SetInitial takes the private part as it was known before, until the store can be read. It is called before Run.
func (p *People) SetInitial(fields map[string][]byte) {
	if v := p.readView(fields); v.key != nil || p.Open() {
		p.see(v)
	}
}

// readView reads the private part. Its key is nil where there is no secret yet.
func (p *People) readView(fields map[string][]byte) *view {
	secret := []byte(p.cfg.Secret)
	if len(secret) == 0 {
		secret = fields[fieldSecret]
	}
	var key []byte
	if len(secret) > 0 {
		key = signingKey(secret)
	}
	v := &view{key: key, revoked: map[string]int64{}, machines: map[string]Machine{}}
	for field, value := range fields {
		if id, ok := strings.CutPrefix(field, fieldRevoked); ok {
			expires, err := strconv.ParseInt(string(value), 10, 64)
			if err != nil {
				p.cfg.Log.Error("a revocation cannot be read; the token stays revoked", zap.String("token_id", id))
			}
			v.revoked[id] = expires
		}
		if id, ok := strings.CutPrefix(field, fieldMachine); ok {
			var m Machine
			if err := json.Unmarshal(value, &m); err != nil {
				p.cfg.Log.Error("a machine token cannot be read; it is not valid", zap.String("token_id", id))
				continue
			}
			m.ID = id
			v.machines[id] = m
		}
	}
	return v
}

// Changed tells that the private part may have changed; it never blocks.
func (p *People) Changed() {
	select {
	case p.refresh <- struct{}{}:
	default:
	}
}

// Refreshing bounds: how often Run reads again without being told, and how soon after a failure.
const (
	refreshEvery = 30 * time.Second
	refreshRetry = time.Second
)

// Run keeps the view fresh until ctx ends.
func (p *People) Run(ctx context.Context) {
	wait, failing := refreshRetry, false
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-p.refresh:
		case <-timer.C:
		}
		timer.Stop()
		wait = refreshEvery
		err := p.Refresh(ctx)
		if err != nil && ctx.Err() == nil {
			wait = refreshRetry
			if !failing {
				p.cfg.Log.Warn("revocations cannot be read; those known stay in force", zap.Error(err))
			}
		}
		failing = err != nil
	}
}

// commit sets fields of the private part, whatever else changes meanwhile, and drops revocations that expired. What was
// set is in force here when it returns.
func (p *People) commit(ctx context.Context, who Principal, fields map[string][]byte) (state.Receipt, error) {
	if v := p.view.Load(); v != nil {
		for id, expires := range v.revoked {
			if expires < time.Now().Add(-keepRevoked).Unix() {
				fields[fieldRevoked+id] = nil
			}
		}
	}
	for range commitTries {
		at, err := p.cfg.Stands(ctx)
		if err != nil {
			return state.Receipt{}, err //nolint:wrapcheck // the store says what was being done
		}
		receipt, err := p.cfg.Store.Commit(ctx, at.Meta, privateChange(at, who, fields))
		if err == nil {
			return receipt, p.Refresh(ctx)
		}
		if !errors.Is(err, state.ErrConflict) {
			return state.Receipt{}, err //nolint:wrapcheck // the store says what was being done
		}
	}
	return state.Receipt{}, fmt.Errorf("the store changes too fast to change it: %w", state.ErrUnavailable)
}

func (p *People) commitAt(ctx context.Context, at state.Pulse, who Principal, fields map[string][]byte) error {
	_, err := p.cfg.Store.Commit(ctx, at.Meta, privateChange(at, who, fields))
	return err
}

func privateChange(at state.Pulse, who Principal, fields map[string][]byte) state.Change {
	return state.Change{
		Entry:   state.Entry{Kind: state.KindPrivate, At: at.Now, Actor: who.Name, Platform: who.Platform},
		Private: fields,
	}
}

// revoke makes a token invalid at every admin, for good.
func (p *People) revoke(ctx context.Context, who Principal, id string, expires time.Time) error {
	_, err := p.commit(ctx, who, map[string][]byte{
		fieldRevoked + id: strconv.AppendInt(nil, expires.Unix(), 10),
		fieldMachine + id: nil,
	})
	return err
}
