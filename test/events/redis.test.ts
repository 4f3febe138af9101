// The shared log: the contract of every log, and what holds between instances.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { newId } from '../../src/domain/ids.ts';
import { isLast, type LoggedEvent, type Position, type StreamEvent } from '../../src/domain/stream.ts';
import type { EventLog, LogWriter } from '../../src/events/event-log.ts';
import { eventLogContract } from '../contracts/event-log.ts';
import { redisMissing, sharedRedisUrl } from '../support/redis.ts';
import {
  assertWhole,
  COMPLETED,
  openInstance,
  RESTARTED,
  readOnce,
  readToEnd,
  textOf,
  token,
} from './redis-setup.ts';

const skip = redisMissing();

eventLogContract('redis', async t => (await openInstance(t, await sharedRedisUrl())).events, { skip });
eventLogContract('redis, between two instances', t => twoInstances(t), { skip });
eventLogContract('redis, between two instances, trimming early', t => twoInstances(t, 3), { skip });

/** A log that is written on one instance and followed on another. */
async function twoInstances(t: TestContext, maxEntries = 1_000) {
  const url = await sharedRedisUrl();
  const writer = await openInstance(t, url, { maxEntries });
  const reader = await openInstance(t, url);
  return {
    open: writer.events.open,
    release: writer.events.release,
    forget: writer.events.forget,
    follow: reader.events.follow,
    holdsRest: writer.events.holdsRest,
    async close() {
      await Promise.all([writer.events.close(), reader.events.close()]);
      await Promise.all([writer.redis.close(), reader.redis.close()]);
    },
  };
}

/** Follows to the end, but leaves after `counts` events each time and comes back with its cursor. */
async function readWithBreaks(
  log: EventLog,
  requestId: string,
  counts: readonly number[],
): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for (let visit = 0; ; visit += 1) {
    let left = counts[visit] ?? Infinity;
    for await (const logged of log.follow(
      requestId,
      events.at(-1)?.position,
      new AbortController().signal,
    )!) {
      events.push(logged);
      left -= 1;
      if (isLast(logged.event)) return events;
      if (left <= 0) break;
    }
    await sleep(1);
  }
}

const RESTART_ALL: StreamEvent = { type: 'restarted', attempt: 2, reason: 'another answer' };
const ATTEMPT: StreamEvent = { type: 'attempt-started', attempt: 1, deploymentId: 'simulated/echo' };

