package redisstore

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// A Store is everything an admin needs.
var _ state.Backend = (*Store)(nil)

// Private implements state.Store.
func (s *Store) Private(ctx context.Context) (map[string][]byte, error) {
	return ask(ctx, s.Reader, bulkTimeout, "read the private part", func(ctx context.Context, node *redis.Client) (map[string][]byte, error) {
		var place, stamp *redis.SliceCmd
		var fields *redis.MapStringStringCmd
		_, err := node.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			place = pipe.HMGet(ctx, s.keys.meta(), metaFields...)
			stamp = pipe.HMGet(ctx, s.keys.state(), stampEpoch, stampRev)
			fields = pipe.HGetAll(ctx, s.keys.private())
			return nil
		})
		if err != nil {
			return nil, err
		}
		if _, err := s.placeOf(texts(place.Val()), texts(stamp.Val()), fields.Val()[stampEpoch]); err != nil {
			return nil, err
		}
		out := make(map[string][]byte, len(fields.Val()))
		for field, value := range fields.Val() {
			if !strings.HasPrefix(field, "@") {
				out[field] = []byte(value)
			}
		}
		return out, nil
	})
}

// Beat implements state.Seeder. An empty store stays empty: state.ErrEmpty.
func (s *Store) Beat(ctx context.Context) error {
	_, err := ask(ctx, s.Reader, quickTimeout, "beat", func(ctx context.Context, node *redis.Client) (int, error) {
		n, err := beatScript.Run(ctx, node, []string{s.keys.meta()}).Int()
		if err == nil && n == 0 {
			err = state.ErrEmpty
		}
		return n, err
	})
	return err
}
