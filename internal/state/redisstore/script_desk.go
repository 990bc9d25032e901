package redisstore

import "github.com/redis/go-redis/v9"

// leaseScript takes or renews the lease of a desk.
//
// KEYS: 1 desk.
//
// ARGV: 1 owner, 2 for how long in ms.
//
// Returns: {1, token, until in ms} | {0, owner that holds it}.
var leaseScript = redis.NewScript(`#!lua
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local at = redis.call('HMGET', KEYS[1], '@owner', '@token', '@until')
local token = tonumber(at[2] or 0)
if at[1] ~= ARGV[1] then
  if at[1] and at[1] ~= '' and now < tonumber(at[3]) then
    return {0, at[1]}
  end
  token = math.max(token + 1, now)
end
local till = now + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], '@owner', ARGV[1], '@token', string.format('%.0f', token), '@until', string.format('%.0f', till))
return {1, token, till}
`)

// writeDeskScript sets and removes fields of a desk, if the lease is the last one given.
//
// KEYS: 1 desk.
//
// ARGV: 1 owner, 2 token (0: whoever holds it), 3 how many fields are removed, then their names, then names and values
// of those that are set.
//
// Returns: 1 | 0 when the lease was lost.
var writeDeskScript = redis.NewScript(`#!lua
if ARGV[2] ~= '0' then
  local at = redis.call('HMGET', KEYS[1], '@owner', '@token')
  if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] then
    return 0
  end
end
local first = 4 + tonumber(ARGV[3])
for i = 4, first - 1 do
  redis.call('HDEL', KEYS[1], ARGV[i])
end
for i = first, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
return 1
`)

// releaseScript ends a lease, if it is the last one given. The token stays: the next one is higher.
//
// KEYS: 1 desk.
//
// ARGV: 1 owner, 2 token.
//
// Returns: 1 | 0 when the lease was lost.
var releaseScript = redis.NewScript(`#!lua
local at = redis.call('HMGET', KEYS[1], '@owner', '@token')
if at[1] ~= ARGV[1] or at[2] ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], '@owner', '', '@until', '0')
return 1
`)
