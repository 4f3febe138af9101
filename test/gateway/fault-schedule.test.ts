// Whatever providers do, in whatever order: random schedules of faults through the real failover, with hand-written
// streams, real breakers and a clock that the test moves.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_DEADLINES } from '../../src/domain/model.ts';
import type { StreamEvent } from '../../src/domain/stream.ts';
import { type Breakers, createBreakers } from '../../src/gateway/breakers.ts';
import { type Arrival, failover } from '../../src/gateway/failover.ts';
import type { ProviderCall, ProviderEvent } from '../../src/providers/provider.ts';
import { createTestClock } from '../support/clock.ts';
import { adapterFor, streamOf, turn } from './attempt-setup.ts';
import { decisionOf, deploymentOf, depsOf, specOf } from './failover-setup.ts';
import { type Play, play, playing } from './fault-plays.ts';

interface Schedule {
  /** For each deployment whether it takes a prefill, how late it says anything, and what its calls do; the last one over and over. */
  readonly deployments: readonly {
    readonly takesPrefill: boolean;
    readonly lateMs: number;
    readonly plays: readonly Play[];
  }[];
  readonly buffered: boolean;
  /** A first deployment that is silent for so long gets a second one beside it; undefined: never. */
  readonly hedgeAfterMs: number | undefined;
  /** The turn of the loop in which the caller leaves. */
  readonly abortAtTurn: number | undefined;
}

const schedule: fc.Arbitrary<Schedule> = fc.record({
  deployments: fc.array(
    fc.record({
      takesPrefill: fc.boolean(),
      lateMs: fc.constantFrom(0, 0, 1_000, 3_000),
      plays: fc.array(play, { minLength: 1, maxLength: 3 }),
    }),
    { minLength: 1, maxLength: 8, size: 'max' },
  ),
  buffered: fc.boolean(),
  hedgeAfterMs: fc.option(fc.constantFrom(1, 400, 2_000), { nil: undefined }),
  abortAtTurn: fc.option(fc.nat(60), { nil: undefined, freq: 3 }),
});

interface Call {
  readonly deploymentId: string;
  readonly text: string;
  readonly prefilled: boolean;
}

interface Run {
  readonly arrival: Arrival;
  readonly events: readonly StreamEvent[];
  readonly calls: readonly Call[];
  /** How many streams of providers are still being read. */
  readonly openStreams: number;
  readonly wrongPrefills: number;
  readonly unsettledPermits: number;
}

async function run({ deployments, buffered, hedgeAfterMs, abortAtTurn }: Schedule): Promise<Run> {
  const clock = createTestClock();
  const events: StreamEvent[] = [];
  const calls: Call[] = [];
  let openStreams = 0;
  let wrongPrefills = 0;
  const offered = deployments.map(({ takesPrefill }, index) => deploymentOf(`p${index}/m`, takesPrefill));

  function streamFor(deploymentId: string, { plays, lateMs }: Schedule['deployments'][number]) {
    return async function* (call: ProviderCall, signal: AbortSignal): AsyncGenerator<ProviderEvent> {
      const mine = calls.filter(earlier => earlier.deploymentId === deploymentId).length;
      const current = plays[Math.min(mine, plays.length - 1)]!;
      const prefilled = call.messages.at(-1)?.role === 'ASSISTANT';
      const refused = prefilled && current.refusesPrefill;
      // What it goes on from is what the subscribers have at this moment.
      if (prefilled && call.messages.at(-1)?.content !== shownBy(events).text.trimEnd()) wrongPrefills += 1;
      calls.push({ deploymentId, text: refused ? '' : current.pieces.join(''), prefilled });
      openStreams += 1;
      try {
        if (lateMs > 0)
          yield* streamOf(new Promise(resolve => void clock.after(lateMs, () => resolve(0))))(call, signal);
        yield* playing(current, refused)(call, signal);
      } finally {
        openStreams -= 1;
      }
    };
  }

  const adapters = new Map(
    offered.map(({ id }, index) => [id, adapterFor(streamFor(id, deployments[index]!))]),
  );
  const { breakers, unsettled } = watchPermits(createBreakers({}, { clock }));
  const caller = new AbortController();
  const hedging =
    hedgeAfterMs === undefined
      ? undefined
      : { afterMs: hedgeAfterMs, share: { deposit() {}, take: () => true } };
  const arriving = failover(
    {
      requestId: 'req_1',
      spec: specOf(buffered),
      decision: decisionOf(offered),
      signal: caller.signal,
      lastNumberBefore: 0,
      book() {},
      endsAtMs: DEFAULT_DEADLINES.totalMs,
      emit: event => void events.push(event),
    },
    { ...depsOf({ clock, breakers, offered, adapters }), hedging },
  );
  let arrived = false;
  void arriving.finally(() => (arrived = true));
  for (let index = 0; !arrived; index += 1) {
    assert.ok(index < 10_000, 'it arrives');
    if (index === abortAtTurn) caller.abort('cancelled');
    await turn();
    clock.advance(500);
  }
  await turn();
  return {
    arrival: await arriving,
    events,
    calls,
    openStreams,
    wrongPrefills,
    unsettledPermits: unsettled(),
  };
}

