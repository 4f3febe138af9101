import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LoggedEvent, Position } from '../../src/domain/stream.ts';
import { createMemoryEventLog } from '../../src/events/memory.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { eventLogContract } from '../contracts/event-log.ts';
import { createTestClock } from '../support/clock.ts';

eventLogContract('memory', () => createMemoryEventLog(systemClock));
eventLogContract('memory, compacting early', () => createMemoryEventLog(systemClock, { maxEvents: 4 }));

test('a released log stays readable for its grace time, then the store has to answer', () => {
  const clock = createTestClock();
  const log = createMemoryEventLog(clock, { graceMs: 1_000 });
  const signal = new AbortController().signal;
  log.open('r1', 1).append({ type: 'completed' });
  log.release('r1');

  clock.advance(999);
  assert.notEqual(log.follow('r1', undefined, signal), undefined);
  clock.advance(1);
  assert.equal(log.follow('r1', undefined, signal), undefined);
});

test('keeps no more released logs than its bound', () => {
  const log = createMemoryEventLog(createTestClock(), { maxReleased: 2 });
  for (const id of ['r1', 'r2', 'r3']) {
    log.open(id, 1).append({ type: 'completed' });
    log.release(id);
  }
  const known = ['r1', 'r2', 'r3'].filter(id => log.follow(id, undefined, new AbortController().signal));
  assert.deepEqual(known, ['r2', 'r3']);
});

test('followers of a released log that has no last event are let go, and a new epoch opens it again', async () => {
  const log = createMemoryEventLog(systemClock);
  async function typesBehind(after: Position | undefined): Promise<string[]> {
    const types: string[] = [];
    for await (const { event } of log.follow('r1', after, new AbortController().signal)!)
      types.push(event.type);
    return types;
  }
  const { position } = log.open('r1', 1).append({ type: 'token', text: 'half' });
  const following = typesBehind(undefined);
  log.release('r1');
  assert.deepEqual(await following, ['token']);

  const writer = log.open('r1', 2);
  const followingOn = typesBehind(position);
  writer.append({ type: 'completed' });
  assert.deepEqual(await followingOn, ['completed']);
});

test('has one timer for what it is to forget, however much is released', () => {
  const clock = createTestClock();
  let timers = 0;
  const after: typeof clock.after = (delayMs, callback) => {
    timers += 1;
    const cancel = clock.after(delayMs, () => {
      timers -= 1;
      callback();
    });
    return () => {
      timers -= 1;
      cancel();
    };
  };
  const log = createMemoryEventLog({ ...clock, after }, { maxReleased: 2 });
  for (let index = 0; index < 20; index += 1) {
    log.open(`r${index}`, 1).append({ type: 'completed' });
    log.release(`r${index}`);
  }
  assert.equal(timers, 1);
});

test('a cursor into joined text still finds its place after compaction', async () => {
  const log = createMemoryEventLog(systemClock, { maxEvents: 4 });
  const writer = log.open('r1', 1);
  const positions: Position[] = [];
  for (let index = 0; index < 40; index += 1)
    positions.push(writer.append({ type: 'token', text: `<${index}>` }).position);
  writer.append({ type: 'completed' });

  for (const [index, position] of positions.entries()) {
    const rest: LoggedEvent[] = [];
    for await (const event of log.follow('r1', position, new AbortController().signal)!) rest.push(event);
    const text = rest.map(({ event }) => (event.type === 'token' ? event.text : '')).join('');
    assert.equal(text, Array.from({ length: 39 - index }, (_, offset) => `<${index + 1 + offset}>`).join(''));
  }
});

test('a follower on its way is not disturbed by compaction', async () => {
  const log = createMemoryEventLog(systemClock, { maxEvents: 8 });
  const writer = log.open('r1', 1);
  let text = '';
  const reading = (async () => {
    for await (const { event } of log.follow('r1', undefined, new AbortController().signal)!)
      if (event.type === 'token') text += event.text;
  })();
  for (let index = 0; index < 200; index += 1) {
    writer.append({ type: 'token', text: `${index},` });
    if (index % 3 === 0) await Promise.resolve();
  }
  writer.append({ type: 'completed' });
  await reading;
  assert.equal(text, Array.from({ length: 200 }, (_, index) => `${index},`).join(''));
});

test('whoever is far behind gets a long text in pieces, while it is written and after its end', async () => {
  const log = createMemoryEventLog(systemClock);
  const writer = log.open('r1', 1);
  const text = Array.from({ length: 400 }, (_, index) => `${index} `.repeat(250)).join('');
  const read = async (after?: Position) => {
    const pieces: LoggedEvent[] = [];
    for await (const logged of log.follow('r1', after)!) {
      if (logged.event.type === 'token') pieces.push(logged);
      if (logged.position.offset === text.length) break;
    }
    return pieces;
  };
  const textOf = (pieces: readonly LoggedEvent[]) =>
    pieces.map(({ event }) => (event.type === 'token' ? event.text : '')).join('');

  for (let offset = 0; offset < text.length; offset += 1_000)
    writer.append({ type: 'token', text: text.slice(offset, offset + 1_000) });
  const live = await read();
  writer.append({ type: 'completed' });
  log.release('r1');
  const late = await read();

  for (const pieces of [live, late]) {
    assert.equal(textOf(pieces), text);
    assert.ok(pieces.every(({ event }) => event.type === 'token' && event.text.length < 70_000));
  }
  assert.equal(textOf(await read(live[1]!.position)), textOf(live.slice(2)));
});
