// Random sequences of calls, outcomes, passing time and administrators, against a reference that is as short as the
// rules themselves. It shares nothing with the implementation, least of all the library.

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { BreakerState } from '../../src/domain/breaker.ts';
import { type BreakerRules, DEFAULT_BREAKER_RULES } from '../../src/domain/breaker-rules.ts';
import { type Breakers, createBreakers, type Permit } from '../../src/gateway/breakers.ts';
import { ID, mockedClock, mockTime, overloaded } from './breaker-setup.ts';

/** All times in this test are multiples of it. */
const STEP_MS = 500;

interface Call {
  readonly period: number;
  readonly isProbe: boolean;
  startedAtMs: number;
}

/** The rules of the breaker in the plainest form. */
class Reference {
  readonly rules: BreakerRules;
  nowMs = 0;
  state: BreakerState = 'CLOSED';
  period = 0;
  outcomes: boolean[] = [];
  failuresInARow = 0;
  calls: Call[] = [];
  probe: Call | undefined;
  probeSuccesses = 0;
  openings = 0;
  closedAtMs = Number.NEGATIVE_INFINITY;
  probeAtMs = Number.POSITIVE_INFINITY;
  /** End of the open time that a last resort interrupted. */
  interruptedUntilMs = Number.NEGATIVE_INFINITY;
  lastResortGiven = false;

  constructor(rules: BreakerRules) {
    this.rules = rules;
  }

  hasLastResort(): boolean {
    return this.state === 'OPEN' && this.probeAtMs < Number.POSITIVE_INFINITY && !this.lastResortGiven;
  }

  beginLastResort(): void {
    const endsAtMs = this.probeAtMs;
    this.enter('HALF_OPEN');
    this.interruptedUntilMs = endsAtMs;
    this.begin();
  }

  admits(): boolean {
    return this.state === 'CLOSED' || (this.state === 'HALF_OPEN' && !this.probe);
  }

  begin(): void {
    const isProbe = this.state === 'HALF_OPEN';
    const call = { period: this.period, isProbe, startedAtMs: this.nowMs };
    if (isProbe) this.probe = call;
    this.calls.push(call);
  }

  settle(index: number, outcome: 'success' | 'failure' | 'ignored'): void {
    const [call] = this.calls.splice(index, 1);
    if (!call || call.period !== this.period) return;
    if (call.isProbe) this.probe = undefined;
    if (outcome === 'ignored') return;
    const failed = outcome === 'failure';
    if (call.isProbe) {
      const endsAtMs = this.interruptedUntilMs;
      this.interruptedUntilMs = Number.NEGATIVE_INFINITY;
      if (failed) this.reopen(endsAtMs);
      else if (++this.probeSuccesses === this.rules.successesToClose) this.enter('CLOSED');
      return;
    }
    this.outcomes = [...this.outcomes, failed].slice(-this.rules.windowSize);
    this.failuresInARow = failed ? this.failuresInARow + 1 : 0;
    const failures = this.outcomes.filter(Boolean).length;
    const half =
      this.outcomes.length >= this.rules.minimumCalls &&
      failures >= this.rules.failureRate * this.outcomes.length;
    if (failed && (half || this.failuresInARow >= this.rules.consecutiveFailures)) this.enter('OPEN');
  }

  /** After a failed probe: the time that a last resort interrupted goes on. */
  reopen(endsAtMs: number): void {
    const openings = this.openings;
    this.enter('OPEN');
    if (endsAtMs <= this.nowMs) return;
    this.openings = openings;
    this.probeAtMs = endsAtMs;
    this.lastResortGiven = true;
  }

  enter(state: BreakerState, byHand = false): void {
    if (this.state === 'CLOSED' && this.nowMs - this.closedAtMs >= this.rules.soundAfterMs) this.openings = 0;
    this.state = state;
    this.period += 1;
    this.probe = undefined;
    this.probeSuccesses = 0;
    this.probeAtMs = Number.POSITIVE_INFINITY;
    this.interruptedUntilMs = Number.NEGATIVE_INFINITY;
    this.lastResortGiven = false;
    if (state === 'OPEN') {
      const openForMs = Math.min(this.rules.maxOpenForMs, this.rules.openForMs * 2 ** this.openings);
      if (!byHand) this.probeAtMs = this.nowMs + openForMs;
      this.openings += 1;
    }
    if (state === 'CLOSED') {
      this.outcomes = [];
      this.failuresInARow = 0;
      this.closedAtMs = this.nowMs;
    }
  }

  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.nowMs += STEP_MS;
      if (this.nowMs >= this.probeAtMs) this.enter('HALF_OPEN');
      else if (this.probe && this.nowMs - this.probe.startedAtMs >= this.rules.probeMaxMs)
        this.reopen(this.interruptedUntilMs);
    }
  }
}

interface Real {
  readonly breakers: Breakers;
  readonly permits: Permit[];
  readonly tick: (ms: number) => void;
}

