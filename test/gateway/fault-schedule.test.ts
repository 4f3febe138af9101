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
import { PROVIDER_FAULTS, ProviderError } from '../../src/providers/provider-error.ts';
import { createTestClock } from '../support/clock.ts';
import { adapterFor, finished, progress, silence, started, streamOf, token, turn } from './attempt-setup.ts';
import { decisionOf, deploymentOf, depsOf, specOf } from './failover-setup.ts';

const WORDS = 'The answer to everything is forty-two, as far as anybody knows it today.';

/** One call of a provider: its text in pieces, and how it ends. */
interface Play {
  readonly pieces: readonly string[];
  readonly end: 'finished' | 'silence' | 'no end' | 'defect' | (typeof PROVIDER_FAULTS)[number];
  readonly retryAfterMs: number | undefined;
  readonly refusesPrefill: boolean;
}

interface Schedule {
  /** For each deployment whether it takes a prefill, and what its calls do; the last one over and over. */
  readonly deployments: readonly { readonly takesPrefill: boolean; readonly plays: readonly Play[] }[];
  readonly buffered: boolean;
  /** The turn of the loop in which the caller leaves. */
  readonly abortAtTurn: number | undefined;
}

// Single spaces only: how a continuation repeats other white space is the business of recovery.test.ts.
const words = (any: string) => any.replace(/\s+/g, ' ');
// Mostly the beginning of the same answer, so that recoveries find something to swallow.
const pieces = fc.oneof(
  { weight: 3, arbitrary: fc.array(fc.nat(WORDS.length), { maxLength: 4 }).map(cutAt) },
  { weight: 1, arbitrary: fc.array(fc.string({ maxLength: 12 }).map(words), { maxLength: 4 }) },
);
const play: fc.Arbitrary<Play> = fc.record({
  pieces,
  end: fc.oneof(
    fc.constantFrom<Play['end']>('finished', 'silence', 'no end', 'defect'),
    fc.constantFrom(...PROVIDER_FAULTS),
  ),
  retryAfterMs: fc.option(fc.constantFrom(0, 50, 5_000, 86_400_000, -1), { nil: undefined }),
  refusesPrefill: fc.boolean(),
});
const schedule: fc.Arbitrary<Schedule> = fc.record({
  deployments: fc.array(
    fc.record({ takesPrefill: fc.boolean(), plays: fc.array(play, { minLength: 1, maxLength: 3 }) }),
    { minLength: 1, maxLength: 8, size: 'max' },
  ),
  buffered: fc.boolean(),
  abortAtTurn: fc.option(fc.nat(60), { nil: undefined, freq: 3 }),
});

function cutAt(places: readonly number[]): string[] {
  const ends = [...places].sort((a, b) => a - b);
  return ends.map((end, index) => WORDS.slice(index === 0 ? 0 : ends[index - 1], end));
}

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

async function run({ deployments, buffered, abortAtTurn }: Schedule): Promise<Run> {
  const clock = createTestClock();
  const events: StreamEvent[] = [];
  const calls: Call[] = [];
  let openStreams = 0;
  let wrongPrefills = 0;
  const offered = deployments.map(({ takesPrefill }, index) => deploymentOf(`p${index}/m`, takesPrefill));

  function streamFor(deploymentId: string, { plays }: Schedule['deployments'][number]) {
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
        if (refused) throw new ProviderError('bad-request', 'no prefill');
        yield* streamOf(started, progress, ...current.pieces.map(token), ...endOf(current))(call, signal);
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
  const arriving = failover(
    {
      requestId: 'req_1',
      spec: specOf(buffered),
      decision: decisionOf(offered),
      signal: caller.signal,
      endsAtMs: DEFAULT_DEADLINES.totalMs,
      emit: event => void events.push(event),
    },
    depsOf({ clock, breakers, offered, adapters }),
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

function endOf({ end, retryAfterMs }: Play): (ProviderEvent | Promise<never> | Error)[] {
  if (end === 'finished') return [finished()];
  if (end === 'silence') return [silence()];
  if (end === 'no end') return [];
  return [end === 'defect' ? new TypeError('not a function') : new ProviderError(end, end, { retryAfterMs })];
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

function holds({ buffered, abortAtTurn }: Schedule, { arrival, events, calls, ...rest }: Run): void {
  assert.deepEqual(rest, { openStreams: 0, wrongPrefills: 0, unsettledPermits: 0 });
  const { attempts, status } = arrival;
  assert.ok(attempts.length <= 6);
  const announced = events.flatMap(event =>
    event.type === 'attempt-started' ? [`${event.attempt} ${event.deploymentId}`] : [],
  );
  const made = calls.map(({ deploymentId }, index) => `${index + 1} ${deploymentId}`);
  const recorded = attempts.map(({ number, deploymentId }) => `${number} ${deploymentId}`);
  assert.deepEqual([recorded, announced], [made, made]);
  assert.ok(attempts.slice(0, -1).every(({ outcome }) => outcome === 'FAILED'));
  if (status !== 'SUCCEEDED') {
    if (status === 'CANCELLED') assert.notEqual(abortAtTurn, undefined);
    else assert.ok(arrival.error);
    assert.notEqual(attempts.at(-1)?.outcome, 'SUCCEEDED');
    if (buffered) assert.equal(shownBy(events).text, '');
    return;
  }
  assert.equal(attempts.at(-1)?.outcome, 'SUCCEEDED');
  const { text, before } = shownBy(events);
  const last = calls.at(-1)!;
  if (!last.prefilled) assert.equal(text, last.text, 'the answer is that of the last attempt, whole');
  else assert.ok(text.startsWith(before) && text.endsWith(last.text), 'a continuation keeps both parts');
}

test('a request arrives once and tells the truth, whatever its providers do', async () => {
  await fc.assert(
    fc.asyncProperty(schedule, async given => holds(given, await run(given))),
    { numRuns: 2_000, seed: 20_261_122 },
  );
});
