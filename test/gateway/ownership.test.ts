// Whose requests somebody reaches, and what is kept of an administrator who reads or cancels those of others.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Actor, Role } from '../../src/domain/access.ts';
import { newId, toGlobalId } from '../../src/domain/ids.ts';
import { createOwnership } from '../../src/gateway/ownership.ts';
import type { Store } from '../../src/store/store.ts';
import { createTestClock } from '../support/clock.ts';
import { openTestStore } from '../support/database.ts';
import { seedRequest } from '../support/operations.ts';

async function start(t: TestContext, change: (store: Store) => Partial<Store> = () => ({})) {
  const opened = await openTestStore(t);
  const store = { ...opened, ...change(opened) };
  const clock = createTestClock(Date.now());
  const find = async (id: string) => (await opened.requests.byIds([id]))[0];
  const audit = async () =>
    (await opened.audit.page({}, { first: 100 })).rows.map(({ action, actorName, subject, data }) => ({
      action,
      actorName,
      subject,
      data,
    }));
  return { store: opened, clock, audit, ownership: createOwnership({ store, clock, find }) };
}

function someone(username: string, role: Role = 'USER'): Actor {
  return { userId: newId(), username, role, credential: { kind: 'session', id: newId() } };
}

test("one's own requests leave no trace, and those of others are not there", async t => {
  const { store, audit, ownership } = await start(t);
  const [anna, berta] = [someone('anna'), someone('berta', 'SERVICE')];
  const id = await seedRequest(store, anna.userId);

  assert.equal((await ownership.visible(anna, id))?.id, id);
  assert.equal((await ownership.toCancel(anna, id)).id, id);
  assert.equal(ownership.noteReading(anna, { id, userId: anna.userId }), undefined);
  assert.equal(await ownership.visible(berta, id), undefined);
  const unknown = { code: 'NOT_FOUND', message: 'There is no such request.' };
  await assert.rejects(ownership.toCancel(berta, id), unknown);
  await assert.rejects(ownership.toCancel(berta, newId()), unknown);
  assert.deepEqual(await audit(), []);
});

test('an administrator who cancels for somebody else is remembered each time, unless it has ended already', async t => {
  const { store, audit, ownership } = await start(t);
  const [anna, admin] = [someone('anna'), someone('root', 'ADMIN')];
  const id = await seedRequest(store, anna.userId);
  const ended = await seedRequest(store, anna.userId, { finished: {} });

  for (const requestId of [id, id, ended]) await ownership.toCancel(admin, requestId);

  const entry = {
    action: 'request.cancel',
    actorName: 'root',
    subject: toGlobalId('request', id),
    data: { userId: anna.userId },
  };
  assert.deepEqual(await audit(), [entry, entry]);
});

test('reading is remembered once an hour for each reader and request, and what is read at once together', async t => {
  let writes = 0;
  const { store, clock, audit, ownership } = await start(t, ({ audit }) => ({
    audit: {
      ...audit,
      appendAll(events) {
        writes += 1;
        return audit.appendAll(events);
      },
    },
  }));
  const [anna, admin, other] = [someone('anna'), someone('root', 'ADMIN'), someone('second', 'ADMIN')];
  const requests = Array.from({ length: 40 }, () => ({ id: newId(), userId: anna.userId }));

  await Promise.all(
    requests.flatMap(each => [ownership.noteReading(admin, each), ownership.noteReading(admin, each)]),
  );
  assert.deepEqual([(await audit()).length, writes], [40, 1]);
  assert.deepEqual((await audit()).at(-1), {
    action: 'request.read',
    actorName: 'root',
    subject: toGlobalId('request', requests[0]!.id),
    data: { userId: anna.userId },
  });

  clock.advance(3_599_999);
  assert.equal(ownership.noteReading(admin, requests[0]!), undefined, 'there is nothing to wait for');
  await ownership.noteReading(other, requests[0]!);
  clock.advance(1);
  await ownership.noteReading(admin, requests[0]!);
  assert.deepEqual(
    (await audit()).slice(0, 2).map(({ actorName }) => actorName),
    ['root', 'second'],
  );
  assert.equal(writes, 3);
  await store.ping();
});

test('what cannot be remembered is not read, and the next try is remembered', async t => {
  let failures = 1;
  const { audit, ownership } = await start(t, ({ audit }) => ({
    audit: {
      ...audit,
      appendAll: events => (failures-- > 0 ? Promise.reject(new Error('no room')) : audit.appendAll(events)),
    },
  }));
  const [anna, admin] = [someone('anna'), someone('root', 'ADMIN')];
  const request = { id: newId(), userId: anna.userId };

  await assert.rejects(async () => ownership.noteReading(admin, request), /no room/);
  await ownership.noteReading(admin, request);

  assert.equal((await audit()).length, 1);
});
