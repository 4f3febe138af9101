// Redis stopped, restarted, emptied, frozen and full. Whoever follows on the writer's instance never notices; whoever
// follows elsewhere is sent to the store or waits, and reads on without a gap once Redis is back.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { newId } from '../../src/domain/ids.ts';
import { isLast, type LoggedEvent } from '../../src/domain/stream.ts';
import { type RedisServer, redisMissing, startRedis } from '../support/redis.ts';
import {
  assertWhole,
  COMPLETED,
  type Instance,
  openInstance,
  readOnce,
  readToEnd,
  textOf,
  token,
} from './redis-setup.ts';

const skip = redisMissing();

interface Faults {
  /** Breaks Redis. */
  begin(server: RedisServer): Promise<void> | void;
  /** Mends it; absent: what was broken is broken for a moment only. */
  end?(server: RedisServer): Promise<void> | void;
}

const FAULTS: Record<string, Faults> = {
  'is stopped and started again, empty': { begin: server => server.kill(), end: server => server.start() },
  'is emptied': { begin: server => void server.command('flushall') },
  'accepts and never answers': { begin: server => server.pause(), end: server => server.resume() },
  'has no memory left': {
    begin: server => void server.command('config', 'set', 'maxmemory', '1'),
    end: server => void server.command('config', 'set', 'maxmemory', '0'),
  },
  'forgets its scripts': { begin: server => void server.command('script', 'flush') },
  'drops the connection of commands': {
    begin: server => void server.command('client', 'kill', 'type', 'normal'),
  },
  'drops the connection that listens': {
    begin: server => void server.command('client', 'kill', 'type', 'pubsub'),
  },
};

interface Scene {
  readonly server: RedisServer;
  readonly owner: Instance;
  readonly other: Instance;
}

async function openScene(t: TestContext): Promise<Scene> {
  const server = await startRedis(t);
  const owner = await openInstance(t, server.url, { joinMs: 2, maxEntries: 20 });
  const other = await openInstance(t, server.url);
  return { server, owner, other };
}

for (const [fault, { begin, end }] of Object.entries(FAULTS))
  test(`Redis ${fault}: followers here do not notice, followers elsewhere miss nothing`, {
    skip,
  }, async t => {
    const { server, owner, other } = await openScene(t);
    const id = newId();
    const writer = owner.events.open(id, 1);
    const local = readOnce(owner.events, id);
    const heard: LoggedEvent[] = [];
    const here = owner.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
    const remote = readToEnd(other.events, id);
    let written = 0;
    const append = async (count: number) => {
      for (let left = count; left > 0; left -= 1) {
        const index = written;
        written += 1;
        const { position } = writer.append(token(`${index} `));
        // Followed here event by event, without a timer in between: nothing on the way waits for Redis.
        do heard.push((await here.next()).value!);
        while (heard.at(-1)!.position.sequence < position.sequence);
        if (index % 4 === 0) await sleep(1);
      }
    };

    await append(50);
    await owner.events.flushed();
    await begin(server);
    await append(100);
    // What lasts, lasts until it is noticed.
    while (end && owner.meter.isUp()) await append(10);
    await append(100);
    await end?.(server);
    await append(50);
    writer.append(COMPLETED);
    owner.events.release(id);

    const expected = Array.from({ length: written }, (_, index) => `${index} `).join('');
    assert.equal(textOf(heard), expected);
    const late = readToEnd(other.events, id);
    for (const events of await Promise.all([local, remote, late])) {
      assertWhole(events);
      assert.equal(textOf(events), expected);
      assert.equal(events.filter(({ event }) => isLast(event)).length, 1);
    }
    assert.deepEqual(owner.fenced, []);
    await here.return!();
  });

