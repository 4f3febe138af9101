// Failed logins as all instances count them: for each address, and for each account from it, a sorted set of attempts by
// their time on Redis' clock.

import { script } from '../events/redis-connection.ts';

export const LOGIN_SCRIPTS = {
  /**
   * KEYS: of the address, of the account from it. ARGV: id of the attempt, length of the window in ms, and how many of
   * each may be in it. Counts the attempt as failed and returns 0, 0; or which of the two is full, and for how many ms.
   */
  begin: script(`
local time = redis.call('TIME')
local nowMs = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local windowMs = tonumber(ARGV[2])
for index, key in ipairs(KEYS) do
  local max = tonumber(ARGV[2 + index])
  redis.call('ZREMRANGEBYSCORE', key, '-inf', nowMs - windowMs)
  local count = redis.call('ZCARD', key)
  if count >= max then
    local oldest = redis.call('ZRANGE', key, count - max, count - max, 'WITHSCORES')
    return { index, tonumber(oldest[2]) + windowMs - nowMs }
  end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, nowMs, ARGV[1])
  redis.call('PEXPIRE', key, windowMs)
end
return { 0, 0 }`),
  /** KEYS as above. ARGV: id of the attempt. The account has no failures any more, the address one less. */
  succeed: script(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
return 1`),
  /** KEYS as above. ARGV: id of the attempt, which was none. */
  withdraw: script(`
for _, key in ipairs(KEYS) do
  redis.call('ZREM', key, ARGV[1])
end
return 1`),
} as const;
