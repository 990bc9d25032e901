package memstore

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/waygate/waygate/internal/state"
)

// desks are all desks by their names. Leases are not kept beyond the process: nobody else can hold one.
type desks struct {
	mu    sync.Mutex
	all   map[string]*desk
	wrote func(name string)
}

// desk is one desk: who holds it, and what lies on it.
type desk struct {
	lease  state.Lease
	fields map[string][]byte
}

// at gives a desk, a new one where there is none. The caller holds mu.
func (d *desks) at(name string) *desk {
	if d.all[name] == nil {
		d.all[name] = &desk{fields: map[string][]byte{}}
	}
	return d.all[name]
}

// Lease implements state.Desk.
func (s *Store) Lease(ctx context.Context, name, owner string, ttl time.Duration) (state.Lease, error) {
	if err := s.checkDesk(ctx, name); err != nil {
		return state.Lease{}, fmt.Errorf("lease a desk: %w", err)
	}
	s.desks.mu.Lock()
	defer s.desks.mu.Unlock()
	now, at := time.Now(), s.desks.at(name)
	if at.lease.Owner != owner {
		if now.Before(at.lease.Until) {
			return state.Lease{}, fmt.Errorf("desk %s is held by %s: %w", name, at.lease.Owner, state.ErrConflict)
		}
		at.lease = state.Lease{Desk: name, Owner: owner, Token: max(at.lease.Token+1, uint64(now.UnixMilli()))}
	}
	at.lease.Until = now.Add(ttl)
	return at.lease, nil
}

// ReadDesk implements state.Desk.
func (s *Store) ReadDesk(ctx context.Context, name string) (map[string][]byte, error) {
	if err := s.checkDesk(ctx, name); err != nil {
		return nil, fmt.Errorf("read a desk: %w", err)
	}
	s.desks.mu.Lock()
	defer s.desks.mu.Unlock()
	return maps.Clone(s.desks.at(name).fields), nil
}

// WriteDesk implements state.Desk.
func (s *Store) WriteDesk(ctx context.Context, lease state.Lease, fields map[string][]byte) error {
	if err := s.checkDesk(ctx, lease.Desk); err != nil {
		return fmt.Errorf("write a desk: %w", err)
	}
	if err := s.writeDesk(lease, fields); err != nil {
		return err
	}
	if s.desks.wrote != nil {
		s.desks.wrote(lease.Desk)
	}
	return nil
}

func (s *Store) writeDesk(lease state.Lease, fields map[string][]byte) error {
	s.desks.mu.Lock()
	defer s.desks.mu.Unlock()
	at := s.desks.at(lease.Desk)
	if lease.Token != 0 && (lease.Token != at.lease.Token || lease.Owner != at.lease.Owner) {
		return fmt.Errorf("write the desk %s: the lease was lost: %w", lease.Desk, state.ErrConflict)
	}
	for field, value := range fields {
		if len(value) == 0 {
			delete(at.fields, field)
			continue
		}
		at.fields[field] = bytes.Clone(value)
	}
	return nil
}

// Release implements state.Desk.
func (s *Store) Release(ctx context.Context, lease state.Lease) error {
	if err := s.checkDesk(ctx, lease.Desk); err != nil {
		return fmt.Errorf("release a desk: %w", err)
	}
	s.desks.mu.Lock()
	defer s.desks.mu.Unlock()
	if at := s.desks.at(lease.Desk); at.lease.Token == lease.Token && at.lease.Owner == lease.Owner {
		at.lease.Owner, at.lease.Until = "", time.Time{}
	}
	return nil
}

// Desk gives what lies on a desk, for a store that keeps it.
func (s *Store) Desk(name string) map[string][]byte {
	s.desks.mu.Lock()
	defer s.desks.mu.Unlock()
	return maps.Clone(s.desks.at(name).fields)
}

func (s *Store) checkDesk(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the caller says what was being done
	}
	if err := state.CheckDesk(name); err != nil {
		return err //nolint:wrapcheck // the caller says what was being done
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return s.readable()
	}
	return nil
}
