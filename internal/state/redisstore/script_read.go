package redisstore

import "github.com/redis/go-redis/v9"

// The scripts here only read. They are run with EVALSHA_RO, which an ACL admits where the keys may be read only
// (EVALSHA counts as a write to every key it is given).

// pulseScript reads where the store stands, and the server's clock, in one step.
//
// KEYS: 1 meta, 2 state, 3 private (left out by a reader, who may not read it).
//
// Returns: {{seconds, microseconds}, {epoch, gen, rev, head, hb}, {epoch and rev of the state}, epoch of the private
// part or nil}.
var pulseScript = redis.NewScript(`#!lua flags=no-writes
local secret = false
if KEYS[3] then
  secret = redis.call('HGET', KEYS[3], '@epoch')
end
return {
  redis.call('TIME'),
  redis.call('HMGET', KEYS[1], 'epoch', 'gen', 'rev', 'head', 'hb'),
  redis.call('HMGET', KEYS[2], '@epoch', '@rev'),
  secret,
}
`)

// grantsScript asks which of the commands an admin needs its user may not run.
//
// KEYS: 1 meta, 2 state, 3 log, 4 private, 5 an idem, 6 a fleet key, 7 a staged state, 8 a desk.
//
// ARGV: 1 channel.
//
// Returns: a list of "COMMAND key", empty when everything is allowed.
var grantsScript = redis.NewScript(`#!lua flags=no-writes
local meta, state, log, private, idem, fleet, staged, desk = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local channel = ARGV[1]
local steps = {
  {'HMGET', meta, 'f'}, {'HGET', meta, 'f'}, {'HSET', meta, 'f', 'v'}, {'HEXISTS', meta, 'f'}, {'UNLINK', meta},
  {'HGETALL', state}, {'HLEN', state}, {'HSCAN', state, '0'}, {'HSET', state, 'f', 'v'}, {'HDEL', state, 'f'}, {'UNLINK', state},
  {'XADD', log, '*', 'f', 'v'}, {'XRANGE', log, '-', '+'}, {'XTRIM', log, 'MINID', '1-0'}, {'UNLINK', log},
  {'HGETALL', private}, {'HSET', private, 'f', 'v'}, {'HDEL', private, 'f'}, {'UNLINK', private},
  {'GET', idem}, {'SET', idem, 'v'},
  {'HSET', staged, 'f', 'v'}, {'PEXPIRE', staged, '1'}, {'HLEN', staged}, {'RENAME', staged, state}, {'PERSIST', state},
  {'SET', fleet, 'v'}, {'MGET', fleet}, {'PEXPIRETIME', fleet}, {'UNLINK', fleet}, {'SCAN', '0'},
  {'HMGET', desk, 'f'}, {'HGETALL', desk}, {'HSET', desk, 'f', 'v'}, {'HDEL', desk, 'f'},
  {'PUBLISH', channel, 'm'}, {'SUBSCRIBE', channel}, {'TIME'}, {'PING'}, {'MULTI'}, {'EXEC'},
}
local denied = {}
for _, step in ipairs(steps) do
  if not redis.acl_check_cmd(unpack(step)) then
    denied[#denied + 1] = step[1] .. (step[2] and step[2] ~= 'm' and ' ' .. step[2] or '')
  end
end
return denied
`)