/** The same breakers, and how many permits were given out and never settled. */
function watchPermits(breakers: Breakers): { breakers: Breakers; unsettled: () => number } {
  const open = new Set<object>();
  const acquire: Breakers['acquire'] = deploymentId => {
    const permit = breakers.acquire(deploymentId);
    const settle = (how: () => void) => {
      open.delete(permit);
      how();
    };
    open.add(permit);
    return {
      alive: () => permit.alive(),
      succeed: () => settle(() => permit.succeed()),
      fail: error => settle(() => permit.fail(error)),
      ignore: () => settle(() => permit.ignore()),
    };
  };
  return { breakers: { ...breakers, acquire }, unsettled: () => open.size };
}

/** What a subscriber has in the end that obeys the events; `before`: what it had when the last attempt began. */
function shownBy(events: readonly StreamEvent[]): { text: string; before: string } {
  let text = '';
  let before = '';
  for (const event of events) {
    if (event.type === 'attempt-started') before = text;
    if (event.type === 'restarted') text = '';
    if (event.type === 'token') text += event.text;
  }
  return { text, before };
}

function holds(
  { buffered, hedgeAfterMs, abortAtTurn }: Schedule,
  { arrival, events, calls, ...rest }: Run,
): void {
  assert.deepEqual(rest, { openStreams: 0, wrongPrefills: 0, unsettledPermits: 0 });
  const { attempts, status } = arrival;
  assert.ok(attempts.length <= 6);
  const announced = events.flatMap(event =>
    event.type === 'attempt-started' ? [`${event.attempt} ${event.deploymentId}`] : [],
  );
  const made = calls.map(({ deploymentId }, index) => `${index + 1} ${deploymentId}`);
  const recorded = attempts.map(({ number, deploymentId }) => `${number} ${deploymentId}`);
  assert.deepEqual([recorded, announced], [made, made]);
  const answered = attempts.findIndex(({ outcome }) => outcome === 'SUCCEEDED');
  for (const [index, { outcome }] of attempts.entries()) {
    const mayHaveLost = hedgeAfterMs !== undefined && index < 2;
    const isLast = index === attempts.length - 1;
    assert.ok(
      outcome === 'FAILED' || index === answered || isLast || (outcome === 'CANCELLED' && mayHaveLost),
    );
  }
  if (status !== 'SUCCEEDED') {
    if (status === 'CANCELLED') assert.notEqual(abortAtTurn, undefined);
    else assert.ok(arrival.error);
    assert.equal(answered, -1);
    if (buffered) assert.equal(shownBy(events).text, '');
    return;
  }
  assert.ok(answered >= 0);
  const { text, before } = shownBy(events);
  const last = calls[answered]!;
  if (!last.prefilled) assert.equal(text, last.text, 'the answer is that of one attempt, whole');
  else assert.ok(text.startsWith(before) && text.endsWith(last.text), 'a continuation keeps both parts');
}

test('a request arrives once and tells the truth, whatever its providers do', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async given => holds(given, await run(given))),
    { numRuns: 2_000, seed: 20_261_122 },
  );
});
