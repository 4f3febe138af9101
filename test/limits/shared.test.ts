// The limits as all instances judge them through Redis: by the same rules as alone, and never at the price of a wait.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openRedis } from '../../src/events/redis-connection.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Claim } from '../../src/limits/claims.ts';
import { LIMIT_SCRIPTS, type LimitScripts, limitScripts } from '../../src/limits/scripts.ts';
import { createSharedLimits } from '../../src/limits/shared.ts';
import { createSharing, type Sharing } from '../../src/limits/sharing.ts';
import { createCountingMeter, redisMissing, startRedis } from '../support/redis.ts';
import { agreesWithReference } from './model.ts';

const skip = redisMissing();
const quiet = { info() {}, warn() {} };

/** Limits on a connection of their own, as an instance has them; ready unless Redis is down. */
async function open(
  t: TestContext,
  url: string,
  { timeoutMs = 5_000, scripts = LIMIT_SCRIPTS }: { timeoutMs?: number; scripts?: LimitScripts } = {},
) {
  const meter = createCountingMeter();
  const redis = openRedis({ url, meter, log: quiet, scripts: Object.values(scripts) });
  t.after(() => redis.close());
  const insured = { insured() {} };
  const sharing = createSharing({ redis, clock: systemClock, timeoutMs, meter: insured, log: quiet });
  t.after(() => sharing.close());
  await untilUp(sharing);
  return { limits: createSharedLimits(sharing, scripts), redis, meter, sharing };
}

function untilUp(sharing: Sharing): Promise<void> | undefined {
  return sharing.isUp() ? undefined : new Promise(resolve => sharing.onUp(resolve));
}

const requests = (max: number): Claim => ({
  name: 'userRequestsPerMinute',
  kind: 'REQUESTS_PER_MINUTE',
  subject: 'user:a',
  max,
  amount: 1,
});
const underWay = (max: number): Claim => ({
  ...requests(max),
  name: 'userConcurrentRequests',
  kind: 'CONCURRENT_REQUESTS',
});

test('it judges as if all that was ever taken were counted anew each time', { skip }, async t => {
  const server = await startRedis(t);
  const scripts = limitScripts(`redis.call('HMGET', 'clock', 'seconds', 'microseconds')`);
  const { limits, redis } = await open(t, server.url, { scripts });
  const setClock = async (nowMs: number) => {
    const [seconds, microseconds] = [Math.floor(nowMs / 1_000), (nowMs % 1_000) * 1_000];
    await redis.run('test', [
      ['hset', 'clock', 'seconds', String(seconds), 'microseconds', String(microseconds)],
    ]);
  };

  await agreesWithReference(async startMs => {
    let nowMs = startMs;
    await redis.run('test', [['flushdb']]);
    await setClock(nowMs);
    return {
      async advance(ms) {
        nowMs += ms;
        await setClock(nowMs);
      },
      async admit(requestId, claims, leaseMs) {
        const verdict = await limits.admit(requestId, claims, leaseMs);
        assert.ok(verdict);
        return verdict.refusal;
      },
      async end(requestId, usedTokens) {
        limits.end(requestId, usedTokens);
        // It goes at the end of the turn, and the clock must not move before.
        await new Promise(setImmediate);
      },
      extend: async (requestId, leaseMs) => void (await limits.extend(requestId, leaseMs)),
      used: async claim => (await limits.use([claim]))![0]!,
    };
  }, 100);
});

test('of many at once on several instances exactly as many are let in as the limit says', {
  skip,
}, async t => {
  const server = await startRedis(t);
  const instances = await Promise.all([open(t, server.url), open(t, server.url), open(t, server.url)]);

  const verdicts = await Promise.all(
    Array.from({ length: 600 }, (_, index) =>
      instances[index % 3]!.limits.admit(`r${index}`, [requests(70), underWay(200)], 60_000),
    ),
  );

  assert.equal(verdicts.filter(verdict => verdict && !verdict.refusal).length, 70);
});

test('all claims of a submission are one: what one limit refuses is taken of no other', { skip }, async t => {
  const server = await startRedis(t);
  const { limits } = await open(t, server.url);
  const of = (max: number, subject: string): Claim => ({ ...requests(max), subject });

  assert.deepEqual(await limits.admit('1', [of(9, 'user:a'), of(1, 'apiKey:b')], 1_000), {});
  for (let round = 0; round < 5; round++)
    assert.equal(
      (await limits.admit(`2-${round}`, [of(9, 'user:a'), of(1, 'apiKey:b')], 1_000))?.refusal?.claim.subject,
      'apiKey:b',
    );

  assert.equal((await limits.use([of(9, 'user:a')]))![0]!.used, 1);
});

test('whatever instance ends a request, it counts no more, and what it did not take is given back', {
  skip,
}, async t => {
  const server = await startRedis(t);
  const [one, other] = await Promise.all([open(t, server.url), open(t, server.url)]);
  const tokens: Claim = { ...requests(1_000), kind: 'TOKENS_PER_MINUTE', amount: 800 };
  await one.limits.admit('r', [tokens, underWay(1)], 60_000);

  assert.deepEqual(await other.limits.extend('r', 60_000), ['user:a']);
  other.limits.end('r', 150);
  other.limits.end('r', 150);

  const [spent, running] = (await other.limits.use([tokens, underWay(1)]))!;
  assert.deepEqual([spent!.used, running!.used], [150, 0]);
  assert.equal(await other.limits.extend('r', 60_000), undefined);
});

test('what Redis has lost is not given back', { skip }, async t => {
  const server = await startRedis(t);
  const { limits } = await open(t, server.url);
  const tokens: Claim = { ...requests(1_000), kind: 'TOKENS_PER_MINUTE', amount: 800 };
  await limits.admit('r', [tokens], 60_000);
  server.command('del', 'mcplane:{limits}:user:a:TOKENS_PER_MINUTE');

  limits.end('r', 0);

  assert.equal((await limits.use([tokens]))![0]!.used, 0);
});

test('nothing is left in Redis for ever', { skip }, async t => {
  const server = await startRedis(t);
  const { limits } = await open(t, server.url);
  const tokens: Claim = { ...requests(1_000), kind: 'TOKENS_PER_MINUTE', amount: 800 };
  await limits.admit('r', [requests(5), tokens, underWay(5)], 60_000);
  limits.renew(new Map([['user:a', ['r', 's']]]), 60_000);
  await limits.use([requests(5)]);

  const keys = server.command('keys', '*').trim().split('\n');
  const lives = keys.map(key => Number(server.command('ttl', key)));

  assert.equal(keys.length, 4);
  assert.ok(
    lives.every(seconds => seconds > 0),
    String(lives),
  );
});

test('a Redis that hangs is waited for once, and found again when it answers', { skip }, async t => {
  const server = await startRedis(t);
  const { limits, meter, sharing } = await open(t, server.url, { timeoutMs: 50 });
  await limits.admit('before', [underWay(1)], 60_000);
  server.pause();

  const asked = await Promise.all(['a', 'b', 'c'].map(id => limits.admit(id, [requests(9)], 1_000)));

  assert.equal(meter.counts.failed, 0, 'the client itself would have waited for longer');
  assert.deepEqual(asked, [undefined, undefined, undefined]);
  assert.equal(sharing.isUp(), false);
  // Told when there is somebody to tell.
  limits.end('before', undefined);
  server.resume();
  await untilUp(sharing);
  assert.deepEqual(await limits.admit('after', [underWay(1)], 60_000), {});
});
