package people

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/waygate/waygate/internal/state"
)

// Machine is a token that a machine carries: it does not end with a person's day.
type Machine struct {
	ID      string         `json:"-"`
	Name    string         `json:"name"`
	Role    Role           `json:"role"`
	By      string         `json:"by"`
	Made    time.Time      `json:"made"`
	Expires time.Time      `json:"expires"`
	On      state.Platform `json:"platform"`
}

// Bounds of machine tokens.
const (
	DefaultMachineTerm = 365 * 24 * time.Hour
	maxMachineTerm     = 10 * 365 * 24 * time.Hour
	maxMachines        = 1000
)

// Made is a machine token that was made: its record, its text, which is told only once, and where that stands in the
// log (the zero Receipt where it was made before).
type Made struct {
	Machine
	Text    string
	Receipt state.Receipt
}

// CreateToken makes a token for a machine of that name and role; its name stands as the actor of what it does. With an
// idempotency key, a second call with the same key gives the same token.
func (p *People) CreateToken(ctx context.Context, who Principal, retry, name string, role Role, term time.Duration) (Made, error) {
	if name == "" {
		name = string(role)
	}
	if err := p.checkMachine(name, term); err != nil {
		return Made{}, err
	}
	v := p.view.Load()
	if v == nil || v.key == nil {
		if err := p.refreshWith(ctx, true); err != nil {
			return Made{}, err
		}
		v = p.view.Load()
	}
	id, err := machineID(who, retry)
	if err != nil {
		return Made{}, err
	}
	if m, again := v.machines[id]; again && m.Name == name && m.Role == role && m.Expires.Equal(m.Made.Add(term)) {
		text, err := m.sign(v.key)
		return Made{Machine: m, Text: text}, err
	}
	if _, revoked := v.revoked[id]; revoked || v.machines[id].ID != "" {
		return Made{}, ErrKeyReused
	}
	if len(v.machines) >= maxMachines {
		return Made{}, state.Invalid("name", "there are %d tokens already: revoke some", maxMachines)
	}
	now := time.Now().UTC().Truncate(time.Second)
	m := Machine{ID: id, Name: name, Role: role, By: who.Name, Made: now, Expires: now.Add(term), On: state.PlatformAPI}
	text, err := m.sign(v.key)
	if err != nil {
		return Made{}, err
	}
	record, err := json.Marshal(m)
	if err != nil {
		return Made{}, fmt.Errorf("encode the token's record: %w", err)
	}
	receipt, err := p.commit(ctx, who, map[string][]byte{fieldMachine + m.ID: record})
	return Made{Machine: m, Text: text, Receipt: receipt}, err
}

// machineID draws an id, or derives it from an idempotency key.
func machineID(who Principal, retry string) (string, error) {
	if retry != "" {
		return uuid.NewSHA1(uuid.NameSpaceURL, []byte("waygate token\x00"+who.Name+"\x00"+retry)).String(), nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	return id.String(), nil
}

// sign gives the token's text. It depends on the record and the key alone.
func (m Machine) sign(key []byte) (string, error) {
	text, err := claims{ID: m.ID, Name: m.Name, Platform: m.On, Role: m.Role, Expires: m.Expires.Unix(), Machine: true}.sign(key)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return text, nil
}

func (p *People) checkMachine(name string, term time.Duration) error {
	if !nameForm().MatchString(name) || reserved(name) {
		return state.Invalid("name", "%q cannot name a token: letters, digits and ._@-, at most 63, and neither system nor anonymous", name)
	}
	if _, person := p.cfg.Roster.find(name); person {
		return state.Invalid("name", "%q is a user: what the token does would look like theirs in the audit", name)
	}
	if term < time.Minute || term > maxMachineTerm {
		return state.Invalid("ttl", "a token lives between a minute and ten years")
	}
	return nil
}

// Tokens lists the machine tokens, newest first, expired ones included.
func (p *People) Tokens() ([]Machine, error) {
	v := p.view.Load()
	if v == nil {
		return nil, fmt.Errorf("tokens are not known yet: %w", state.ErrUnavailable)
	}
	all := make([]Machine, 0, len(v.machines))
	for _, m := range v.machines {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b Machine) int { return cmp.Or(b.Made.Compare(a.Made), cmp.Compare(b.ID, a.ID)) })
	return all, nil
}

// RevokeToken ends a machine token, at every admin; one that was ended before stays so. It is state.ErrNotFound when
// there is none of that id.
func (p *People) RevokeToken(ctx context.Context, who Principal, id string) error {
	v := p.view.Load()
	if v == nil {
		return fmt.Errorf("tokens are not known yet: %w", state.ErrUnavailable)
	}
	m, ok := v.machines[id]
	if _, before := v.revoked[id]; before && !ok {
		return nil
	}
	if !ok {
		return fmt.Errorf("token %.64q: %w", id, state.ErrNotFound)
	}
	return p.revoke(ctx, who, id, m.Expires)
}
