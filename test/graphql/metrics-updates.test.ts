// How often figures are sent: at once, after each change, never more often than the interval.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { metricsUpdates } from '../../src/graphql/metrics-updates.ts';
import { createTopic } from '../../src/lib/topic.ts';
import { createTestClock } from '../support/clock.ts';

function startUpdates() {
  const clock = createTestClock();
  const topic = createTopic<string>();
  let readings = 0;
  const updates = metricsUpdates({
    finished: () => topic.subscribe(),
    read: async () => ++readings,
    intervalMs: 2_000,
    clock,
  });
  return { clock, topic, updates, readings: () => readings };
}

/** Lets everything that is ready run. */
const settle = () => new Promise(resolve => setImmediate(resolve));

test('the first figures come at once, the next when something has finished', async () => {
  const { clock, topic, updates, readings } = startUpdates();

  assert.deepEqual(await updates.next(), { done: false, value: 1 });
  const next = updates.next();
  clock.advance(60_000);
  await settle();
  assert.equal(readings(), 1);
  topic.publish('a', 'finished');
  assert.deepEqual(await next, { done: false, value: 2 });
  await updates.return?.();
});

test('whatever finishes within the interval is one reading at its end', async () => {
  const { clock, topic, updates, readings } = startUpdates();
  await updates.next();
  const next = updates.next();

  for (const id of ['a', 'b', 'c']) topic.publish(id, 'finished');
  await settle();
  clock.advance(1_999);
  await settle();
  assert.equal(readings(), 1);
  clock.advance(1);
  assert.deepEqual(await next, { done: false, value: 2 });
  await updates.return?.();
});

test('what finishes while the subscriber is busy is not missed', async () => {
  const { clock, topic, updates } = startUpdates();
  await updates.next();
  topic.publish('a', 'finished');
  await settle();

  const next = updates.next();
  await settle();
  clock.advance(2_000);
  assert.deepEqual(await next, { done: false, value: 2 });
  await updates.return?.();
});

test('leaving ends it at once and lets go of the source', async () => {
  const { topic, updates } = startUpdates();
  await updates.next();
  const pending = updates.next();
  await settle();
  assert.equal(topic.subscriberCount, 1);

  await updates.return?.();

  assert.deepEqual(await pending, { done: true, value: undefined });
  await settle();
  assert.equal(topic.subscriberCount, 0);
});
