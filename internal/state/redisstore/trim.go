package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/waygate/waygate/internal/state"
)

// trimPortion is how many entries one script removes at most: the server does nothing else meanwhile.
const trimPortion = 20_000

// trimScript removes entries of the log that are older than a revision, oldest first; never the newest.
//
// KEYS: 1 meta, 2 log.
//
// ARGV: 1 epoch, 2 the revision, 3 how many entries at most.
//
// Returns: {"ok", "1" when there are more to remove, else "0"} | {"empty"} | {"conflict", epoch, rev} |
// {"denied", command, key}.
var trimScript = redis.NewScript(`#!lua flags=allow-oom
local meta, log = KEYS[1], KEYS[2]
local at = redis.call('HMGET', meta, 'epoch', 'rev')
if not at[1] then
  return {'empty'}
end
if at[1] ~= ARGV[1] then
  return {'conflict', at[1], at[2]}
end
if not redis.acl_check_cmd('XTRIM', log, 'MINID', '1-0') then
  return {'denied', 'XTRIM', log}
end
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]
if not first then
  return {'ok', '0'}
end
local before = math.min(tonumber(ARGV[2]), tonumber(at[2]))
local upto = math.min(before, tonumber(string.match(first[1], '^%d+')) + tonumber(ARGV[3]))
redis.call('XTRIM', log, 'MINID', string.format('%.0f-0', upto))
return {'ok', upto < before and '1' or '0'}
`)

// Trim implements state.Trimmer, in portions: one that is interrupted has removed the oldest entries, and is asked for
// again.
func (s *Store) Trim(ctx context.Context, epoch string, before uint64) error {
	for more := true; more; {
		var err error
		more, err = ask(ctx, s.Reader, bulkTimeout, "trim the log", func(ctx context.Context, node *redis.Client) (bool, error) {
			reply, err := trimScript.Run(ctx, node, []string{s.keys.meta(), s.keys.log()}, epoch, before, trimPortion).Result()
			if err != nil {
				return false, err
			}
			return trimmed(reply)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// trimmed reads the reply of [trimScript].
func trimmed(reply any) (more bool, err error) {
	a, err := answerOf(reply)
	switch {
	case err != nil:
		return false, err
	case a.said == saidOK:
		return a.rest(0) == "1", nil
	case a.said == saidEmpty:
		return false, state.ErrEmpty
	case a.said == saidConflict:
		return false, fmt.Errorf("the store is of epoch %s: %w", a.rest(0), state.ErrConflict)
	default:
		return false, a.denied()
	}
}
