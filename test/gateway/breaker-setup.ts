// Breakers over a clock that the test moves. mollitia takes setTimeout and Date from the platform, so the platform's
// own are mocked here: `tick` moves the library's timers and ours alike.

import type { TestContext } from 'node:test';
import type { BreakerTransition } from '../../src/domain/breaker.ts';
import { type BreakerRules, type Breakers, createBreakers } from '../../src/gateway/breakers.ts';
import type { Clock } from '../../src/lib/clock.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';

export const ID = 'openai/gpt-6-sol';
export const START_MS = Date.parse('2026-11-01T00:00:00Z');

/** Reads the mocked platform; must be used after `mockTime`. */
export const mockedClock: Clock = {
  now: () => Date.now(),
  monotonic: () => Date.now() - START_MS,
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

export function mockTime(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: START_MS });
  return ms => t.mock.timers.tick(ms);
}

export interface BreakerSetup {
  readonly breakers: Breakers;
  readonly tick: (ms: number) => void;
  /** Every announced change so far. */
  readonly transitions: BreakerTransition[];
  /** `CLOSED>OPEN` and so on. */
  readonly changes: () => string[];
}

/** Without jitter, so that times are exact. */
export function setUp(t: TestContext, rules: Partial<BreakerRules> = {}): BreakerSetup {
  const tick = mockTime(t);
  const transitions: BreakerTransition[] = [];
  const breakers = createBreakers(
    { openJitter: 0, ...rules },
    { clock: mockedClock, onTransition: transition => transitions.push(transition) },
  );
  const changes = () => transitions.map(({ from, to }) => `${from}>${to}`);
  return { breakers, tick, transitions, changes };
}

export const overloaded = new ProviderError('server', 'The provider is overloaded.', { status: 529 });

export function fail(breakers: Breakers, times: number, id = ID): void {
  for (let made = 0; made < times; made += 1) breakers.acquire(id).fail(overloaded);
}

export function succeed(breakers: Breakers, times: number, id = ID): void {
  for (let made = 0; made < times; made += 1) breakers.acquire(id).succeed();
}

export const state = (breakers: Breakers, id = ID) => breakers.snapshot(id).state;
