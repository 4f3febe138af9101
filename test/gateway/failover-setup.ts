// What the failover needs around it: deployments whose providers are hand-written streams, real breakers and health, and
// a clock that the test moves.

import type { Catalog } from '../../src/control/catalog.ts';
import { DEFAULT_DEADLINES, type Deployment } from '../../src/domain/model.ts';
import type { RequestSpec } from '../../src/domain/request.ts';
import type { RoutingDecision } from '../../src/domain/routing.ts';
import type { StreamEvent } from '../../src/domain/stream.ts';
import type { Price } from '../../src/domain/usage.ts';
import type { Allowance } from '../../src/gateway/allowance.ts';
import { type Breakers, createBreakers } from '../../src/gateway/breakers.ts';
import { createCapacity } from '../../src/gateway/capacity.ts';
import { type Arrival, failover } from '../../src/gateway/failover.ts';
import { createHealth } from '../../src/gateway/health.ts';
import type { FailoverDeps } from '../../src/gateway/journey.ts';
import { createRetryBudget } from '../../src/gateway/retry-budget.ts';
import { aSpec } from '../store/samples.ts';
import { createTestClock, type TestClock } from '../support/clock.ts';
import { adapterFor, type Stream, turn } from './attempt-setup.ts';

export function deploymentOf(id: string, assistantPrefill = false): Deployment {
  return {
    id,
    providerId: id.slice(0, id.indexOf('/')),
    model: 'm',
    capabilities: { contextWindow: 8_000, maxOutputTokens: 1_000, assistantPrefill, customTemperature: true },
    quality: 0.5,
    price: undefined,
    local: false,
    simulated: false,
    aliases: [],
    deadlines: DEFAULT_DEADLINES,
  };
}

export function specOf(buffered = false): RequestSpec {
  return aSpec({ prompt: 'What is the answer?', buffered });
}

/** Only what the path of an attempt reads of a decision. */
export function decisionOf(offered: readonly Deployment[]): RoutingDecision {
  const candidates = offered.map(({ id }) => ({ deploymentId: id }));
  const known = { rejections: [], estimatedInputTokens: 10, explanation: 'as given' };
  return { candidates, ...known } as unknown as RoutingDecision;
}

interface Given {
  readonly clock: TestClock;
  readonly breakers: Breakers;
  readonly offered: readonly Deployment[];
  readonly adapters: ReadonlyMap<string, ReturnType<typeof adapterFor>>;
}

export function depsOf({ clock, breakers, offered, adapters }: Given): FailoverDeps {
  const catalog = {
    deployment: (id: string) => offered.find(deployment => deployment.id === id),
    deployments: () => offered,
    adapterOf: ({ id }: Deployment) => adapters.get(id)!,
    reportFault() {},
    reportSuccess() {},
  } as unknown as Catalog;
  const drains = { of: () => undefined, apply() {} };
  const health = createHealth({ clock });
  const deps = {
    catalog,
    breakers,
    drains,
    health,
    capacity: createCapacity({ health, clock }),
    clock,
    retryLimits: { maxAttempts: 6, maxRetryAfterMs: 30_000 },
    retryBudget: createRetryBudget({ clock, percent: 20, minPerSecond: 3 }),
    hedging: undefined,
    maxOutputBytes: 1_000_000,
  };
  return { ...deps, log: { warn() {} } };
}

/** A failover over `p1/m`, `p2/m`, …; nothing moves the clock but the test. */
export interface Journeying {
  readonly arrival: Promise<Arrival>;
  readonly events: readonly StreamEvent[];
  /** What the ledger was told on the way: the attempts that were over, and who was called then. */
  readonly booked: readonly string[];
  /** Deployment ids in the order of the calls. */
  readonly calls: readonly string[];
  readonly caller: AbortController;
  readonly clock: TestClock;
  readonly deps: FailoverDeps;
}

/** Each deployment has a list of streams, for its first call, its second, …; the last one over and over. */
export function journey(
  streams: readonly (readonly Stream[])[],
  options: Partial<FailoverDeps> & {
    readonly clock?: TestClock;
    readonly simulated?: readonly string[];
    /** `maxConcurrency` by id. */
    readonly limits?: Readonly<Record<string, number>>;
    /** `contextWindow` by id. */
    readonly windows?: Readonly<Record<string, number>>;
    readonly prices?: Readonly<Record<string, Price>>;
    readonly allowance?: Allowance | undefined;
  } = {},
  emit: (event: StreamEvent) => void = () => {},
): Journeying {
  const {
    clock = createTestClock(),
    simulated = [],
    limits = {},
    windows = {},
    prices = {},
    ...rest
  } = options;
  const { allowance, ...overrides } = rest;
  const events: StreamEvent[] = [];
  const booked: string[] = [];
  const calls: string[] = [];
  const ids = streams.map((_, index) => `p${index + 1}/m`);
  const offered = ids.map(id => ({
    ...deploymentOf(id),
    ...(windows[id] && { capabilities: { ...deploymentOf(id).capabilities, contextWindow: windows[id] } }),
    simulated: simulated.includes(id),
    maxConcurrency: limits[id],
    price: prices[id],
  }));
  const adapters = new Map(
    offered.map(({ id }, index) => [
      id,
      adapterFor((call, signal) => {
        const plays = streams[index]!;
        const made = calls.filter(called => called === id).length;
        calls.push(id);
        return plays[Math.min(made, plays.length - 1)]!(call, signal);
      }),
    ]),
  );
  const breakers = createBreakers({}, { clock });
  const deps = { ...depsOf({ clock, breakers, offered, adapters }), ...overrides };
  const caller = new AbortController();
  const arrival = failover(
    {
      requestId: 'req_1',
      spec: specOf(),
      decision: decisionOf(offered),
      signal: caller.signal,
      lastNumberBefore: 0,
      allowance,
      book: (attempts, deploymentId) =>
        void booked.push(
          `${attempts.map(({ number, outcome }) => `${number} ${outcome}`).join(', ')} > ${deploymentId ?? 'nobody'}`,
        ),
      endsAtMs: clock.monotonic() + DEFAULT_DEADLINES.totalMs,
      emit(event) {
        events.push(event);
        emit(event);
      },
    },
    deps,
  );
  return { arrival, events, booked, calls, caller, clock, deps };
}

/** Lets the time pass until it has arrived. */
export async function arrived({ arrival, clock }: Pick<Journeying, 'arrival' | 'clock'>): Promise<Arrival> {
  let over = false;
  void arrival.finally(() => (over = true));
  while (!over) {
    await turn();
    clock.advance(100);
  }
  return arrival;
}

/** Of each attempt: the deployment, and its outcome or the code of its error. */
export const attemptsOf = ({ attempts }: Arrival) =>
  attempts.map(({ deploymentId, outcome, error }) => `${deploymentId} ${error?.code ?? outcome}`);
