// When and how a request's events are copied to Redis.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { createTestClock } from '../support/clock.ts';
import { redisMissing, sharedRedisUrl } from '../support/redis.ts';
import { COMPLETED, type Instance, openInstance, RESTARTED, readOnce, textOf, token } from './redis-setup.ts';

const skip = redisMissing();

async function entryCount({ redis }: Instance, requestId: string): Promise<number> {
  const [reply] = await redis.run('read', [['xlen', `mcplane:{${requestId}}:events`]]);
  return Number(reply);
}

test('the first token is copied at once, those of the next moment as one entry', { skip }, async t => {
  const url = await sharedRedisUrl();
  const clock = createTestClock();
  const owner = await openInstance(t, url, { clock });
  // Whose clock stands still as well: it hears of an entry by its message only.
  const other = await openInstance(t, url, { clock });
  const id = newId();
  const writer = owner.events.open(id, 1);
  await owner.events.flushed();
  const iterator = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();

  const first = iterator.next();
  writer.append(token('one '));
  assert.equal(textOf([(await first).value!]), 'one ');
  const before = await entryCount(owner, id);
  const second = iterator.next();
  for (const text of ['two ', 'three ', 'four']) writer.append(token(text));
  await owner.redis.ping();
  assert.equal(await entryCount(owner, id), before);

  clock.advance(25);
  const { value } = await second;
  assert.deepEqual(value, {
    position: { epoch: 1, sequence: 4, offset: 18 },
    event: token('two three four'),
  });
  assert.equal(await entryCount(owner, id), before + 1);
  await iterator.return!();
});

test('all requests are copied in one round trip', { skip }, async t => {
  const owner = await openInstance(t, await sharedRedisUrl(), { clock: createTestClock() });
  const ids = Array.from({ length: 200 }, () => newId());
  const writers = ids.map(id => owner.events.open(id, 1));
  await owner.events.flushed();
  let roundTrips = 0;
  const { run } = owner.redis;
  Object.assign(owner.redis, {
    run: (...args: Parameters<typeof run>) => {
      roundTrips += 1;
      return run(...args);
    },
  });

  for (const writer of writers) {
    writer.append(token('a'));
    writer.append(COMPLETED);
  }
  await owner.events.flushed();
  assert.equal(roundTrips, 1);
  assert.equal(owner.events.size.mirrored, 0);
});

test('what Redis keeps of a request goes away by itself, sooner when it has ended', { skip }, async t => {
  const owner = await openInstance(t, await sharedRedisUrl(), { maxEntries: 2 });
  const id = newId();
  const ttls = () =>
    owner.redis.run(
      'read',
      ['events', 'head'].map(name => ['ttl', `mcplane:{${id}}:${name}`] as const),
    );
  const writer = owner.events.open(id, 1);
  for (let index = 0; index < 6; index += 1) {
    writer.append(token('a'));
    await owner.events.flushed();
  }
  assert.deepEqual(await ttls(), [3_600, 3_600]);

  writer.append(COMPLETED);
  await owner.events.flushed();
  assert.deepEqual(await ttls(), [600, 600]);
});

test('an answer to a write that was lost leaves neither a gap nor a double', { skip }, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url);
  const id = newId();
  const writer = owner.events.open(id, 1);
  await owner.events.flushed();
  const { run } = owner.redis;
  let lose = 2;
  Object.assign(owner.redis, {
    async run(...[operation, commands]: Parameters<typeof run>) {
      const replies = await run(operation, commands);
      lose -= 1;
      return lose >= 0 ? commands.map(() => new Error('Command timed out')) : replies;
    },
  });

  writer.append(token('one '));
  await owner.events.flushed();
  writer.append(token('two'));
  writer.append(COMPLETED);
  while (owner.events.size.mirrored > 0) await new Promise(resolve => setTimeout(resolve, 10));
  assert.equal(textOf(await readOnce(other.events, id)), 'one two');
  assert.equal(owner.meter.counts.resynced, 1);
});

test('a writer that was fenced is told once and copies nothing more', { skip }, async t => {
  const url = await sharedRedisUrl();
  const zombie = await openInstance(t, url);
  const owner = await openInstance(t, url);
  const id = newId();
  const old = zombie.events.open(id, 1);
  await zombie.events.flushed();
  owner.events.open(id, 2).append(RESTARTED);
  await owner.events.flushed();

  for (let index = 0; index < 3; index += 1) {
    old.append(token('late'));
    await zombie.events.flushed();
  }
  assert.deepEqual(zombie.fenced, [id]);
  assert.equal(zombie.events.size.mirrored, 0);
  assert.ok(
    !JSON.stringify(await owner.redis.run('read', [['xrange', `mcplane:{${id}}:events`, '-', '+']])).includes(
      'late',
    ),
  );
});

test('a stream that somebody else owns is not written anew either', { skip }, async t => {
  const url = await sharedRedisUrl();
  // Writes all there is, every time.
  const zombie = await openInstance(t, url, { maxEntries: 0 });
  const owner = await openInstance(t, url);
  const id = newId();
  const old = zombie.events.open(id, 1);
  await zombie.events.flushed();
  const writer = owner.events.open(id, 2);
  writer.append(RESTARTED);
  await owner.events.flushed();

  old.append(token('late'));
  await zombie.events.flushed();
  writer.append(COMPLETED);
  await owner.events.flushed();
  assert.deepEqual(zombie.fenced, [id]);
  assert.deepEqual(owner.fenced, []);
  assert.deepEqual(
    (await readOnce((await openInstance(t, url)).events, id)).map(({ event }) => event.type),
    ['restarted', 'completed'],
  );
});
