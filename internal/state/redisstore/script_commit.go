package redisstore

import "github.com/redis/go-redis/v9"

// What the scripts answer as the first element of their reply.
const (
	saidOK        = "ok"
	saidEmpty     = "empty"     // the store holds no document, or lost a part of it
	saidConflict  = "conflict"  // the store stands elsewhere
	saidDuplicate = "duplicate" // the id was committed before
	saidGap       = "gap"       // the log does not reach back
	saidDenied    = "denied"    // an ACL forbids a step; nothing was written
)

// stampEpoch and stampRev are the fields by which the hashes tell what they belong to. No field of a document and no
// private field begins with "@".
const (
	stampEpoch = "@epoch"
	stampRev   = "@rev"
)

// commitScript makes one commit, or nothing.
//
// KEYS: 1 meta, 2 state, 3 log, 4 private, 5 idem of the change (left out when it has no id).
//
// ARGV: 1 epoch, 2 gen, 3 rev and 4 head of the base; 5 rev and 6 head of the new frame; 7 nonce of this attempt;
// 8 channel; 9 how many entries the log keeps, 0 for all; 10 how long the id is remembered in ms; 11 the frame's JSON up to its
// entry; 12 the entry; 13 how many of the pairs that follow belong to the state; then pairs of field and value, first
// for the state, then for the private part. An empty value removes the field.
//
// Returns: {"ok"} | {"empty"} | {"conflict", epoch, rev} | {"duplicate", frame JSON} | {"denied", command, key}.
//
// An attempt whose answer was lost is sent again with the same nonce: where the log already holds it, the answer is
// "ok". That answer and "duplicate" write what is there already, because WAITAOF waits for the last write of its own
// connection only. An id counts for the epoch it was committed in: a seeded document need not hold that change.
var commitScript = redis.NewScript(`#!lua
local meta, state, log, private, idem = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local rev, head, nonce, channel = ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local at = redis.call('HMGET', meta, 'epoch', 'gen', 'rev', 'head')
local stamp = redis.call('HMGET', state, '@epoch', '@rev')
if not at[1] or stamp[1] ~= at[1] or stamp[2] ~= at[3] or redis.call('HGET', private, '@epoch') ~= at[1] then
  return {'empty'}
end

local there = redis.call('XRANGE', log, rev .. '-0', rev .. '-0')
if there[1] then
  local fields = there[1][2]
  for i = 1, #fields, 2 do
    if fields[i] == 'nonce' and fields[i + 1] == nonce then
      redis.call('HSET', meta, 'rev', at[3])
      return {'ok'}
    end
  end
end
if idem then
  local done = redis.call('GET', idem)
  if done and string.sub(done, 1, #at[1] + 1) == at[1] .. ' ' then
    redis.call('SET', idem, done, 'KEEPTTL')
    return {'duplicate', string.sub(done, #at[1] + 2)}
  end
end
for i = 1, 4 do
  if at[i] ~= ARGV[i] then
    return {'conflict', at[1], at[3]}
  end
end

local steps = {
  {'XADD', log, '*', 'f', 'v'}, {'HSET', state, 'f', 'v'}, {'HDEL', state, 'f'}, {'HSET', meta, 'f', 'v'},
  {'HSET', private, 'f', 'v'}, {'HDEL', private, 'f'}, {'PUBLISH', channel, 'm'},
}
if idem then
  steps[#steps + 1] = {'SET', idem, 'v'}
end
for _, step in ipairs(steps) do
  if not redis.acl_check_cmd(unpack(step)) then
    return {'denied', step[1], step[2]}
  end
end

local added = redis.pcall('XADD', log, rev .. '-0', 'head', head, 'prev', ARGV[4], 'nonce', nonce, 'payload', ARGV[12])
if type(added) == 'table' and added.err then
  return redis.error_reply(added.err)
end
if ARGV[9] ~= '0' then
  redis.call('XTRIM', log, 'MAXLEN', '~', ARGV[9])
end
` + luaPatch + `
local split = 13 + 2 * tonumber(ARGV[13])
patch(state, 14, split)
patch(private, split + 1, #ARGV)
redis.call('HSET', state, '@rev', rev)
redis.call('HSET', meta, 'rev', rev, 'head', head)
local frame = ARGV[11] .. ARGV[12] .. '}'
if idem then
  redis.call('SET', idem, at[1] .. ' ' .. frame, 'PX', ARGV[10])
end
redis.call('PUBLISH', channel, frame)
return {'ok'}
`)

// luaPatch is the part of a script that sets and removes the fields ARGV[from..to] of a hash, in portions: Lua's
// unpack can put about 8,000 values on the stack.
const luaPatch = `
local function patch(key, from, to)
  local set, del = {}, {}
  for i = from, to, 2 do
    if ARGV[i + 1] == '' then
      del[#del + 1] = ARGV[i]
    else
      set[#set + 1] = ARGV[i]
      set[#set + 1] = ARGV[i + 1]
    end
    if #set >= 4000 then
      redis.call('HSET', key, unpack(set))
      set = {}
    end
    if #del >= 4000 then
      redis.call('HDEL', key, unpack(del))
      del = {}
    end
  end
  if #set > 0 then
    redis.call('HSET', key, unpack(set))
  end
  if #del > 0 then
    redis.call('HDEL', key, unpack(del))
  end
end
`
