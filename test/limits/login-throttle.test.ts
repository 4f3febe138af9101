// The login throttle over several instances. How it looks from outside is in test/control/members-login.test.ts.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { openRedis } from '../../src/events/redis-connection.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { LOGIN_SCRIPTS } from '../../src/limits/login-scripts.ts';
import { createLoginThrottle, type LoginThrottle } from '../../src/limits/login-throttle.ts';
import { createSharing } from '../../src/limits/sharing.ts';
import { createTestClock } from '../support/clock.ts';
import { createCountingMeter, type RedisServer, redisMissing, startRedis } from '../support/redis.ts';

const skip = redisMissing();
const SETTINGS = { windowMs: 60_000, maxFailures: 6, maxFailuresPerAddress: 20 };
const ADDRESS = '192.0.2.1';

/** As one of two instances has it. */
async function open(t: TestContext, server: RedisServer) {
  const redis = openRedis({
    url: server.url,
    meter: createCountingMeter(),
    log: { info() {}, warn() {} },
    scripts: Object.values(LOGIN_SCRIPTS),
  });
  t.after(() => redis.close());
  const sharing = createSharing({
    redis,
    clock: systemClock,
    timeoutMs: 5_000,
    meter: { insured() {} },
    log: { info() {}, warn() {} },
  });
  t.after(() => sharing.close());
  await new Promise<void>(resolve => sharing.onUp(resolve));
  const refused: string[] = [];
  const throttle = createLoginThrottle({
    clock: systemClock,
    settings: SETTINGS,
    instances: () => 2,
    sharing,
    secret: 'of all instances',
    meter: { refused: limit => refused.push(limit) },
  });
  return { throttle, sharing, refused };
}

/** Fails to log in so often; how often it was let try. */
async function fail(throttle: LoginThrottle, times: number, account = 'ada', address = ADDRESS) {
  const tries = Array.from({ length: times }, () => throttle.begin(account, address));
  return (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled').length;
}

test('failures on any instance count on all, as many at once as there may be', { skip }, async t => {
  const server = await startRedis(t);
  const [one, other] = await Promise.all([open(t, server), open(t, server)]);

  const tried = await Promise.all([fail(one.throttle, 30), fail(other.throttle, 30)]);

  assert.equal(tried[0]! + tried[1]!, 6);
  await assert.rejects(other.throttle.begin('ada', ADDRESS), (error: { retryAfterMs: number }) => {
    assert.ok(error.retryAfterMs > 0 && error.retryAfterMs <= 60_000);
    return true;
  });
  assert.equal(await fail(other.throttle, 1, 'ada', '192.0.2.2'), 1, 'the owner from elsewhere');
  assert.equal(await fail(other.throttle, 30, 'bob'), 6);
  assert.deepEqual(new Set(one.refused), new Set(['loginMaxFailures']));
});

test('an address has an end over all accounts', { skip }, async t => {
  const server = await startRedis(t);
  const [one, other] = await Promise.all([open(t, server), open(t, server)]);
  let tried = 0;

  for (let account = 0; account < 10; account++)
    tried += await fail((account % 2 ? one : other).throttle, 3, `user-${account}`);

  assert.equal(tried, 20);
  assert.ok(one.refused.includes('loginMaxFailuresPerAddress'));
});

test('a good login forgets the failures of its account on all instances, not those of its address', {
  skip,
}, async t => {
  const server = await startRedis(t);
  const [one, other] = await Promise.all([open(t, server), open(t, server)]);
  await fail(one.throttle, 5);

  (await other.throttle.begin('ada', ADDRESS)).succeed();

  assert.equal(await fail(one.throttle, 9), 6);
  assert.equal(await fail(one.throttle, 6, 'bob'), 6);
  assert.equal(await fail(one.throttle, 9, 'cyd'), 3, '5 + 6 + 6 + 3 are 20');
});

test('an attempt that is withdrawn counts on no instance, and leaves the failures that there are', {
  skip,
}, async t => {
  const server = await startRedis(t);
  const [one, other] = await Promise.all([open(t, server), open(t, server)]);
  await fail(one.throttle, 5);

  for (let round = 0; round < 9; round++) (await other.throttle.begin('ada', ADDRESS)).withdraw();

  assert.equal(await fail(one.throttle, 9), 1);
  assert.equal(await fail(one.throttle, 6, 'bob'), 6);
});

test('neither names nor addresses are to be read in Redis, and all of it passes', { skip }, async t => {
  const server = await startRedis(t);
  const { throttle } = await open(t, server);
  await fail(throttle, 2, 'a password in the wrong field');

  const keys = server.command('keys', '*').trim().split('\n');

  assert.equal(keys.length, 2);
  assert.doesNotMatch(keys.join(), /password|192/);
  for (const key of keys) assert.ok(Number(server.command('ttl', key)) > 0);
});

test('without Redis nobody gets in unseen: each instance bears its share of the failures', {
  skip,
}, async t => {
  const server = await startRedis(t);
  const { throttle } = await open(t, server);
  await fail(throttle, 2);
  await server.kill();

  assert.equal(await fail(throttle, 10), 1, 'two were before, and six are for two instances');
  assert.equal(await fail(throttle, 30, 'bob'), 3);
  (await throttle.begin('cyd', ADDRESS)).succeed();
});

test('a slip of the finger locks nobody out, among however many instances failures are shared out', async () => {
  const throttle = createLoginThrottle({
    clock: createTestClock(),
    settings: SETTINGS,
    instances: () => 50,
  });

  assert.equal(await fail(throttle, 10), 3);
});
