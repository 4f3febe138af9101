// The breakers of all deployments of this process, by deployment id. Made on first use and kept until their deployment
// is forgotten (forgetting.ts): mollitia remembers every circuit for ever, so there must never be one per request.

import type { BreakerOutlook, BreakerSnapshot, BreakerTransition } from '../domain/breaker.ts';
import { type BreakerRules, DEFAULT_BREAKER_RULES } from '../domain/breaker-rules.ts';
import { newId } from '../domain/ids.ts';
import type { Clock } from '../lib/clock.ts';
import { type BreakerChange, DeploymentBreaker } from './deployment-breaker.ts';
import type { Permit } from './permit.ts';

export { type BreakerRules, DEFAULT_BREAKER_RULES } from '../domain/breaker-rules.ts';
export { BreakerRefusedError } from './breaker-circuit.ts';
export type { Permit } from './permit.ts';

export type TransitionListener = (transition: BreakerTransition) => void;

export interface Breakers {
  /** Begins a call. Throws BreakerRefusedError (with `retryAfterMs`) when the breaker does not admit it. */
  acquire(deploymentId: string): Permit;
  /**
   * Begins the one call that each open time of a breaker lets through before its end, for when nobody else can serve. It
   * is the breaker's probe; when it fails, the open time goes on. Undefined when it was given already, when the breaker
   * is not open, and while it is held open.
   */
  acquireLastResort(deploymentId: string): Permit | undefined;
  /** Would `acquire` succeed now? */
  admits(deploymentId: string): boolean;
  /** The same for routing, with what else it weighs. Changes nothing. */
  outlook(deploymentId: string): BreakerOutlook;
  snapshot(deploymentId: string): BreakerSnapshot;
  /** Closes it by hand and forgets everything counted; calls under way no longer count. */
  reset(deploymentId: string, detail: string | undefined): void;
  /** Opens it by hand; it stays open, without probes, until `reset`. */
  open(deploymentId: string, detail: string | undefined): void;
  /** Opens all deployments of a provider after a fault that condemns all of them; they probe as after any opening. */
  openProvider(deploymentIds: readonly string[], detail: string): void;
  /** A free check found the deployment working: an open one may probe at once. */
  probeEarly(deploymentId: string): void;
  /** Takes up the state of an earlier process from its last stored transition; announces nothing. */
  restore(last: Omit<BreakerTransition, 'id' | 'from'>): void;
  /** The deployments that have a breaker here. */
  known(): readonly string[];
  /**
   * Lets go of a breaker; the next call of its deployment gets a new one. False, and nothing is done, while it is held
   * open by hand or has calls under way. Announces nothing.
   */
  forget(deploymentId: string): boolean;
  /** Calls back after each change of state, until the function returned is called. */
  onTransition(listener: TransitionListener): () => void;
}

interface BreakersDeps {
  /** What a deployment's breaker does otherwise; asked once for each, when it is made. */
  readonly rulesOf?: (deploymentId: string) => Partial<BreakerRules>;
  readonly clock: Clock;
  readonly random?: () => number;
  readonly onTransition?: TransitionListener;
  /** A breaker was forgotten: there will be no more transitions of it. */
  readonly onForgotten?: ((deploymentId: string) => void) | undefined;
  /** A listener threw. The others were called all the same. */
  readonly onListenerError?: (error: unknown) => void;
}

export function createBreakers(options: Partial<BreakerRules>, deps: BreakersDeps): Breakers {
  const { clock, random = Math.random } = deps;
  const startedAt = new Date(clock.now());
  const breakers = new Map<string, DeploymentBreaker>();
  const listeners = new Set<TransitionListener>(deps.onTransition && [deps.onTransition]);

  function announce(deploymentId: string, change: BreakerChange): void {
    const atMs = clock.now();
    const transition = { id: newId(atMs), deploymentId, at: new Date(atMs), ...change };
    for (const listener of [...listeners]) {
      try {
        listener(transition);
      } catch (error) {
        deps.onListenerError?.(error);
      }
    }
  }

  function breakerOf(deploymentId: string): DeploymentBreaker {
    const known = breakers.get(deploymentId);
    if (known) return known;
    const onChange = (change: BreakerChange) => announce(deploymentId, change);
    const rules: BreakerRules = { ...DEFAULT_BREAKER_RULES, ...options, ...deps.rulesOf?.(deploymentId) };
    const made = new DeploymentBreaker(deploymentId, rules, { clock, random, onChange });
    breakers.set(deploymentId, made);
    return made;
  }

  return {
    acquire: deploymentId => breakerOf(deploymentId).acquire(),
    acquireLastResort: deploymentId => breakers.get(deploymentId)?.acquireLastResort(),
    admits: deploymentId => breakers.get(deploymentId)?.admits() ?? true,
    outlook: deploymentId => breakers.get(deploymentId)?.outlook() ?? CLOSED,
    snapshot: deploymentId => breakers.get(deploymentId)?.snapshot() ?? untouched(deploymentId, startedAt),
    reset: (deploymentId, detail) => breakers.get(deploymentId)?.reset(detail),
    open: (deploymentId, detail) => breakerOf(deploymentId).hold(detail),
    openProvider(deploymentIds, detail) {
      for (const deploymentId of deploymentIds) breakerOf(deploymentId).condemn(detail);
    },
    probeEarly: deploymentId => breakers.get(deploymentId)?.probeEarly(),
    restore: last => breakerOf(last.deploymentId).restore(last),
    known: () => [...breakers.keys()],
    forget(deploymentId) {
      const breaker = breakers.get(deploymentId);
      if (!breaker) return true;
      if (!breaker.isForgettable()) return false;
      breakers.delete(deploymentId);
      breaker.dispose();
      deps.onForgotten?.(deploymentId);
      return true;
    },
    onTransition(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

const CLOSED: BreakerOutlook = { admits: true, halfOpen: false, retryAfterMs: undefined, lastResort: false };

/** Reading about a deployment that was never called makes no breaker for it. */
function untouched(deploymentId: string, since: Date): BreakerSnapshot {
  return {
    deploymentId,
    state: 'CLOSED',
    failureRate: 0,
    calls: 0,
    failures: 0,
    since,
    retryAt: undefined,
    lastError: undefined,
  };
}
