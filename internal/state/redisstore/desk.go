package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// Lease implements state.Desk.
func (s *Store) Lease(ctx context.Context, desk, owner string, ttl time.Duration) (state.Lease, error) {
	if err := state.CheckDesk(desk); err != nil {
		return state.Lease{}, err //nolint:wrapcheck // it says what is wrong with the name
	}
	return ask(ctx, s.Reader, quickTimeout, "lease a desk", func(ctx context.Context, node *redis.Client) (state.Lease, error) {
		reply, err := leaseScript.Run(ctx, node, []string{s.keys.desk(desk)}, owner, ttl.Milliseconds()).Slice()
		if err != nil {
			return state.Lease{}, err
		}
		if given, _ := reply[0].(int64); given == 0 {
			return state.Lease{}, fmt.Errorf("desk %s is held by %v: %w", desk, reply[1], state.ErrConflict)
		}
		token, _ := reply[1].(int64)
		until, _ := reply[2].(int64)
		return state.Lease{Desk: desk, Owner: owner, Token: uint64(token), Until: time.UnixMilli(until)}, nil
	})
}

// ReadDesk implements state.Desk.
func (s *Store) ReadDesk(ctx context.Context, desk string) (map[string][]byte, error) {
	if err := state.CheckDesk(desk); err != nil {
		return nil, err //nolint:wrapcheck // it says what is wrong with the name
	}
	return ask(ctx, s.Reader, bulkTimeout, "read a desk", func(ctx context.Context, node *redis.Client) (map[string][]byte, error) {
		all, err := node.HGetAll(ctx, s.keys.desk(desk)).Result()
		out := make(map[string][]byte, len(all))
		for field, value := range all {
			if !strings.HasPrefix(field, "@") {
				out[field] = []byte(value)
			}
		}
		return out, err
	})
}

// WriteDesk implements state.Desk.
func (s *Store) WriteDesk(ctx context.Context, lease state.Lease, fields map[string][]byte) error {
	if err := state.CheckDesk(lease.Desk); err != nil {
		return err //nolint:wrapcheck // it says what is wrong with the name
	}
	removed, set := []any{}, []any{}
	for field, value := range fields {
		if len(value) == 0 {
			removed = append(removed, field)
		} else {
			set = append(set, field, value)
		}
	}
	args := append([]any{lease.Owner, strconv.FormatUint(lease.Token, 10), len(removed)}, removed...)
	return s.onDesk(ctx, "write a desk", writeDeskScript, lease, append(args, set...))
}

// Release implements state.Desk.
func (s *Store) Release(ctx context.Context, lease state.Lease) error {
	if err := state.CheckDesk(lease.Desk); err != nil {
		return err //nolint:wrapcheck // it says what is wrong with the name
	}
	err := s.onDesk(ctx, "release a desk", releaseScript, lease, []any{lease.Owner, strconv.FormatUint(lease.Token, 10)})
	if errors.Is(err, state.ErrConflict) {
		return nil
	}
	return err
}

// onDesk runs a script that says 0 when the lease was lost. It may be run twice.
func (s *Store) onDesk(ctx context.Context, doing string, script *redis.Script, lease state.Lease, args []any) error {
	_, err := ask(ctx, s.Reader, commitTimeout, doing, func(ctx context.Context, node *redis.Client) (int, error) {
		n, err := script.Run(ctx, node, []string{s.keys.desk(lease.Desk)}, args...).Int()
		if err == nil && n == 0 {
			err = fmt.Errorf("desk %s: the lease was lost: %w", lease.Desk, state.ErrConflict)
		}
		return n, err
	})
	return err
}
