// Whatever providers, callers and the database do at once: random schedules through the whole gateway over a real
// store, with hand-written streams and a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Catalog } from '../../src/control/catalog.ts';
import type { Actor } from '../../src/domain/access.ts';
import { newId } from '../../src/domain/ids.ts';
import { DEFAULT_DEADLINES } from '../../src/domain/model.ts';
import { isTerminal } from '../../src/domain/request.ts';
import { isLast, type StreamEvent } from '../../src/domain/stream.ts';
import { createMemoryEventLog } from '../../src/events/memory.ts';
import { createNoSignals } from '../../src/events/signals.ts';
import { Admission } from '../../src/gateway/admission.ts';
import { createBreakers } from '../../src/gateway/breakers.ts';
import { createGateway, type FollowedEvent, type Gateway } from '../../src/gateway/gateway.ts';
import { createPlanning } from '../../src/gateway/planning.ts';
import type { ProviderCall, ProviderEvent } from '../../src/providers/provider.ts';
import type { RequestRepository, Store } from '../../src/store/store.ts';
import { createTestClock } from '../support/clock.ts';
import { openTestStore } from '../support/database.ts';
import { adapterFor, turn } from './attempt-setup.ts';
import { deploymentOf, depsOf } from './failover-setup.ts';
import { type Play, play, playing } from './fault-plays.ts';

/** What the database does with one write: it works, its answer is lost, or nothing was written. */
type Write = 'works' | 'loses its answer' | 'fails';

interface Submitted {
  readonly prompt: string;
  readonly buffered: boolean;
  readonly cancelAtTurn: number | undefined;
  /** Sent a second time under the same key. */
  readonly resent: boolean;
}

interface Schedule {
  /** What the calls of each deployment do; the last one over and over. */
  readonly deployments: readonly (readonly Play[])[];
  readonly requests: readonly Submitted[];
  readonly maxRunning: number;
  /** The first writes of acceptances and of results; the rest works. */
  readonly accepts: readonly Write[];
  readonly finishes: readonly Write[];
}

const write = (freq: number): fc.Arbitrary<readonly Write[]> =>
  fc.array(
    fc.oneof(
      { weight: freq, arbitrary: fc.constant<Write>('works') },
      { weight: 1, arbitrary: fc.constantFrom<Write>('loses its answer', 'fails') },
    ),
    { maxLength: 4 },
  );
