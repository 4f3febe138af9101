import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Capacity, createCapacity, type Place } from '../../src/gateway/capacity.ts';
import { createHealth } from '../../src/gateway/health.ts';
import { deployment } from '../domain/routing-setup.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { turn } from './attempt-setup.ts';

const never = new AbortController().signal;
const small = deployment('a/small', 1, { maxConcurrency: 1 });
const twin = deployment('b/twin', 1, { maxConcurrency: 1 });

function setUp() {
  const clock = createTestClock();
  const health = createHealth({ clock });
  return { clock, health, capacity: createCapacity({ health, clock }) };
}

/** Stands in line and notes in `served` when its turn has come. */
function queue(
  { clock, capacity }: { clock: TestClock; capacity: Capacity },
  name: string,
  served: string[],
  options: {
    priority?: number;
    deployments?: (typeof small)[];
    signal?: AbortSignal;
    endsAtMs?: number;
    maxCooldownMs?: number;
  } = {},
): Promise<Place | undefined> {
  const waiting = capacity.wait({
    deployments: [small],
    priority: 50,
    sinceMs: clock.monotonic(),
    signal: never,
    endsAtMs: 600_000,
    maxCooldownMs: 30_000,
    ...options,
  });
  void waiting.then(place => served.push(place ? name : `${name} gave up`));
  return waiting;
}

test('a deployment has as many places as its configuration says, and one without a limit has any number', () => {
  const { capacity } = setUp();
  const first = capacity.tryAcquire(small);
  assert.ok(first);
  assert.equal(capacity.tryAcquire(small), undefined);
  first.release();
  first.release();
  assert.ok(capacity.tryAcquire(small));
  assert.equal(capacity.tryAcquire(small), undefined);

  const places = Array.from({ length: 1_000 }, () => capacity.tryAcquire(deployment('c/open', 1)));
  assert.ok(places.every(Boolean));
  assert.deepEqual(capacity.load('c/open'), { inFlight: 1_000, waiting: 0 });
});

test('a place that becomes free goes to the first in line, never to a newcomer', async () => {
  const set = setUp();
  const served: string[] = [];
  const taken = set.capacity.tryAcquire(small)!;
  const low = queue(set, 'low', served, { priority: 0 });
  const high = queue(set, 'high', served, { priority: 90 });
  assert.deepEqual(set.capacity.load(small.id), { inFlight: 1, waiting: 2 });

  taken.release();
  assert.equal(set.capacity.tryAcquire(small), undefined);
  (await high)!.release();
  assert.equal(set.capacity.tryAcquire(small), undefined);
  (await low)!.release();
  assert.deepEqual(served, ['high', 'low']);
  assert.deepEqual(set.capacity.load(small.id), { inFlight: 0, waiting: 0 });
});

test('nothing starves: who has waited goes before newcomers of more priority', async () => {
  const set = setUp();
  const served: string[] = [];
  let place = set.capacity.tryAcquire(small)!;
  const patient = queue(set, 'patient', served, { priority: 0 });
  for (let index = 0; !served.includes('patient'); index += 1) {
    assert.ok(index < 110, 'it is served at last');
    const urgent = queue(set, 'urgent', served, { priority: 100 });
    set.clock.advance(1_000);
    place.release();
    place = (await Promise.race([patient, urgent]))!;
    await turn();
  }
  assert.equal(served.length, 101);
});

test('who waits at several deployments takes the first free place and leaves the other lines', async () => {
  const set = setUp();
  const served: string[] = [];
  const [atSmall, atTwin] = [set.capacity.tryAcquire(small)!, set.capacity.tryAcquire(twin)!];
  const either = queue(set, 'either', served, { deployments: [small, twin] });
  const behind = queue(set, 'behind', served, { deployments: [small] });

  atTwin.release();
  assert.equal((await either)?.deployment, twin);
  assert.deepEqual(set.capacity.load(small.id), { inFlight: 1, waiting: 1 });
  atSmall.release();
  assert.equal((await behind)?.deployment, small);
  assert.deepEqual(set.capacity.load(twin.id), { inFlight: 1, waiting: 0 });
});

test('who is cancelled or out of time leaves the line, and takes no place with it', async () => {
  const set = setUp();
  const served: string[] = [];
  const taken = set.capacity.tryAcquire(small)!;
  const caller = new AbortController();
  const cancelled = queue(set, 'cancelled', served, { signal: caller.signal });
  const late = queue(set, 'late', served, { endsAtMs: 5_000 });
  const last = queue(set, 'last', served);

  caller.abort();
  await cancelled;
  set.clock.advance(5_000);
  await late;
  assert.deepEqual(set.capacity.load(small.id), { inFlight: 1, waiting: 1 });
  taken.release();
  await last;
  assert.deepEqual(served, ['cancelled gave up', 'late gave up', 'last']);
  assert.equal(await queue(set, 'gone', [], { signal: caller.signal }), undefined);
});

