// Who is alive: heartbeats, the death of others, one's own, and who takes over the requests of the dead.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { createInstances } from '../../src/engine/instances.ts';
import type { Store } from '../../src/store/store.ts';
import { onBothStores } from '../store/both-stores.ts';
import { anEndOf, aRequest } from '../store/samples.ts';
import { createTestClock } from '../support/clock.ts';
import type { TestDatabase } from '../support/database.ts';

const LEASE_MS = 6_000;
const BEAT_MS = 1_500;
/** Too seldom to come between the beats that a test makes itself. */
const SELDOM_MS = 3_600_000;

/** An instance whose time stands still until the test moves it, and what it reports. */
function anInstance(store: Store, beatMs = SELDOM_MS) {
  const clock = createTestClock();
  const list = (): string[] => [];
  const reports = {
    requeued: list(),
    failed: list(),
    fencedAs: list(),
    aliveAs: list(),
    warnings: list(),
    beats: 0,
  };
  const instances = createInstances(
    {
      store,
      clock,
      version: '1.0.0',
      log: { info: () => {}, warn: (_fields, message) => void reports.warnings.push(message) },
      onRecovered({ requeued, failed }) {
        reports.requeued.push(...requeued);
        reports.failed.push(...failed);
      },
      onBeat: async () => {
        reports.beats += 1;
      },
      onAlive: () => void reports.aliveAs.push(instances.id()),
      onFenced: () => void reports.fencedAs.push(instances.id()),
    },
    { beatMs, leaseMs: LEASE_MS },
  );
  return { ...instances, clock, reports };
}

/** Beats without a break for so long, the last time at its end. */
async function live({ clock, tick }: ReturnType<typeof anInstance>, ms: number): Promise<void> {
  for (let restMs = ms; restMs > 0; restMs -= BEAT_MS) {
    clock.advance(Math.min(BEAT_MS, restMs));
    await tick();
  }
}

/** The same database as several servers see it: nobody takes the others for what the last process left behind. */
const sharedBy = (store: Store): Store => ({ ...store, info: { ...store.info, kind: 'postgres' } });

/** Silent for longer than the lease, on the clock of the database. */
async function silence({ db }: TestDatabase, id: string): Promise<void> {
  const beat_at = new Date(Date.now() - LEASE_MS - 60_000);
  await db.updateTable('instances').set({ beat_at }).where('id', '=', id).execute();
}

async function statusOf(store: Store, id: string) {
  return (await store.requests.byIds([id]))[0]?.status;
}

