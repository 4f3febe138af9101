// Who may run at once, who has to wait, and when the queue is served.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission, type Take } from '../../src/gateway/admission.ts';

/** A queue of so many, and what was asked of it. */
function aQueue(length = 0) {
  const queue = { length, asked: [] as number[] };
  const take: Take = async limit => {
    queue.asked.push(limit);
    const taken = Math.min(limit, queue.length);
    queue.length -= taken;
    return taken;
  };
  return { queue, take };
}

/** Lets what was begun come to its end. */
const settled = () => new Promise(setImmediate);

async function opened(limits: { maxRunning: number; maxQueued: number }, take: Take): Promise<Admission> {
  const admission = new Admission(limits);
  admission.start(take);
  await settled();
  return admission;
}

test('runs up to its limit, then lets wait, then refuses with OVERLOADED', async () => {
  const admission = await opened({ maxRunning: 1, maxQueued: 1 }, aQueue().take);
  assert.equal(admission.enter(), 'running');
  assert.equal(admission.enter(), 'queued');
  assert.throws(() => admission.enter(), { code: 'OVERLOADED', retryAfterMs: 1_000 });
  assert.deepEqual(admission.load(), { running: 1, queued: 1 });
});

test('before the first look into the queue nobody runs: others may have come before the start', async () => {
  const admission = new Admission({ maxRunning: 10, maxQueued: 10 });
  assert.equal(admission.enter(), 'queued');
});

test('a place that comes free goes to those who wait, and to no newcomer', async () => {
  const { queue, take } = aQueue();
  const admission = await opened({ maxRunning: 1, maxQueued: 10 }, take);
  admission.enter();
  assert.equal(admission.enter(), 'queued');
  queue.length += 1;
  admission.queued();
  admission.leave();
  assert.equal(admission.enter(), 'queued', 'one is being taken');
  admission.withdraw('queued');
  await settled();
  assert.deepEqual(admission.load(), { running: 1, queued: 0 });
  admission.leave();
  await settled();
  assert.equal(admission.enter(), 'running', 'nobody waits any more');
});

test('a newcomer does not overtake one that is on its way into the queue', async () => {
  const admission = await opened({ maxRunning: 1, maxQueued: 10 }, aQueue().take);
  admission.enter();
  admission.enter();
  admission.leave();
  assert.equal(admission.enter(), 'queued');
});

test('what other instances put into the queue is found at a heartbeat and bounds what may be added', async () => {
  const { queue, take } = aQueue();
  const admission = await opened({ maxRunning: 2, maxQueued: 3 }, take);
  queue.length = 5;
  admission.observe(3);
  assert.equal(admission.load().queued, 3);
  await settled();
  assert.equal(admission.load().running, 2);
  admission.observe(3);
  assert.throws(() => admission.enter(), { code: 'OVERLOADED' });
});

test('takes until a look finds fewer than there is room for, and looks again when somebody came meanwhile', async () => {
  const { queue, take } = aQueue(40);
  const admission = new Admission({ maxRunning: 100, maxQueued: 10 });
  admission.start(limit => {
    if (queue.asked.length === 1) admission.wake();
    return take(limit);
  });
  await settled();
  assert.deepEqual(queue.asked, [32, 32, 32]);
  assert.deepEqual(admission.load(), { running: 40, queued: 0 });
  assert.equal(admission.enter(), 'running');
});

test('a queue that cannot be read keeps its places free and is tried again', async () => {
  const { take } = aQueue(1);
  const errors: unknown[] = [];
  let broken = true;
  const admission = new Admission({ maxRunning: 1, maxQueued: 10 }, error => errors.push(error));
  admission.start(limit => (broken ? Promise.reject(new Error('connection lost')) : take(limit)));
  await settled();
  assert.deepEqual([errors.length, admission.load().running], [1, 0]);
  assert.equal(admission.enter(), 'queued', 'somebody may wait, for all it knows');
  broken = false;
  admission.observe(1);
  await settled();
  assert.equal(admission.load().running, 1);
});

test('a stop waits for the look that is under way, and nothing is taken after it', async () => {
  const going = Promise.withResolvers<number>();
  const admission = new Admission({ maxRunning: 5, maxQueued: 10 });
  admission.start(() => going.promise);
  const stopped = admission.stop();
  going.resolve(2);
  await stopped;
  admission.observe(3);
  await settled();
  assert.deepEqual(admission.load(), { running: 2, queued: 3 });
});

test('one that waits for room at a deployment lets another run, and goes on when it has room', async () => {
  const { queue, take } = aQueue();
  const admission = await opened({ maxRunning: 1, maxQueued: 2 }, take);
  admission.enter();
  admission.park();
  assert.deepEqual(admission.load(), { running: 0, queued: 1 });
  assert.equal(admission.enter(), 'running');
  assert.equal(admission.enter(), 'queued');
  assert.throws(() => admission.enter(), { code: 'OVERLOADED' }, 'it counts among those that wait');
  queue.length = 1;
  admission.queued();
  admission.unpark();
  assert.equal(admission.load().running, 2);
  admission.leave();
  await settled();
  assert.deepEqual([admission.load().running, queue.length], [1, 1], 'the limit holds again');
  admission.leave();
  await settled();
  assert.deepEqual([admission.load().running, queue.length], [1, 0]);
});
