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

// CreateToken makes a token for a machine of that name and role; its name stands as the actor of what it does. It gives
// the record and the text, which is told only once.
func (p *People) CreateToken(ctx context.Context, who Principal, name string, role Role, term time.Duration) (Machine, string, state.Receipt, error) {
	if name == "" {
		name = string(role)
	}
	if err := p.checkMachine(name, term); err != nil {
		return Machine{}, "", state.Receipt{}, err
	}
	v := p.view.Load()
	if v == nil || v.key == nil {
		if err := p.refreshWith(ctx, true); err != nil {
			return Machine{}, "", state.Receipt{}, err
		}
		v = p.view.Load()
	}
	if len(v.machines) >= maxMachines {
		return Machine{}, "", state.Receipt{}, state.Invalid("name", "there are %d tokens already: revoke some", maxMachines)
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Machine{}, "", state.Receipt{}, fmt.Errorf("make an id: %w", err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	m := Machine{ID: id.String(), Name: name, Role: role, By: who.Name, Made: now, Expires: now.Add(term), On: state.PlatformAPI}
	text, err := claims{ID: m.ID, Name: name, Platform: m.On, Role: role, Expires: m.Expires.Unix(), Machine: true}.sign(v.key)
	if err != nil {
		return Machine{}, "", state.Receipt{}, fmt.Errorf("sign the token: %w", err)
	}
	record, err := json.Marshal(m)
	if err != nil {
		return Machine{}, "", state.Receipt{}, fmt.Errorf("encode the token's record: %w", err)
	}
	receipt, err := p.commit(ctx, who, map[string][]byte{fieldMachine + m.ID: record})
	return m, text, receipt, err
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

// RevokeToken ends a machine token, at every admin; state.ErrNotFound when there is none of that id.
func (p *People) RevokeToken(ctx context.Context, who Principal, id string) error {
	v := p.view.Load()
	if v == nil {
		return fmt.Errorf("tokens are not known yet: %w", state.ErrUnavailable)
	}
	m, ok := v.machines[id]
	if !ok {
		return fmt.Errorf("token %.64q: %w", id, state.ErrNotFound)
	}
	return p.revoke(ctx, who, id, m.Expires)
}