test('at a deployment that asked for a pause the line waits for its end, also when the pause is extended', async () => {
  const set = setUp();
  const { clock, capacity, health } = set;
  const served: string[] = [];
  const taken = capacity.tryAcquire(small)!;
  const first = queue(set, 'first', served);
  const second = queue(set, 'second', served);
  health.cooldown(small.id, 2_000);
  taken.release();
  clock.advance(1_000);
  health.cooldown(small.id, 2_000);
  clock.advance(1_999);
  await turn();
  assert.deepEqual(capacity.load(small.id), { inFlight: 0, waiting: 2 });

  clock.advance(1);
  const place = (await first)!;
  assert.deepEqual(capacity.load(small.id), { inFlight: 1, waiting: 1 });
  place.release();
  (await second)!.release();
  assert.deepEqual(served, ['first', 'second']);
});

test('who comes to the line of a deployment that pauses takes its free place only afterwards, or another one now', async () => {
  const set = setUp();
  const { clock, health } = set;
  const served: string[] = [];
  health.cooldown(small.id, 2_000);
  const either = await queue(set, 'either', served, { deployments: [small, twin] });
  assert.equal(either?.deployment, twin);
  const patient = queue(set, 'patient', served);
  clock.advance(1_999);
  await turn();
  assert.deepEqual(served, ['either']);
  clock.advance(1);
  assert.equal((await patient)?.deployment, small);
});

test('who cannot wait for the end of all pauses leaves the line at once, and nobody else does', async () => {
  const set = setUp();
  const { clock, capacity, health } = set;
  const served: string[] = [];
  const [atSmall, atTwin] = [capacity.tryAcquire(small)!, capacity.tryAcquire(twin)!];
  const hasty = queue(set, 'hasty', served, { maxCooldownMs: 1_000 });
  const patient = queue(set, 'patient', served, { maxCooldownMs: 60_000 });
  const either = queue(set, 'either', served, { maxCooldownMs: 1_000, deployments: [small, twin] });
  health.cooldown(small.id, 5_000);
  atSmall.release();
  await hasty;
  assert.deepEqual(served, ['hasty gave up']);
  assert.deepEqual(capacity.load(small.id), { inFlight: 0, waiting: 2 });

  atTwin.release();
  assert.equal((await either)?.deployment, twin);
  clock.advance(5_000);
  (await patient)!.release();
  const late = queue(set, 'late', served, { maxCooldownMs: 1_000 });
  assert.ok(await late, 'the pause is over');
});

test('there are never more calls than places, and no place is idle while somebody waits for it', async () => {
  const step = fc.record({
    do: fc.constantFrom('try', 'wait', 'release', 'cancel', 'time'),
    which: fc.nat(7),
    priority: fc.nat(100),
  });
  const offered = [1, 2, 3].map(max => deployment(`p${max}/m`, 1, { maxConcurrency: max }));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      const { clock, capacity } = setUp();
      const held: Place[] = [];
      const callers: AbortController[] = [];
      for (const { do: what, which, priority } of steps) {
        if (what === 'try') {
          const place = capacity.tryAcquire(offered[which % 3]!);
          if (place) held.push(place);
        } else if (what === 'wait') {
          const caller = new AbortController();
          callers.push(caller);
          const deployments = offered.filter((_, index) => ((which % 7) + 1) & (1 << index));
          const [sinceMs, endsAtMs] = [clock.monotonic(), clock.monotonic() + 10_000];
          void capacity
            .wait({ deployments, priority, sinceMs, endsAtMs, maxCooldownMs: 0, signal: caller.signal })
            .then(place => place && held.push(place));
        } else if (what === 'release') held.splice(which % (held.length || 1), 1)[0]?.release();
        else if (what === 'cancel') callers[which % (callers.length || 1)]?.abort();
        else clock.advance(3_000);
        await turn();
        for (const { id, maxConcurrency } of offered) {
          const { inFlight, waiting } = capacity.load(id);
          assert.equal(inFlight, held.filter(place => place.deployment.id === id).length);
          assert.ok(inFlight <= maxConcurrency!);
          if (waiting > 0) assert.equal(inFlight, maxConcurrency);
        }
      }
      clock.advance(10_000);
      await turn();
      for (const place of held) place.release();
      await turn();
      for (const { id } of offered) assert.deepEqual(capacity.load(id), { inFlight: 0, waiting: 0 });
    }),
    { numRuns: 300 },
  );
});
