// The circuit breaker of one deployment, and the only file that imports mollitia (0.1.1 exactly: it relies on one
// private field). mollitia keeps the state and the timer of an open circuit; admission, counting and outcomes are
// ours, because its own lose resets that race with a call, wedge half-open for ever and count cancelled calls as
// successes. test/gateway/breakers-mollitia.test.ts has one test for each of its defects.

import {
  BreakerError,
  Circuit,
  type CircuitFunction,
  BreakerState as Phase,
  SlidingCountBreaker,
} from 'mollitia';
import type { BreakerSnapshot, BreakerState, BreakerTransition } from '../domain/breaker.ts';
import { DomainError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { type BreakerRules, openTimeMs } from './breaker-rules.ts';
import { createOutcomeWindow, type OutcomeWindow } from './outcome-window.ts';
import { neutralText, type Permit } from './permit.ts';

/** The breaker does not admit a call now. */
export class BreakerRefusedError extends BreakerError {
  override readonly name = 'BreakerRefusedError';
  override readonly message = 'The circuit breaker lets no call through.';
  readonly deploymentId: string;
  readonly state: BreakerState;
  /** Undefined when it is held open by an administrator, or a probe is under way. */
  readonly retryAfterMs: number | undefined;

  constructor(deploymentId: string, state: BreakerState, retryAfterMs: number | undefined) {
    super();
    // mollitia sets the prototype in its constructors, which would hide this class from instanceof.
    Object.setPrototypeOf(this, BreakerRefusedError.prototype);
    this.deploymentId = deploymentId;
    this.state = state;
    this.retryAfterMs = retryAfterMs;
  }
}

export type BreakerChange = Pick<BreakerTransition, 'from' | 'to' | 'cause' | 'detail'>;

export interface DeploymentBreakerDeps {
  readonly clock: Clock;
  readonly random: () => number;
  /** Told after each change of state. */
  readonly onChange: (change: BreakerChange) => void;
}

/** One admitted call. It counts only while the breaker is still in the period in which it was admitted. */
interface AdmittedCall {
  readonly epoch: number;
  settled: boolean;
  alive: boolean;
}

const STATES: Record<Phase, BreakerState> = {
  [Phase.CLOSED]: 'CLOSED',
  [Phase.OPENED]: 'OPEN',
  [Phase.HALF_OPENED]: 'HALF_OPEN',
};

export class DeploymentBreaker extends SlidingCountBreaker {
  readonly #deploymentId: string;
  readonly #rules: BreakerRules;
  readonly #deps: DeploymentBreakerDeps;
  readonly #circuit: Circuit;
  readonly #window: OutcomeWindow;
  /** Grows with every change and every reset: results of an older epoch are dropped. */
  #epoch = 0;
  #probe: AdmittedCall | undefined;
  #stopProbeTimer = () => {};
  #probeSuccesses = 0;
  /** How often it has opened since it was sound. */
  #openings = 0;
  #closedAtMonotonicMs = Number.NEGATIVE_INFINITY;
  /** Epoch milliseconds of the next probe; undefined unless open, and while held open. */
  #retryAtMs: number | undefined;
  #lastError: string | undefined;

  constructor(deploymentId: string, rules: BreakerRules, deps: DeploymentBreakerDeps) {
    super({ name: deploymentId, openStateDelay: rules.openForMs });
    this.#deploymentId = deploymentId;
    this.#rules = rules;
    this.#deps = deps;
    this.#window = createOutcomeWindow(Math.max(rules.windowSize, rules.minimumCalls));
    this.stateTimestamp = deps.clock.now();
    // One fixed function for all calls: `circuit.fn` would change it under calls that are being prepared.
    const func = (run: (call: AdmittedCall) => Promise<void>, call: AdmittedCall) => run(call);
    this.#circuit = new Circuit({ name: deploymentId, func, options: { modules: [this] } });
  }

  get current(): BreakerState {
    return STATES[this.state];
  }

  /** Would a call be let through at this moment? */
  admits(): boolean {
    return this.state === Phase.CLOSED || (this.state === Phase.HALF_OPENED && !this.#probe);
  }

  /** Begins a call inside the circuit that lasts until the permit is settled. Throws BreakerRefusedError. */
  acquire(): Permit {
    if (!this.admits()) throw this.#refusal();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let admitted: AdmittedCall | undefined;
    // `Circuit.execute` calls `execute` below before it returns, so admission is decided here and now.
    const ended = this.#circuit.execute((call: AdmittedCall) => {
      admitted = call;
      return promise;
    });
    ended.catch(() => {});
    const call = admitted!;
    return {
      succeed: () => {
        this.#settle(call, 'success');
        resolve();
      },
      fail: error => {
        this.#settle(call, 'failure', error);
        reject(error);
      },
      ignore: () => {
        this.#settle(call, 'ignored');
        resolve();
      },
      alive: () => {
        call.alive = true;
      },
    };
  }

  /** What the circuit calls. Replaces the library's version, which awaits before it decides. */
  override execute<T>(_circuit: Circuit, run: CircuitFunction, ...parameters: unknown[]): Promise<T> {
    if (!this.admits()) throw this.#refusal();
    const call: AdmittedCall = { epoch: this.#epoch, settled: false, alive: false };
    if (this.state === Phase.HALF_OPENED) {
      this.#probe = call;
      this.#watchProbe(call);
    }
    try {
      return run(...parameters, call);
    } catch (error) {
      // Nothing reached the provider; without this the slot of the probe would be lost.
      this.#settle(call, 'ignored');
      throw error;
    }
  }

  /** Closes it by hand and forgets what was counted, also when it is closed already. */
  reset(detail: string | undefined): void {
    this.#openings = 0;
    this.#lastError = undefined;
    this.#change('CLOSED', 'manual', detail);
  }

  /** Opens it by hand and holds it open until `reset`. */
  hold(detail: string | undefined): void {
    this.#change('OPEN', 'manual', detail);
  }

  /** Opens it at once because of a fault that no further call needs to confirm. Does nothing when it is open. */
  condemn(detail: string): void {
    if (this.state === Phase.OPENED) return;
    this.#lastError = detail;
    this.#change('OPEN', 'automatic', detail);
  }

  /** Lets a probe through before the open time is over. Does nothing unless open, or while held. */
  probeEarly(): void {
    if (this.#retryAtMs !== undefined) this.#change('HALF_OPEN', 'automatic', undefined);
  }

  /** Takes up the state after the last known change of an earlier process, with the rest of its time; tells nobody. */
  restore(last: Pick<BreakerTransition, 'to' | 'at' | 'cause' | 'detail'>): void {
    const { clock } = this.#deps;
    const restMs = Math.min(last.at.getTime() + this.#rules.openForMs - clock.now(), this.#rules.openForMs);
    const over = last.cause === 'automatic' && restMs <= 0;
    const to = last.to === 'OPEN' && over ? 'HALF_OPEN' : last.to;
    if (last.cause === 'automatic') this.#lastError = last.detail;
    this.#openings = to === 'CLOSED' ? 0 : 1;
    this.#enter(to, last.cause === 'manual' ? undefined : restMs);
    this.stateTimestamp = last.at.getTime();
  }

  snapshot(): BreakerSnapshot {
    return {
      deploymentId: this.#deploymentId,
      state: this.current,
      failureRate: this.#window.failureRate,
      calls: this.#window.calls,
      failures: this.#window.failures,
      since: new Date(this.stateTimestamp),
      retryAt: this.#retryAtMs === undefined ? undefined : new Date(this.#retryAtMs),
      lastError: this.#lastError,
    };
  }

  // The library's own ways to change state, one of which its timer calls. All take the safe way.
  override async open(): Promise<void> {
    this.condemn('The circuit was opened.');
  }
  override async halfOpen(): Promise<void> {
    this.#change('HALF_OPEN', 'automatic', undefined);
  }
  override async close(): Promise<void> {
    this.#change('CLOSED', 'automatic', undefined);
  }

  #settle(call: AdmittedCall, outcome: 'success' | 'failure' | 'ignored', error?: unknown): void {
    if (call.settled) return;
    call.settled = true;
    if (call.epoch !== this.#epoch) return;
    const wasProbe = call === this.#probe;
    if (wasProbe) this.#releaseProbe();
    if (outcome === 'ignored') return;
    if (outcome === 'failure') this.#lastError = neutralText(error);
    if (wasProbe) this.#judgeProbe(outcome === 'failure');
    else this.#count(outcome === 'failure');
  }

  #count(failed: boolean): void {
    const { consecutiveFailures, minimumCalls, failureRate } = this.#rules;
    this.#window.push(failed);
    if (!failed) return;
    const tooMany = this.#window.calls >= minimumCalls && this.#window.failureRate >= failureRate;
    if (tooMany || this.#window.consecutiveFailures >= consecutiveFailures)
      this.#change('OPEN', 'automatic', this.#lastError);
  }

  #judgeProbe(failed: boolean): void {
    if (failed) this.#change('OPEN', 'automatic', this.#lastError);
    else if (++this.#probeSuccesses >= this.#rules.successesToClose)
      this.#change('CLOSED', 'automatic', undefined);
  }

  #watchProbe(call: AdmittedCall): void {
    // Not mollitia's halfOpenStateMaxDelay: that one runs without a probe too, and an idle circuit would open and
    // half-open in turns for ever.
    this.#stopProbeTimer = this.#deps.clock.after(this.#rules.probeMaxMs, () => {
      if (!call.alive)
        return this.#settle(call, 'failure', new DomainError('TIMEOUT', 'The probe took too long.'));
      call.alive = false;
      this.#watchProbe(call);
    });
  }

  #releaseProbe(): void {
    this.#stopProbeTimer();
    this.#probe = undefined;
  }

  #change(to: BreakerState, cause: BreakerTransition['cause'], detail: string | undefined): void {
    const { clock, random, onChange } = this.#deps;
    const from = this.current;
    if (from === 'CLOSED' && clock.monotonic() - this.#closedAtMonotonicMs >= this.#rules.soundAfterMs)
      this.#openings = 0;
    const held = cause === 'manual';
    this.#enter(to, held ? undefined : openTimeMs(this.#rules, this.#openings, random));
    if (to === 'OPEN') this.#openings += 1;
    // Open already and now held: that it ends no more by itself is news, and a restart has to know it.
    if (from === to && !(held && to === 'OPEN')) return;
    this.stateTimestamp = clock.now();
    onChange({ from, to, cause, detail });
  }

  /** The one place where the state changes. `openForMs` undefined: no probe until somebody resets it. */
  #enter(to: BreakerState, openForMs: number | undefined): void {
    this.#clearOpenTimer();
    this.#epoch += 1;
    this.#releaseProbe();
    this.#probeSuccesses = 0;
    this.#retryAtMs = undefined;
    if (to === 'OPEN') {
      // At 0 the library would be half-open before `open` returns.
      this.openStateDelay = Math.max(1, openForMs ?? this.#rules.maxOpenForMs);
      silently(super.open());
      if (openForMs === undefined) this.#clearOpenTimer();
      else this.#retryAtMs = this.#deps.clock.now() + openForMs;
      this.#openTimer?.unref();
    } else if (to === 'HALF_OPEN') silently(super.halfOpen());
    else {
      // The window stays readable while open and half-open: it shows what opened the circuit.
      this.#window.clear();
      this.#closedAtMonotonicMs = this.#deps.clock.monotonic();
      silently(super.close());
    }
  }

  #refusal(): BreakerRefusedError {
    const waitMs = this.#retryAtMs === undefined ? undefined : this.#retryAtMs - this.#deps.clock.now();
    return new BreakerRefusedError(this.#deploymentId, this.current, waitMs && Math.max(0, waitMs));
  }

  /** mollitia's timer of the open state, which it neither clears on `close` nor unrefs. */
  get #openTimer(): NodeJS.Timeout | undefined {
    return (this as unknown as { openTimeout: NodeJS.Timeout | 0 }).openTimeout || undefined;
  }

  #clearOpenTimer(): void {
    clearTimeout(this.#openTimer);
  }
}

/** What the library does after its own change of state; a failing listener of its emitter must not end the process. */
function silently(done: Promise<void>): void {
  done.catch(() => {});
}