test('without an answer of Redis, followers elsewhere are sent to the store', { skip }, async t => {
  const { server, owner, other } = await openScene(t);
  const id = newId();
  owner.events.open(id, 1).append(token('half'));
  await owner.events.flushed();
  const follower = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
  assert.equal(textOf([(await follower.next()).value!]), 'half');

  server.pause();
  assert.deepEqual(await follower.next(), { done: true, value: undefined });
  assert.deepEqual(await readOnce(other.events, id), []);
  server.resume();
  await other.meter.until(true);
  const iterator = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
  while ((await iterator.next()).done) assert.fail('Redis is back, and the stream is there');
  await iterator.return!();
});

test('a Redis that never answers costs a cursor per request, however much is written', { skip }, async t => {
  const server = await startRedis(t);
  const owner = await openInstance(t, server.url, { graceMs: 100, closeMs: 100 });
  const ids = Array.from({ length: 100 }, () => newId());
  const writers = ids.map(id => owner.events.open(id, 1));
  await owner.events.flushed();
  server.pause();
  let sent = 0;
  const { run } = owner.redis;
  Object.assign(owner.redis, {
    run: (...[operation, commands]: Parameters<typeof run>) => {
      sent += commands.length;
      return run(operation, commands);
    },
  });

  for (let round = 0; round < 200; round += 1) {
    for (const writer of writers) writer.append(token('x'.repeat(20)));
    await sleep(2);
  }
  // One round trip with all of them was under way; then one request at a time asked whether Redis is back.
  assert.ok(sent <= writers.length + 20, `${sent} commands for ${200 * writers.length} tokens`);
  assert.equal(owner.events.size.mirrored, writers.length);

  for (const id of ids) owner.events.release(id);
  await sleep(150);
  server.resume();
  await owner.meter.until(true);
  // What the local log has dropped meanwhile is not copied any more.
  while (owner.events.size.mirrored > 0) await sleep(5);
});

test('a stream that ended while Redis was away is there when it is back', { skip }, async t => {
  const { server, owner, other } = await openScene(t);
  await server.kill();
  await owner.meter.until(false);
  const id = newId();
  const writer = owner.events.open(id, 1);
  writer.append(token('all of it'));
  writer.append(COMPLETED);
  owner.events.release(id);
  await server.start();

  const events = await readToEnd(other.events, id);
  assertWhole(events);
  assert.equal(textOf(events), 'all of it');
  assert.equal(owner.events.size.mirrored, 0);
});

test('through any sequence of faults all followers end with the same text', { skip }, async t => {
  const { server, owner, other } = await openScene(t);
  const kinds = Object.values(FAULTS);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(kinds.length - 1), fc.integer({ min: 0, max: 20 })), {
        minLength: 1,
        maxLength: 4,
      }),
      async schedule => {
        const id = newId();
        const writer = owner.events.open(id, 1);
        const followers = [
          readToEnd(owner.events, id),
          readToEnd(other.events, id),
          readToEnd(other.events, id),
        ];
        let expected = '';
        const write = async (count: number) => {
          for (let index = 0; index < count; index += 1) {
            expected += `${index},`;
            writer.append(token(`${index},`));
            await sleep(1);
          }
        };
        for (const [kind, count] of schedule) {
          await write(5);
          await kinds[kind]!.begin(server);
          await write(count);
          await kinds[kind]!.end?.(server);
        }
        writer.append(COMPLETED);
        owner.events.release(id);
        for (const events of await Promise.all(followers)) {
          assertWhole(events);
          assert.equal(textOf(events), expected);
        }
      },
    ),
    { numRuns: 8 },
  );
  assert.deepEqual(owner.fenced, []);
});

test('a password that Redis refuses is said once and never written down', { skip }, async t => {
  const server = await startRedis(t, '--requirepass', 'right-password');
  const url = server.url.replace('redis://', 'redis://:wrong-password@');
  const { meter, events } = await openInstance(t, url, { wait: false });
  while (meter.counts.failed < 4) await sleep(5);
  const writer = events.open(newId(), 1);
  writer.append(COMPLETED);

  assert.equal(meter.lines.length, 1);
  assert.match(meter.lines[0]!, /WRONGPASS/);
  assert.doesNotMatch(meter.lines.join(), /wrong-password|right-password/);
});
