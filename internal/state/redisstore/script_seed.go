package redisstore

import "github.com/redis/go-redis/v9"

// seedScript replaces everything by a document, if the store still stands where the caller saw it.
//
// KEYS: 1 meta, 2 state, 3 log, 4 private, 5 the staged state: the document's fields and its stamps.
//
// ARGV: 1 epoch, 2 gen, 3 rev and 4 head that were seen, all empty for an empty store; 5 epoch, 6 gen, 7 rev and 8 head
// of the document; 9 nonce of this attempt; 10 channel; 11 the message to publish; 12 how many fields are staged; then
// pairs of field and value for the private part.
//
// Returns: {"ok"} | {"conflict", epoch, rev} | {"gap"} when what was staged is gone | {"denied", command, key}.
//
// A store that lost its state or its private part counts as empty here as well. The log starts anew: what it held
// belongs to another history. Reports of instances and remembered ids are left alone; the latter count in their own
// epoch only.
var seedScript = redis.NewScript(`#!lua
local meta, state, log, private, staged = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local at = redis.call('HMGET', meta, 'epoch', 'gen', 'rev', 'head')
local stamp = redis.call('HMGET', state, '@epoch', '@rev')
local whole = at[1] and stamp[1] == at[1] and stamp[2] == at[3] and redis.call('HGET', private, '@epoch') == at[1]
if whole and redis.call('HGET', meta, 'nonce') == ARGV[9] then
  redis.call('HSET', meta, 'nonce', ARGV[9])
  return {'ok'}
end
for i = 1, 4 do
  local now = whole and at[i] or ''
  if now ~= ARGV[i] then
    redis.call('UNLINK', staged)
    return {'conflict', at[1] or '', at[3] or ''}
  end
end

if redis.call('HLEN', staged) ~= tonumber(ARGV[12]) then
  return {'gap'}
end

local steps = {
  {'UNLINK', meta}, {'UNLINK', state}, {'UNLINK', log}, {'UNLINK', private}, {'RENAME', staged, state}, {'PERSIST', state},
  {'HSET', meta, 'f', 'v'}, {'HSET', private, 'f', 'v'}, {'HDEL', private, 'f'}, {'PUBLISH', ARGV[10], 'm'},
}
for _, step in ipairs(steps) do
  if not redis.acl_check_cmd(unpack(step)) then
    return {'denied', step[1], step[2]}
  end
end
` + luaPatch + `
redis.call('UNLINK', meta, state, log, private)
redis.call('RENAME', staged, state)
redis.call('PERSIST', state)
patch(private, 13, #ARGV)
redis.call('HSET', private, '@epoch', ARGV[5])
redis.call('HSET', meta, 'epoch', ARGV[5], 'gen', ARGV[6], 'rev', ARGV[7], 'head', ARGV[8], 'nonce', ARGV[9])
redis.call('PUBLISH', ARGV[10], ARGV[11])
return {'ok'}
`)

// beatScript notes that an admin is alive, at the server's time. It never creates a store.
//
// KEYS: 1 meta.
//
// Returns: 1, or 0 for an empty store.
//
// It may run when memory is full: it only overwrites, and an admin that cannot commit is alive all the same.
var beatScript = redis.NewScript(`#!lua flags=allow-oom
if redis.call('HEXISTS', KEYS[1], 'epoch') == 0 then
  return 0
end
local now = redis.call('TIME')
redis.call('HSET', KEYS[1], 'hb', now[1] .. string.format('%03d', math.floor(now[2] / 1000)))
return 1
`)