function compare(model: Reference, { breakers }: Real): void {
  const { state, calls, failures } = breakers.snapshot(ID);
  assert.equal(state, model.state);
  assert.equal(breakers.admits(ID), model.admits());
  assert.equal(breakers.outlook(ID).lastResort, model.hasLastResort());
  assert.equal(breakers.outlook(ID).halfOpen, state === 'HALF_OPEN' && model.admits());
  assert.deepEqual([calls, failures], [model.outcomes.length, model.outcomes.filter(Boolean).length]);
}

type Step = fc.Command<Reference, Real>;
function step(name: string, act: (model: Reference, real: Real) => void): Step {
  return {
    check: () => true,
    run(model, real) {
      act(model, real);
      compare(model, real);
    },
    toString: () => name,
  };
}

const begin = step('begin', (model, { breakers, permits }) => {
  const admitted = model.admits();
  if (!admitted) {
    assert.throws(() => breakers.acquire(ID));
    return;
  }
  model.begin();
  permits.push(breakers.acquire(ID));
});

const lastResort = step('last resort', (model, { breakers, permits }) => {
  const permit = breakers.acquireLastResort(ID);
  assert.equal(permit !== undefined, model.hasLastResort());
  if (!permit) return;
  model.beginLastResort();
  permits.push(permit);
});

const settle = (index: number, outcome: 'success' | 'failure' | 'ignored') =>
  step(`settle(${index}, ${outcome})`, (model, { permits }) => {
    if (permits.length === 0) return;
    const [permit] = permits.splice(index % permits.length, 1);
    model.settle(index % model.calls.length, outcome);
    if (outcome === 'success') permit!.succeed();
    else if (outcome === 'failure') permit!.fail(overloaded);
    else permit!.ignore();
    permit!.fail(overloaded);
  });

const pass = (ms: number) =>
  step(`pass(${ms})`, (model, { tick }) => {
    model.pass(ms);
    // In steps: within one tick of the mocked timers the date is that of its end.
    for (let passed = 0; passed < ms; passed += STEP_MS) tick(STEP_MS);
  });

const reset = step('reset', (model, { breakers }) => {
  model.openings = 0;
  model.enter('CLOSED');
  breakers.reset(ID, undefined);
});
const hold = step('hold', (model, { breakers }) => {
  model.enter('OPEN', true);
  breakers.open(ID, undefined);
});
const condemn = step('condemn', (model, { breakers }) => {
  if (model.state !== 'OPEN') model.enter('OPEN');
  breakers.openProvider([ID], 'down');
});

const outcome = fc.oneof(
  { weight: 6, arbitrary: fc.constant('failure' as const) },
  { weight: 4, arbitrary: fc.constant('success' as const) },
  { weight: 2, arbitrary: fc.constant('ignored' as const) },
);
const aCall: fc.Arbitrary<Step> = fc.constantFrom(begin, begin, lastResort);
const anOutcome: fc.Arbitrary<Step> = fc.tuple(fc.nat(20), outcome).map(([index, how]) => settle(index, how));
const aPause: fc.Arbitrary<Step> = fc.constantFrom(500, 4_500, 5_000, 10_000, 30_000, 60_000).map(pass);
const anAct: fc.Arbitrary<Step> = fc.constantFrom(reset, hold, condemn);
// The kinds that matter most are listed more often.
const steps = [aCall, aCall, aCall, anOutcome, anOutcome, anOutcome, aPause, anAct];

const otherRules: fc.Arbitrary<BreakerRules> = fc.record({
  consecutiveFailures: fc.integer({ min: 1, max: 6 }),
  failureRate: fc.constantFrom(0.25, 0.5, 1),
  minimumCalls: fc.integer({ min: 1, max: 12 }),
  windowSize: fc.integer({ min: 12, max: 20 }),
  openForMs: fc.constantFrom(500, 1_000, 5_000),
  maxOpenForMs: fc.constantFrom(5_000, 30_000),
  openJitter: fc.constant(0),
  soundAfterMs: fc.constantFrom(0, 1_000, 60_000),
  successesToClose: fc.integer({ min: 1, max: 3 }),
  probeMaxMs: fc.constantFrom(500, 5_000, 60_000),
});
const standardRules = fc.constant({ ...DEFAULT_BREAKER_RULES, openJitter: 0 });

test('behaves like the rules, whatever they are and whatever happens in whatever order', t => {
  const tick = mockTime(t);
  const commands = fc.commands(steps, { size: 'max', maxCommands: 200 });

  fc.assert(
    fc.property(fc.oneof(standardRules, otherRules), commands, (rules, order) => {
      const start = () => ({
        model: new Reference(rules),
        real: {
          breakers: createBreakers({}, { clock: mockedClock, rulesOf: () => rules }),
          permits: [],
          tick,
        },
      });
      fc.modelRun(start, order);
    }),
    { numRuns: 400 },
  );
});