/** What a writer does: text, a pause, another attempt, a restart that voids all or only what came after a place. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.string({ minLength: 1, maxLength: 5, unit: 'binary' }) },
  { weight: 3, arbitrary: fc.constant('pause' as const) },
  { weight: 1, arbitrary: fc.constantFrom('attempt' as const, 'restart' as const, 'keep' as const) },
);

async function write(writer: LogWriter, steps: readonly string[]): Promise<LoggedEvent[]> {
  const written: LoggedEvent[] = [];
  for (const next of steps) {
    if (next === 'pause') await sleep(2);
    else if (next === 'attempt') written.push(writer.append(ATTEMPT));
    else if (next === 'restart') written.push(writer.append(RESTART_ALL));
    else if (next === 'keep') {
      const lastRestart = written.findLastIndex(({ event }) => event.type === 'restarted');
      const keepThrough = written.slice(lastRestart + 1).at(0)?.position;
      written.push(writer.append({ ...RESTART_ALL, ...(keepThrough ? { keepThrough } : {}) }));
    } else written.push(writer.append(token(next)));
  }
  return written;
}

test('whoever follows, wherever and however often it comes back, has the same text, no gap and no double', {
  skip,
}, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url, { joinMs: 2, maxEntries: 4 });
  const others = [await openInstance(t, url), await openInstance(t, url, { maxEvents: 4 })];
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.array(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 12 }), { minLength: 1, maxLength: 5 }),
      async (steps, visits) => {
        const id = newId();
        const writer = owner.events.open(id, 1);
        const followers = visits.map((counts, index) =>
          readWithBreaks([...others, owner][index % 3]!.events, id, counts),
        );
        const written = await write(writer, steps);
        writer.append(COMPLETED);
        owner.events.release(id);

        const expected = textOf(written);
        const late = others.map(({ events }) => readToEnd(events, id, { pauseMs: 1 }));
        for (const events of await Promise.all([...followers, ...late])) {
          assertWhole(events);
          assert.equal(textOf(events), expected);
          assert.equal(events.filter(({ event }) => isLast(event)).length, 1);
        }
      },
    ),
    { numRuns: 60 },
  );
});

test('a follower reads on from any cursor, also from one into what was trimmed', { skip }, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url, { maxEntries: 5 });
  const other = await openInstance(t, url);
  const id = newId();
  const writer = owner.events.open(id, 1);
  const positions: Position[] = [];
  for (let index = 0; index < 40; index += 1) {
    positions.push(writer.append(token(`<${index}>`)).position);
    await owner.events.flushed();
  }
  writer.append(COMPLETED);
  await owner.events.flushed();

  const [length] = await owner.redis.run('read', [['xlen', `mcplane:{${id}}:events`]]);
  assert.ok(Number(length) <= 7, `${length} entries`);
  for (const [index, position] of positions.entries()) {
    const events = await readOnce(other.events, id, position);
    assertWhole(events, position);
    assert.equal(
      textOf(events),
      Array.from({ length: 39 - index }, (_, at) => `<${index + 1 + at}>`).join(''),
    );
  }
});

test('one subscription serves all followers of a request, and is given up with the last', {
  skip,
}, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url);
  const id = newId();
  const writer = owner.events.open(id, 1);
  writer.append(token('one'));
  await owner.events.flushed();
  const subscribers = async () => {
    const [reply] = await owner.redis.run('read', [['pubsub', 'numsub', `mcplane:{${id}}:events`]]);
    return Number((reply as unknown[])[1]);
  };

  const iterators = Array.from({ length: 5 }, () =>
    other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator](),
  );
  for (const iterator of iterators) await iterator.next();
  assert.equal(await subscribers(), 1);
  assert.equal(other.events.size.followed, 1);

  for (const iterator of iterators) await iterator.return!();
  // Unsubscribed by another connection than the one that asks: its answer may come later.
  while ((await subscribers()) > 0) await sleep(1);
  assert.equal(other.events.size.followed, 0);
});

test('after a takeover all follow the new owner, and nobody hears the old one again', { skip }, async t => {
  const url = await sharedRedisUrl();
  const [zombie, owner, third] = [
    await openInstance(t, url),
    await openInstance(t, url),
    await openInstance(t, url),
  ];
  const id = newId();
  const old = zombie.events.open(id, 1);
  old.append(token('half an '));
  await zombie.events.flushed();
  const followers = [zombie, third].map(({ events }) => readToEnd(events, id));

  const writer = owner.events.open(id, 2);
  await owner.events.flushed();
  old.append(token('zombie'));
  await zombie.untilFenced(id);
  // As the execution does when it is fenced: whoever follows here is sent to the new owner's log.
  zombie.events.release(id);
  writer.append(RESTARTED);
  writer.append(token('whole answer'));
  writer.append(COMPLETED);

  const [local, remote] = await Promise.all(followers);
  assert.equal(textOf(local!), 'whole answer');
  assert.equal(textOf(remote!), 'whole answer');
  assertWhole(remote!);
  assert.ok(!JSON.stringify(remote).includes('zombie'));
  assert.ok(!JSON.stringify(await readOnce(third.events, id)).includes('zombie'));
  assert.deepEqual(owner.fenced, []);
  assert.equal(zombie.meter.counts.fenced, 1);
});

test('an instance that takes its own request back goes on in the same log', { skip }, async t => {
  const url = await sharedRedisUrl();
  const [first, second, third] = [
    await openInstance(t, url),
    await openInstance(t, url),
    await openInstance(t, url),
  ];
  const id = newId();
  const follower = readToEnd(third.events, id);
  first.events.open(id, 1).append(token('a'));
  await first.events.flushed();
  first.events.release(id);
  const taken = second.events.open(id, 2);
  taken.append(RESTARTED);
  taken.append(token('b'));
  await second.events.flushed();
  second.events.release(id);
  const back = first.events.open(id, 3);
  back.append(RESTARTED);
  back.append(token('c'));
  back.append(COMPLETED);

  for (const events of [await follower, await readToEnd(second.events, id)]) {
    assertWhole(events);
    assert.equal(textOf(events), 'c');
    assert.equal(events.at(-1)!.position.epoch, 3);
  }
});
