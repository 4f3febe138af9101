// Following what another instance writes: what happens when messages are lost, wrong, or do not come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '../../src/domain/ids.ts';
import { createTestClock } from '../support/clock.ts';
import { redisMissing, sharedRedisUrl } from '../support/redis.ts';
import { assertWhole, COMPLETED, openInstance, readOnce, textOf, token } from './redis-setup.ts';

const skip = redisMissing();

test('a message that was lost is found in the stream after a second of silence', { skip }, async t => {
  const url = await sharedRedisUrl();
  const clock = createTestClock();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url, { clock });
  const id = newId();
  const writer = owner.events.open(id, 1);
  writer.append(token('one '));
  await owner.events.flushed();
  const iterator = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
  await iterator.next();

  const second = iterator.next();
  // An entry without its message.
  const lost = JSON.stringify({ f: 2, e: 1, s: 2, o: 7, v: token('two') });
  await owner.redis.run('read', [['xadd', `mcplane:{${id}}:events`, '1-2', 'm', lost]]);
  clock.advance(1_250);
  assert.equal(textOf([(await second).value!]), 'two');
  await iterator.return!();
});

test('a message behind a lost one sends the follower to the stream', { skip }, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url, { clock: createTestClock() });
  const id = newId();
  const channel = `mcplane:{${id}}:events`;
  const writer = owner.events.open(id, 1);
  writer.append(token('one '));
  await owner.events.flushed();
  const iterator = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
  const events = [(await iterator.next()).value!];

  const [lost, seen] = [
    JSON.stringify({ f: 2, e: 1, s: 2, o: 8, v: token('two ') }),
    JSON.stringify({ f: 3, e: 1, s: 3, o: 8, v: COMPLETED }),
  ];
  await owner.redis.run('read', [
    ['xadd', channel, '1-2', 'm', lost],
    ['xadd', channel, '1-3', 'm', seen],
    ['publish', channel, seen],
  ]);
  for await (const logged of { [Symbol.asyncIterator]: () => iterator }) events.push(logged);
  assertWhole(events);
  assert.equal(textOf(events), 'one two ');
});

test('messages that are not ours, old or repeated change nothing', { skip }, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url);
  const id = newId();
  const channel = `mcplane:{${id}}:events`;
  const writer = owner.events.open(id, 1);
  writer.append(token('one '));
  await owner.events.flushed();
  const iterator = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
  const events = [(await iterator.next()).value!];

  const repeated = JSON.stringify({ f: 1, e: 1, s: 1, o: 4, v: token('one ') });
  for (const message of ['', 'null', '{', '[1]', '{"f":"x"}', repeated])
    await owner.redis.run('read', [['publish', channel, message]]);
  writer.append(COMPLETED);
  for await (const logged of { [Symbol.asyncIterator]: () => iterator }) events.push(logged);
  assertWhole(events);
  assert.equal(textOf(events), 'one ');
});

test('a stream that is silent for long sends its followers to the store', { skip }, async t => {
  const url = await sharedRedisUrl();
  const clock = createTestClock();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url, { clock });
  const id = newId();
  owner.events.open(id, 1).append(token('half'));
  await owner.events.flushed();
  const iterator = other.events.follow(id, undefined, new AbortController().signal)![Symbol.asyncIterator]();
  await iterator.next();

  const end = iterator.next();
  clock.advance(10_250);
  assert.deepEqual(await end, { done: true, value: undefined });
  assert.equal(other.events.size.followed, 0);
});

test('a part of the stream that Redis has dropped is never skipped over', { skip }, async t => {
  const url = await sharedRedisUrl();
  const owner = await openInstance(t, url);
  const other = await openInstance(t, url);
  const id = newId();
  const writer = owner.events.open(id, 1);
  for (const text of ['one ', 'two ', 'three']) {
    writer.append(token(text));
    await owner.events.flushed();
  }
  await owner.redis.run('read', [['xdel', `mcplane:{${id}}:events`, '1-2']]);
  assert.deepEqual(await readOnce(other.events, id), []);
});