const schedule: fc.Arbitrary<Schedule> = fc.record({
  deployments: fc.array(fc.array(play, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 }),
  requests: fc.array(
    fc.record({
      prompt: fc.constantFrom('What is the answer?', 'And the question?'),
      buffered: fc.boolean(),
      cancelAtTurn: fc.option(fc.nat(40), { nil: undefined, freq: 3 }),
      resent: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  maxRunning: fc.integer({ min: 1, max: 4 }),
  accepts: write(6),
  finishes: write(40),
});

function unreliable(store: Store, { accepts, finishes }: Schedule): Store {
  const after =
    <Input, Result>(call: (input: Input) => Promise<Result>, writes: readonly Write[]) =>
    async (input: Input): Promise<Result> => {
      const [conduct = 'works'] = left.get(writes)!.splice(0, 1);
      if (conduct === 'fails') throw new Error('the connection is gone');
      const result = await call(input);
      if (conduct === 'loses its answer') throw new Error('Connection terminated unexpectedly');
      return result;
    };
  const left = new Map([accepts, finishes].map(writes => [writes, [...writes]]));
  const requests: RequestRepository = {
    ...store.requests,
    accept: after(store.requests.accept, accepts),
    finish: after(store.requests.finish, finishes),
  };
  return { ...store, requests };
}

interface Call {
  readonly requestId: string;
  readonly deploymentId: string;
}

function gatewayFor(store: Store, schedule: Schedule) {
  const clock = createTestClock();
  const calls: Call[] = [];
  let openStreams = 0;
  const offered = schedule.deployments.map((_, index) => deploymentOf(`p${index}/m`));
  const adapters = new Map(
    offered.map(({ id }, index) => [
      id,
      adapterFor(async function* (call: ProviderCall, signal): AsyncGenerator<ProviderEvent> {
        const plays = schedule.deployments[index]!;
        const made = calls.filter(({ deploymentId }) => deploymentId === id).length;
        calls.push({ requestId: call.requestId, deploymentId: id });
        openStreams += 1;
        try {
          yield* playing(plays[Math.min(made, plays.length - 1)]!)(call, signal);
        } finally {
          openStreams -= 1;
        }
      }),
    ]),
  );
  const breakers = createBreakers({}, { clock });
  const deps = depsOf({ clock, breakers, offered, adapters });
  const catalog = {
    ...deps.catalog,
    providers: () =>
      offered.map(({ providerId, ...rest }) => providerOf(providerId, [{ providerId, ...rest }])),
    onChange: () => () => {},
  } as unknown as Catalog;
  const gateway = createGateway({
    ...deps,
    catalog,
    store: unreliable(store, schedule),
    events: createMemoryEventLog(clock),
    planning: createPlanning({ ...deps, catalog }),
    admission: new Admission({ maxRunning: schedule.maxRunning, maxQueued: 10 }),
    submissionLimits: {
      maxPromptBytes: 1_000,
      maxMetadataBytes: 1_000,
      maxSchemaBytes: 0,
      maxDeadlineMs: 1_000_000,
    },
    defaultStrategy: 'BALANCED',
    totalDeadlineMs: DEFAULT_DEADLINES.totalMs,
    signals: createNoSignals(),
    maxQueued: 10,
    maxDeaths: 3,
    stopped: () => false,
    owner: () => 'instance-1',
    log: { warn() {}, info() {}, error() {}, debug() {} },
  } as never);
  gateway.start();
  return { gateway, clock, calls, openStreams: () => openStreams };
}

function providerOf(id: string, deployments: readonly object[]) {
  return { id, kind: 'openai', local: false, simulated: false, status: 'AVAILABLE', deployments };
}

/** Submits, perhaps twice; resolves with the id, or undefined when it was refused. */
async function submit(gateway: Gateway, actor: Actor, request: Submitted, key: string) {
  const send = () =>
    gateway.submit(actor, {
      prompt: request.prompt,
      buffered: request.buffered,
      // A caller without one does not come again.
      idempotencyKey: request.resent ? key : undefined,
    } as never);
  const [id, again] = await Promise.all(
    [send(), ...(request.resent ? [send()] : [])].map(sent =>
      sent.then(({ id }) => id).catch(() => undefined),
    ),
  );
  if (id && again) assert.equal(again, id, 'one key, one request');
  return id ?? again;
}

/** From heartbeat to heartbeat, and how many there are after the last answer. */
const BEAT_TURNS = 8;
const LAST_BEATS = 4;

async function holds(store: Store, schedule: Schedule): Promise<void> {
  const userId = newId();
  const actor = { userId, role: 'USER', credential: { kind: 'session', id: newId() } } as never;
  const { gateway, clock, calls, openStreams } = gatewayFor(store, schedule);
  const ids: string[] = [];
  const told = schedule.requests.map(async (request, index) => {
    const id = await submit(gateway, actor, request, `key-${index}`);
    if (!id) return undefined;
    ids[index] = id;
    const followed = [];
    for await (const event of await gateway.follow(actor, id, undefined)) followed.push(event);
    return { id, followed };
  });
  const cancel = (id: string | undefined) => id && gateway.cancel(actor, id);
  let over = false;
  const all = Promise.all(told).finally(() => (over = true));
  // What was stored and yet refused is found by the heartbeats, the last one included.
  let beatsToCome = schedule.accepts.every(write => write === 'works') ? 0 : LAST_BEATS;
  for (let index = 0; !over || beatsToCome > 0 || gateway.load().running > 0; index += 1) {
    assert.ok(index < 20_000, 'all of them end');
    if (beatsToCome > 0 && index % BEAT_TURNS === 0) {
      await gateway.review();
      if (over) beatsToCome -= 1;
    }
    for (const [number, { cancelAtTurn }] of schedule.requests.entries())
      if (cancelAtTurn === index) void cancel(ids[number]);
    await turn();
    clock.advance(500);
  }
  const rows = (await all).filter(each => each !== undefined);
  await turn();
  assert.deepEqual([gateway.load(), openStreams()], [{ running: 0, queued: 0 }, 0]);
  for (const { id, followed } of rows) await tellsTheTruth(store, { id, followed, calls });
  const findable = await Promise.all(
    schedule.requests.map((_, index) =>
      store.requests.requestOfKey({ userId, idempotencyKey: `key-${index}`, inputHash: '' }),
    ),
  );
  const known = new Set([...rows.map(({ id }) => id), ...findable.map(found => found?.requestId)]);
  assert.ok(
    calls.every(({ requestId }) => known.has(requestId)),
    'nothing is called for what was refused, unless its caller can find it by a key',
  );
}

interface Told {
  readonly id: string;
  readonly followed: readonly FollowedEvent[];
  readonly calls: readonly Call[];
}

async function tellsTheTruth(store: Store, { id, followed, calls }: Told): Promise<void> {
  const [row] = await store.requests.byIds([id]);
  const [body] = await store.requests.bodiesByIds([id]);
  const [attempts = []] = await store.requests.attemptsByIds([id]);
  const events = followed.map(({ event }) => event);
  assert.ok(row && isTerminal(row.status));
  assert.deepEqual(events.filter(isLast), [events.at(-1)], 'one terminal event, and it is the last');
  assert.equal(events.at(-1)!.type === 'completed', row.status === 'SUCCEEDED');
  assert.equal(new Set(followed.map(({ cursor }) => cursor)).size, followed.length);
  assert.equal(body?.output ?? '', shownBy(events), 'what was shown is what is kept');
  const made = calls.filter(({ requestId }) => requestId === id).map(({ deploymentId }) => deploymentId);
  const recorded = attempts.map(({ deploymentId }) => deploymentId);
  assert.deepEqual(recorded, made, 'every call is in the ledger, in order, and no other');
  assert.equal(attempts.at(-1)?.outcome === 'SUCCEEDED', row.status === 'SUCCEEDED');
}

function shownBy(events: readonly StreamEvent[]): string {
  let text = '';
  for (const event of events) {
    if (event.type === 'restarted') text = '';
    if (event.type === 'token') text += event.text;
  }
  return text;
}

for (const seed of [1, 2, 3, 4])
  test(`every accepted request ends once and tells the truth, whatever happens around it (seed ${seed})`, async t => {
    const store = await openTestStore(t);
    await fc.assert(
      fc.asyncProperty(schedule, given => holds(store, given)),
      { numRuns: 250, seed },
    );
  });