onBothStores(open => {
  async function two(t: TestContext) {
    const database = await open(t);
    const store = sharedBy(database.store);
    const [mine, other] = [anInstance(store), anInstance(store)];
    await mine.start();
    await other.start();
    return { database, store, mine, other };
  }

  test('what a silent instance had in hand waits again, and its late result is refused', async t => {
    const { database, store, mine, other } = await two(t);
    const request = aRequest({ owner: other.id() });
    await store.requests.accept(request);
    await silence(database, other.id());
    await live(mine, LEASE_MS * 1.5);

    assert.deepEqual(mine.reports.requeued, [request.id]);
    assert.equal(await statusOf(store, request.id), 'QUEUED');
    assert.equal(await store.requests.finish(anEndOf(request)), false);
    assert.equal(await statusOf(store, request.id), 'QUEUED');
  });

  test('one that has just come up or seen the database fail declares nobody dead', async t => {
    const { database, store, other } = await two(t);
    const broken = { now: false };
    const beat: Store['instances']['beat'] = id =>
      broken.now ? Promise.reject(new Error('connection lost')) : store.instances.beat(id);
    const judge = anInstance({ ...store, instances: { ...store.instances, beat } });
    await judge.start();
    const request = aRequest({ owner: other.id() });
    await store.requests.accept(request);
    await silence(database, other.id());

    await live(judge, LEASE_MS);
    assert.equal(await statusOf(store, request.id), 'RUNNING', 'just come up');
    broken.now = true;
    await live(judge, LEASE_MS);
    broken.now = false;
    await live(judge, LEASE_MS);
    assert.equal(await statusOf(store, request.id), 'RUNNING', 'cut off a moment ago');
    await live(judge, LEASE_MS);
    assert.equal(await statusOf(store, request.id), 'QUEUED');
  });

  test('one whose beat was answered late, or that stood still itself, declares nobody dead', async t => {
    const { database, store, other } = await two(t);
    let lateMs = 0;
    const beat: Store['instances']['beat'] = id => {
      judge.clock.advance(lateMs);
      return store.instances.beat(id);
    };
    const judge = anInstance({ ...store, instances: { ...store.instances, beat } });
    await judge.start();
    await live(judge, LEASE_MS);
    const request = aRequest({ owner: other.id() });
    await store.requests.accept(request);
    await silence(database, other.id());

    lateMs = LEASE_MS * 2;
    await judge.tick();
    assert.equal(await statusOf(store, request.id), 'RUNNING', 'answered late');
    lateMs = 0;
    await live(judge, LEASE_MS);
    judge.clock.advance(LEASE_MS * 2);
    await judge.tick();
    assert.equal(await statusOf(store, request.id), 'RUNNING', 'stood still');
    await live(judge, LEASE_MS * 1.5);
    assert.equal(await statusOf(store, request.id), 'QUEUED');
  });

  test('one that was declared dead stops its work once and goes on under a new id', async t => {
    const { store, mine } = await two(t);
    const before = mine.id();
    await store.instances.retire(before);
    await mine.tick();
    await mine.tick();

    assert.deepEqual(mine.reports.fencedAs, [before]);
    assert.deepEqual(mine.reports.aliveAs, [before, mine.id()]);
    assert.notEqual(mine.id(), before);
    assert.equal(await store.instances.beat(mine.id()), true);
  });

  test('while it cannot register anew it accepts nothing that nobody would find', async t => {
    const { store, other } = await two(t);
    const broken = { now: false };
    const register: Store['instances']['register'] = (id, version) =>
      broken.now ? Promise.reject(new Error('connection lost')) : store.instances.register(id, version);
    const reborn = anInstance({ ...store, instances: { ...store.instances, register } });
    await reborn.start();
    await store.instances.retire(reborn.id());
    broken.now = true;
    await reborn.tick();
    const request = aRequest({ owner: reborn.id() });
    await store.requests.accept(request);
    broken.now = false;
    await reborn.tick();
    assert.equal(reborn.reports.fencedAs.length, 2);

    await live(other, LEASE_MS * 1.5);
    assert.equal(await statusOf(store, request.id), 'QUEUED');
  });

  test('a request that was in hand when too many instances died is not run again', async t => {
    const { database, store, mine, other } = await two(t);
    const request = aRequest({ owner: other.id() });
    await store.requests.accept(request);
    await database.db.updateTable('requests').set({ deaths: 2 }).execute();
    await other.stop();
    await live(mine, LEASE_MS * 1.5);

    assert.deepEqual(mine.reports.failed, [request.id]);
    const [failed] = await store.requests.byIds([request.id]);
    assert.match(failed!.error!.message, /died 3 times/);
  });

  test('embedded, what the last process had in hand waits again at once: nobody else can be alive', async t => {
    const { store } = await open(t);
    const request = aRequest({ owner: 'the last process' });
    await store.requests.accept(request);
    const mine = anInstance({ ...store, info: { ...store.info, kind: 'embedded' } });
    await mine.start();
    assert.deepEqual(mine.reports.requeued, [request.id]);
  });

  test('one that leaves in good order is not waited for', async t => {
    const { store, mine, other } = await two(t);
    const request = aRequest({ owner: other.id() });
    await store.requests.accept(request);
    await other.stop();
    await live(mine, LEASE_MS * 1.5);
    assert.equal(await statusOf(store, request.id), 'QUEUED');
  });

  test('leaves although the database does not take the sign-off', async t => {
    const { store } = await open(t);
    const retire = () => Promise.reject(new Error('connection lost'));
    const leaving = anInstance({ ...store, instances: { ...store.instances, retire } });
    await leaving.start();
    await leaving.stop();
    assert.equal(leaving.reports.warnings.length, 1);
  });

  test('beats by itself, and no longer after it stopped', async t => {
    const { store } = await open(t);
    let beats = 0;
    let beaten = Promise.withResolvers<void>();
    const beat: Store['instances']['beat'] = async id => {
      beats += 1;
      const alive = await store.instances.beat(id);
      setImmediate(beaten.resolve);
      return alive;
    };
    const mine = anInstance({ ...store, instances: { ...store.instances, beat } }, 1_500);
    await mine.start();
    mine.clock.advance(1_500);
    await beaten.promise;
    assert.equal(beats, 1);
    beaten = Promise.withResolvers<void>();
    await mine.stop();
    mine.clock.advance(60_000);
    assert.equal(beats, 1);
  });
});
