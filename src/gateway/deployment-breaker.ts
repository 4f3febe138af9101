// The circuit breaker of one deployment: what it counts, when it opens and for how long, who is a probe and what closes
// it again. The circuit underneath is mollitia's (breaker-circuit.ts).

import type { BreakerOutlook, BreakerSnapshot, BreakerState, BreakerTransition } from '../domain/breaker.ts';
import { type BreakerRules, openTimeMs } from '../domain/breaker-rules.ts';
import { DomainError } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { BreakerCircuit, BreakerRefusedError } from './breaker-circuit.ts';
import { createOutcomeWindow, type OutcomeWindow } from './outcome-window.ts';
import { neutralText, type Permit } from './permit.ts';

export type BreakerChange = Pick<BreakerTransition, 'from' | 'to' | 'cause' | 'detail' | 'retryAt'>;

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

/** What is told to wait while a probe is under way, whose end nobody knows. */
const PROBE_HINT_MS = 1_000;

export class DeploymentBreaker extends BreakerCircuit<AdmittedCall> {
  readonly #deploymentId: string;
  readonly #rules: BreakerRules;
  readonly #deps: DeploymentBreakerDeps;
  readonly #window: OutcomeWindow;
  /** Grows with every change and every reset: results of an older epoch are dropped. */
  #epoch = 0;
  /** Calls admitted and not settled yet, of whatever epoch. */
  #underWay = 0;
  #probe: AdmittedCall | undefined;
  #stopProbeTimer = () => {};
  #probeSuccesses = 0;
  /** How often it has opened since it was sound. */
  #openings = 0;
  #closedAtMonotonicMs = Number.NEGATIVE_INFINITY;
  /** Epoch milliseconds of the next probe; undefined unless open, and while held open. */
  #retryAtMs: number | undefined;
  /** Epoch milliseconds at which the open time ends that a last resort interrupted; undefined: none did. */
  #interruptedUntilMs: number | undefined;
  #lastResortGiven = false;
  #lastError: string | undefined;

  constructor(deploymentId: string, rules: BreakerRules, deps: DeploymentBreakerDeps) {
    super(deploymentId, rules.openForMs, deps.clock.now());
    this.#deploymentId = deploymentId;
    this.#rules = rules;
    this.#deps = deps;
    this.#window = createOutcomeWindow(Math.max(rules.windowSize, rules.minimumCalls));
  }

