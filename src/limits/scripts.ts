// The limits as all instances judge them together: the same rules as in window.ts and local.ts, in scripts that Redis
// runs as a whole, on its own clock. All that one submission takes is asked for in one round trip, and either all of
// it is taken or nothing.
//
// A minute is a hash: the amounts of the seconds that count, their sum, and the first of them. Requests under way are a
// sorted set of ids by the moment until which they count. What a request took is in a record of its own, so that
// whoever ends it, on whatever instance, can give it back. One tag in braces: a cluster keeps all keys together.

import { type Script, script } from '../events/redis-connection.ts';
import { CONCURRENCY_WAIT_MS } from './claims.ts';
import { WINDOW_SECONDS } from './window.ts';

export interface LimitScripts {
  /**
   * KEYS: the record, then one for each claim. ARGV: request id, lease in ms, life of the record in s, then kind, limit
   * and amount of each claim. Returns the number of the claim that takes longest to fit, from 1, and its wait in ms; or 0.
   */
  readonly admit: Script;
  /** KEYS: the record. ARGV: request id; the tokens it took in truth, or nothing. */
  readonly end: Script;
  /** KEYS: the record. ARGV: request id, lease in ms from now on. Returns the sets that it counts in; 0 without record. */
  readonly extend: Script;
  /** KEYS: a set. ARGV: lease in ms from now on, then request ids. */
  readonly renew: Script;
  /** KEYS: one for each claim. ARGV: their kinds. Returns of each what is used, and the ms until it is empty, or -1. */
  readonly look: Script;
}

/** `time` is a Lua expression for Redis' clock: seconds and microseconds. */
export function limitScripts(time = `redis.call('TIME')`): LimitScripts {
  const withTime = (text: string) =>
    script(`
local time = ${time}
local second = tonumber(time[1])
local nowMs = second * 1000 + math.floor(tonumber(time[2]) / 1000)
${text}`);
  return {
    admit: withTime(`${WINDOW}${LEASE}${ADMIT}`),
    end: withTime(`${WINDOW}${END}`),
    extend: withTime(`${LEASE}${EXTEND}`),
    renew: withTime(`${LEASE}${RENEW}`),
    look: withTime(`${WINDOW}${LOOK}`),
  };
}

const WINDOW = `
local oldest = second - ${WINDOW_SECONDS}
-- The sum of the minute, and the first second that may be in it; what is older is taken out.
local function sumOf(key)
  local found = redis.call('HMGET', key, 'sum', 'from')
  local sum, from = tonumber(found[1] or 0), tonumber(found[2] or second)
  if from >= oldest then return sum, from end
  local gone = {}
  for each = from, oldest - 1 do gone[#gone + 1] = each end
  for _, amount in ipairs(redis.call('HMGET', key, unpack(gone))) do sum = sum - tonumber(amount or 0) end
  redis.call('HDEL', key, unpack(gone))
  redis.call('HSET', key, 'sum', sum, 'from', oldest)
  return sum, oldest
end
local function add(key, each, amount)
  redis.call('HINCRBY', key, each, amount)
  redis.call('HINCRBY', key, 'sum', amount)
  -- Behind a failover the clock may stand earlier than it did.
  if tonumber(redis.call('HGET', key, 'from') or each + 1) > each then redis.call('HSET', key, 'from', each) end
  redis.call('EXPIRE', key, ${WINDOW_SECONDS + 2})
end
local function amountsOf(key)
  local found, amounts = redis.call('HGETALL', key), {}
  for index = 1, #found, 2 do amounts[found[index]] = tonumber(found[index + 1]) end
  return amounts
end
local function leavesInMs(each) return (each + ${WINDOW_SECONDS + 1}) * 1000 - nowMs end
local function waitMs(key, from, over)
  local amounts = amountsOf(key)
  for each = from, second do
    over = over - (amounts[tostring(each)] or 0)
    if over <= 0 then return leavesInMs(each) end
  end
  return leavesInMs(second)
end
`;

const LEASE = `
local function hold(key, id, leaseMs)
  redis.call('ZADD', key, nowMs + leaseMs, id)
  if redis.call('PTTL', key) < leaseMs then redis.call('PEXPIRE', key, leaseMs) end
end
`;

const ADMIT = `
local refused, longest = 0, 0
for index = 2, #KEYS do
  local key, kind = KEYS[index], ARGV[3 * index - 2]
  local max, amount, wait = tonumber(ARGV[3 * index - 1]), tonumber(ARGV[3 * index]), 0
  if kind == 'CONCURRENT_REQUESTS' then
    redis.call('ZREMRANGEBYSCORE', key, '-inf', nowMs)
    if redis.call('ZCARD', key) >= max then wait = ${CONCURRENCY_WAIT_MS} end
  else
    local sum, from = sumOf(key)
    if sum + amount > max then wait = waitMs(key, from, sum + amount - max) end
  end
  if wait > longest then refused, longest = index - 1, wait end
end
if refused > 0 then return { refused, longest } end
local tokens, sets = {}, {}
for index = 2, #KEYS do
  local key, kind, amount = KEYS[index], ARGV[3 * index - 2], tonumber(ARGV[3 * index])
  if kind == 'CONCURRENT_REQUESTS' then
    hold(key, ARGV[1], tonumber(ARGV[2]))
    sets[#sets + 1] = key
  else
    add(key, second, amount)
    if kind == 'TOKENS_PER_MINUTE' then tokens[#tokens + 1] = { key, amount } end
  end
end
if #tokens + #sets > 0 then
  redis.call('SET', KEYS[1], cjson.encode({ second = second, tokens = tokens, sets = sets }), 'EX', ARGV[3])
end
return { 0, 0 }`;

const END = `
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
redis.call('DEL', KEYS[1])
local record = cjson.decode(text)
for _, key in ipairs(record.sets) do redis.call('ZREM', key, ARGV[1]) end
if ARGV[2] == '' then return 1 end
for _, taken in ipairs(record.tokens) do
  local key, more = taken[1], tonumber(ARGV[2]) - taken[2]
  sumOf(key)
  if more > 0 then
    add(key, second, more)
  else
    local there = tonumber(redis.call('HGET', key, record.second) or 0)
    if there > 0 then add(key, record.second, math.max(more, -there)) end
  end
end
return 1`;

const EXTEND = `
local text = redis.call('GET', KEYS[1])
if not text then return 0 end
local sets = {}
for index, key in ipairs(cjson.decode(text).sets) do
  hold(key, ARGV[1], tonumber(ARGV[2]))
  sets[index] = key
end
return sets`;

const RENEW = `
for index = 2, #ARGV do hold(KEYS[1], ARGV[index], tonumber(ARGV[1])) end
return 1`;

const LOOK = `
local uses = {}
for index, key in ipairs(KEYS) do
  if ARGV[index] == 'CONCURRENT_REQUESTS' then
    uses[index] = { redis.call('ZCOUNT', key, '(' .. nowMs, '+inf'), -1 }
  else
    local sum, from = sumOf(key)
    local amounts, reset = amountsOf(key), -1
    for each = from, second do if (amounts[tostring(each)] or 0) > 0 then reset = leavesInMs(each) end end
    uses[index] = { sum, reset }
  end
end
return uses`;

export const LIMIT_SCRIPTS = limitScripts();
