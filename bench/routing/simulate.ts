// One strategy serves the traffic, in virtual time, with the breakers, the health figures and the routing of the
// gateway. Only providers and the loop over the candidates are played.

import type { CandidateState } from '../../src/domain/routing.ts';
import { costOf } from '../../src/domain/usage.ts';
import { type Breakers, createBreakers } from '../../src/gateway/breakers.ts';
import { createHealth, type Health } from '../../src/gateway/health.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { createRandom, logNormal, luckOf } from './random.ts';
import { createDecider, type Strategy } from './strategies.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';
import { type Arrival, TARGETS, type Target } from './world.ts';

/** The default of MCPLANE_MAX_ATTEMPTS. */
const MAX_ATTEMPTS = 6;
/** How soon a provider says no: a refused connection, a 429. */
const REFUSAL_MS = 20;
const START_MS = Date.parse('2026-11-01T00:00:00Z');

export interface Served {
  readonly arrival: Arrival;
  readonly succeeded: boolean;
  readonly firstTokenMs: number;
  readonly durationMs: number;
  readonly costNanoUsd: bigint;
}
export interface Attempted {
  readonly deploymentId: string;
  readonly atMs: number;
}
export interface Run {
  readonly strategy: Strategy;
  readonly served: readonly Served[];
  readonly attempts: readonly Attempted[];
}

interface Simulation {
  readonly time: VirtualTime;
  readonly health: Health;
  readonly breakers: Breakers;
  readonly seed: number;
  readonly served: Served[];
  readonly attempts: Attempted[];
}

export function simulate(strategy: Strategy, arrivals: readonly Arrival[], seed: number): Run {
  const time = createVirtualTime(START_MS);
  const health = createHealth({ clock: time });
  const breakers = createBreakers({}, { clock: time, random: createRandom(seed + 1) });
  breakers.onTransition(({ deploymentId, to }) => {
    if (to === 'CLOSED') health.startRamp(deploymentId);
    const retryAt = breakers.snapshot(deploymentId).retryAt?.getTime();
    // The library's own timer runs in real time, in which the simulation takes none.
    if (retryAt !== undefined) time.after(retryAt - time.now(), () => breakers.probeEarly(deploymentId));
  });
  const simulation: Simulation = { time, health, breakers, seed, served: [], attempts: [] };
  const decider = createDecider(strategy, createRandom(seed + 2));
  for (const arrival of arrivals)
    time.after(arrival.atMs, () => {
      const states = TARGETS.map((target): CandidateState => stateOf(target, simulation));
      serve(arrival, decider.order(arrival.inputTokens, states, time.now()), simulation);
    });
  time.run();
  return { strategy, served: simulation.served, attempts: simulation.attempts };
}

function stateOf({ deployment }: Target, { health, breakers }: Simulation): CandidateState {
  const admits = breakers.admits(deployment.id);
  return { deployment, admits, unavailable: undefined, ...health.read(deployment.id) };
}

/** Takes the candidates in turn until one answers. */
function serve(arrival: Arrival, order: readonly string[], simulation: Simulation): void {
  const { time, breakers, served } = simulation;
  let made = 0;
  const next = (place: number): void => {
    const index = order.findIndex((id, at) => at >= place && breakers.admits(id));
    if (index < 0 || made >= MAX_ATTEMPTS) {
      const durationMs = time.monotonic() - arrival.atMs;
      served.push({ arrival, succeeded: false, firstTokenMs: durationMs, durationMs, costNanoUsd: 0n });
      return;
    }
    made += 1;
    const target = TARGETS.find(({ deployment }) => deployment.id === order[index])!;
    attempt(arrival, target, simulation, () => next(index + 1));
  };
  next(0);
}

function attempt(arrival: Arrival, target: Target, simulation: Simulation, failed: () => void): void {
  const { time, health, breakers, served, attempts } = simulation;
  const { id, price } = target.deployment;
  const startedMs = time.monotonic();
  attempts.push({ deploymentId: id, atMs: startedMs });
  const permit = breakers.acquire(id);
  const endFlight = health.begin(id);
  const call = play(arrival, target, health.read(id).inFlight, { startedMs, seed: simulation.seed });
  time.after(call.firstTokenMs + (call.fault ? 0 : call.streamMs), () => {
    endFlight();
    if (call.fault === 'rate-limit') {
      permit.ignore();
      health.cooldown(id, undefined);
    } else if (call.fault) {
      permit.fail(new ProviderError(call.fault, 'The provider failed.'));
      health.record(id, 'failure');
    } else {
      permit.succeed();
      const msPerOutputToken = call.streamMs / arrival.outputTokens;
      health.record(id, { timeToFirstTokenMs: call.firstTokenMs, msPerOutputToken });
      const usage = { ...arrival, cachedInputTokens: 0, cacheWriteTokens: 0, estimated: false };
      served.push({
        arrival,
        succeeded: true,
        firstTokenMs: startedMs + call.firstTokenMs - arrival.atMs,
        durationMs: time.monotonic() - arrival.atMs,
        costNanoUsd: costOf(usage, price)!,
      });
      return;
    }
    failed();
  });
}

interface Call {
  readonly firstTokenMs: number;
  readonly streamMs: number;
  readonly fault?: 'rate-limit' | 'server' | 'connection';
}

function play(
  arrival: Arrival,
  target: Target,
  inFlight: number,
  { startedMs, seed }: { startedMs: number; seed: number },
): Call {
  const [downFromMs, downUntilMs] = target.outageMs ?? [0, 0];
  if (startedMs >= downFromMs && startedMs < downUntilMs)
    return { firstTokenMs: REFUSAL_MS, streamMs: 0, fault: 'connection' };
  const luck = luckOf(seed, arrival.number, TARGETS.indexOf(target));
  const outcome = luck();
  if (outcome < target.refusalRate) return { firstTokenMs: REFUSAL_MS, streamMs: 0, fault: 'rate-limit' };
  const crowd = Math.max(1, inFlight / target.comfortable);
  const firstTokenMs = crowd * logNormal(luck, target.timeToFirstTokenMs, target.sigma);
  if (outcome > 1 - target.errorRate) return { firstTokenMs, streamMs: 0, fault: 'server' };
  const perTokenMs = crowd * logNormal(luck, target.msPerOutputToken, target.sigma / 2);
  return { firstTokenMs, streamMs: arrival.outputTokens * perTokenMs };
}