  /** Would a call be let through at this moment? */
  admits(): boolean {
    return this.current === 'CLOSED' || (this.current === 'HALF_OPEN' && !this.#probe);
  }

  /** May it be forgotten? Not what an administrator holds open, nor what has calls under way. */
  isForgettable(): boolean {
    const isHeld = this.current === 'OPEN' && this.#retryAtMs === undefined;
    return this.#underWay === 0 && !isHeld;
  }

  /** Begins a call inside the circuit that lasts until the permit is settled. Throws BreakerRefusedError. */
  acquire(): Permit {
    if (!this.admits()) throw this.#refusal();
    const { admitted: call, resolve, reject } = this.begin();
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

  /** Begins the one call that an open time lets through before its end, as a probe; undefined when there is none. */
  acquireLastResort(): Permit | undefined {
    if (!this.#hasLastResort()) return undefined;
    const endsAtMs = this.#retryAtMs;
    this.#change('HALF_OPEN', 'automatic', undefined);
    this.#interruptedUntilMs = endsAtMs;
    return this.acquire();
  }

  protected override admit(): AdmittedCall {
    if (!this.admits()) throw this.#refusal();
    this.#underWay += 1;
    const call: AdmittedCall = { epoch: this.#epoch, settled: false, alive: false };
    if (this.current === 'HALF_OPEN') {
      this.#probe = call;
      this.#watchProbe(call);
    }
    return call;
  }

  protected override giveBack(call: AdmittedCall): void {
    this.#settle(call, 'ignored');
  }

  protected override libraryWants(state: BreakerState): void {
    if (state === 'OPEN') this.condemn('The circuit was opened.');
    else this.#change(state, 'automatic', undefined);
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
    if (this.current === 'OPEN') return;
    this.#lastError = detail;
    this.#change('OPEN', 'automatic', detail);
  }

  /** Lets a probe through before the open time is over. Does nothing unless open, or while held. */
  probeEarly(): void {
    if (this.#retryAtMs !== undefined) this.#change('HALF_OPEN', 'automatic', undefined);
  }

  /** Takes up the state after the last known change of an earlier process, with the rest of its time; tells nobody. */
  restore(last: Pick<BreakerTransition, 'to' | 'at' | 'cause' | 'detail' | 'retryAt'>): void {
    const { openForMs, maxOpenForMs } = this.#rules;
    const knownMs = last.retryAt && last.retryAt.getTime() - last.at.getTime();
    const lengthMs = Math.min(knownMs ?? openForMs, maxOpenForMs);
    // No longer than it was meant to be, whatever the clock of the earlier process said.
    const restMs = Math.min(last.at.getTime() + lengthMs - this.#deps.clock.now(), lengthMs);
    const over = last.cause === 'automatic' && restMs <= 0;
    const to = last.to === 'OPEN' && over ? 'HALF_OPEN' : last.to;
    if (last.cause === 'automatic') this.#lastError = last.detail;
    // By its length, the how manieth opening it was.
    this.#openings = to === 'CLOSED' ? 0 : 1 + Math.max(0, Math.ceil(Math.log2(lengthMs / openForMs)));
    this.#enter(to, last.cause === 'manual' ? undefined : restMs);
    this.stateTimestamp = last.at.getTime();
  }

  outlook(): BreakerOutlook {
    const admits = this.admits();
    const halfOpen = this.current === 'HALF_OPEN';
    return {
      admits,
      halfOpen: admits && halfOpen,
      retryAfterMs: admits ? undefined : halfOpen ? this.#leftMs() || PROBE_HINT_MS : this.#leftMs(),
      lastResort: this.#hasLastResort(),
    };
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

  #settle(call: AdmittedCall, outcome: 'success' | 'failure' | 'ignored', error?: unknown): void {
    if (call.settled) return;
    call.settled = true;
    this.#underWay -= 1;
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
    const restMs = this.#leftMs() || undefined;
    this.#interruptedUntilMs = undefined;
    // A last resort that failed was an extra call: the open time goes on as if it had not been made.
    if (failed) this.#change('OPEN', 'automatic', this.#lastError, restMs);
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

  /** `restMs`: the open time is not a new one, and so much of it is left. */
  #change(
    to: BreakerState,
    cause: BreakerTransition['cause'],
    detail: string | undefined,
    restMs?: number,
  ): void {
    const { clock, random, onChange } = this.#deps;
    const from = this.current;
    if (from === 'CLOSED' && clock.monotonic() - this.#closedAtMonotonicMs >= this.#rules.soundAfterMs)
      this.#openings = 0;
    const held = cause === 'manual';
    this.#enter(to, held ? undefined : (restMs ?? openTimeMs(this.#rules, this.#openings, random)));
    if (to === 'OPEN' && restMs === undefined) this.#openings += 1;
    this.#lastResortGiven = restMs !== undefined;
    // Open already and now held: that it ends no more by itself is news, and a restart has to know it.
    if (from === to && !(held && to === 'OPEN')) return;
    this.stateTimestamp = clock.now();
    const retryAt = this.#retryAtMs === undefined ? undefined : new Date(this.#retryAtMs);
    onChange({ from, to, cause, detail, retryAt });
  }

  /** The one place where the state changes. `openForMs` undefined: no probe until somebody resets it. */
  #enter(to: BreakerState, openForMs: number | undefined): void {
    this.#epoch += 1;
    this.#releaseProbe();
    this.#probeSuccesses = 0;
    this.#interruptedUntilMs = undefined;
    const ends = to === 'OPEN' && openForMs !== undefined;
    this.#retryAtMs = ends ? this.#deps.clock.now() + openForMs : undefined;
    this.switchTo(to, openForMs);
    if (to !== 'CLOSED') return;
    // The window stays readable while open and half-open: it shows what opened the circuit.
    this.#window.clear();
    this.#closedAtMonotonicMs = this.#deps.clock.monotonic();
  }

  #hasLastResort(): boolean {
    return this.#retryAtMs !== undefined && !this.#lastResortGiven;
  }

  /** What is left of the open time, also while a last resort interrupts it; undefined: there is none with an end. */
  #leftMs(): number | undefined {
    const endsAtMs = this.#retryAtMs ?? this.#interruptedUntilMs;
    return endsAtMs === undefined ? undefined : Math.max(0, endsAtMs - this.#deps.clock.now());
  }

  #refusal(): BreakerRefusedError {
    return new BreakerRefusedError(this.#deploymentId, this.current, this.#leftMs());
  }
}
