// The duty of deleting: what is due goes without anybody's word, and what a deleted user still had under way goes too.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMemoryEventLog } from '../../src/events/memory.ts';
import { createNoSignals } from '../../src/events/signals.ts';
import { createContent } from '../../src/gateway/content.ts';
import { aRequest, aUser, endedAgo, makeFinished } from '../store/samples.ts';
import { until } from '../support/app.ts';
import { createTestClock } from '../support/clock.ts';
import { openTestStore } from '../support/database.ts';

const DAY_MS = 86_400_000;

async function start(t: TestContext, contentRetentionDays: number) {
  const store = await openTestStore(t);
  const clock = createTestClock();
  const events = createMemoryEventLog(clock);
  const cancelled: string[] = [];
  const content = createContent(
    {
      store,
      events,
      clock,
      signals: createNoSignals(),
      log: { warn: fields => assert.fail(JSON.stringify(fields)) },
      contentRetentionDays,
    },
    {
      toDelete: () => assert.fail('nobody asks'),
      cancel: async ({ id }) => void cancelled.push(id),
    },
  );
  const isDeleted = async (id: string) =>
    (await store.requests.byIds([id]))[0]?.contentDeletedAt !== undefined;
  return { store, clock, events, content, cancelled, isDeleted };
}

test('what is kept for long enough is deleted after a heartbeat, and looked for no more than twice a minute', async t => {
  const { store, clock, content, isDeleted } = await start(t, 30);
  const [old, young] = [await endedAgo(store, 31 * DAY_MS), await endedAgo(store, 29 * DAY_MS)];

  content.review();
  await until(() => isDeleted(old.id), 'the old one is deleted');
  assert.equal(await isDeleted(young.id), false);

  const older = await endedAgo(store, 32 * DAY_MS);
  clock.advance(29_000);
  content.review();
  assert.equal(await isDeleted(older.id), false);
  clock.advance(1_000);
  content.review();
  await until(() => isDeleted(older.id), 'the other one is deleted');
});

test('with a retention of no days there is a minute to read the answer in', async t => {
  const { store, content, isDeleted } = await start(t, 0);
  const [old, young] = [await endedAgo(store, 61_000), await endedAgo(store, 50_000)];

  assert.equal(await content.expireContent(), 1);
  assert.deepEqual([await isDeleted(old.id), await isDeleted(young.id)], [true, false]);
});

test('more than one batch is deleted in one go', async t => {
  const { store, content } = await start(t, 0);
  await Promise.all(Array.from({ length: 250 }, () => endedAgo(store, DAY_MS)));

  assert.equal(await content.expireContent(), 250);
});

test('what a deleted user submitted at the last moment is cancelled, and deleted when it has ended', async t => {
  const { store, content, cancelled, isDeleted } = await start(t, 30);
  const user = aUser();
  await store.members.createUser(user, undefined);
  await store.members.deleteUser(user.id, 'deleted-1');
  const late = await makeFinished(store, { request: { userId: user.id } });
  const running = aRequest({ userId: user.id });
  await store.requests.accept(running);

  content.review();

  await until(() => isDeleted(late.id), 'it is deleted');
  assert.deepEqual(cancelled, [running.id]);
  assert.deepEqual(await store.content.leavingUsers(), [user.id]);
});

test('the events of what is deleted are dropped', async t => {
  const { store, events, content } = await start(t, 0);
  const { id } = await endedAgo(store, DAY_MS);
  events.open(id, 1).append({ type: 'completed' });
  events.release(id);
  assert.equal(events.holdsRest(id, undefined), true);

  await content.expireContent();

  assert.equal(events.follow(id, undefined), undefined);
});
