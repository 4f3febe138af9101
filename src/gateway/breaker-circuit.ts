// The adapter to mollitia, and the only file that imports it (0.1.1 exactly: it relies on one private field). mollitia
// keeps the state and the timer of an open circuit, and runs the calls. Whom to admit, what an outcome means and when
// to change is decided by the subclass, because the library's own ways lose resets that race with a call, wedge
// half-open for ever and count cancelled calls as successes. test/gateway/breakers-mollitia.test.ts has one test for
// each of its defects.

import {
  BreakerError,
  Circuit,
  type CircuitFunction,
  circuits,
  modules,
  BreakerState as Phase,
  SlidingCountBreaker,
} from 'mollitia';
import type { BreakerState } from '../domain/breaker.ts';
import { MAX_TIMEOUT_MS } from '../lib/clock.ts';

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

const STATES: Record<Phase, BreakerState> = {
  [Phase.CLOSED]: 'CLOSED',
  [Phase.OPENED]: 'OPEN',
  [Phase.HALF_OPENED]: 'HALF_OPEN',
};

/** A call inside the circuit. It lasts until one of its ends is called. */
export interface CircuitCall<Call> {
  /** What `admit` made of it. */
  readonly admitted: Call;
  resolve(): void;
  reject(error: unknown): void;
}

export abstract class BreakerCircuit<Call> extends SlidingCountBreaker {
  readonly #circuit: Circuit;

  constructor(name: string, openForMs: number, nowMs: number) {
    super({ name, openStateDelay: openForMs });
    this.stateTimestamp = nowMs;
    // One fixed function for all calls: `circuit.fn` would change it under calls that are being prepared.
    const func = (run: (call: Call) => Promise<void>, call: Call) => run(call);
    this.#circuit = new Circuit({ name, func, options: { modules: [this] } });
  }

  get current(): BreakerState {
    return STATES[this.state];
  }

  /** Decides at once about a call that is about to begin. Throws BreakerRefusedError. */
  protected abstract admit(): Call;
  /** An admitted call did not begin after all. */
  protected abstract giveBack(call: Call): void;
  /** The library asks for a change; its timer does when the open time is over. */
  protected abstract libraryWants(state: BreakerState): void;

  /** Begins a call that `admit` is known to admit: what it throws in here goes nowhere. */
  protected begin(): CircuitCall<Call> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let admitted: Call | undefined;
    // `Circuit.execute` calls `execute` below before it returns, so admission is decided here and now.
    const ended = this.#circuit.execute((call: Call) => {
      admitted = call;
      return promise;
    });
    ended.catch(() => {});
    return { admitted: admitted!, resolve, reject };
  }

  /** What the circuit calls. Replaces the library's version, which awaits before it decides. */
  override execute<T>(_circuit: Circuit, run: CircuitFunction, ...parameters: unknown[]): Promise<T> {
    const call = this.admit();
    try {
      return run(...parameters, call);
    } catch (error) {
      // Nothing reached the provider; without this the slot of a probe would be lost.
      this.giveBack(call);
      throw error;
    }
  }

  /** Changes the state and nothing else. `openForMs` undefined: open until somebody changes it again. */
  protected switchTo(state: BreakerState, openForMs: number | undefined): void {
    this.#clearOpenTimer();
    if (state === 'OPEN') {
      // The library reads the clock twice: at 0, or at 1 when a millisecond passes in between, it would be half-open
      // before `open` returns.
      this.openStateDelay = Math.max(1, openForMs ?? MAX_TIMEOUT_MS);
      silently(super.open());
      if (openForMs === undefined) this.#clearOpenTimer();
      this.#openTimer?.unref();
    } else if (state === 'HALF_OPEN') silently(super.halfOpen());
    else silently(super.close());
  }

  // The library's own ways to change state.
  override async open(): Promise<void> {
    this.libraryWants('OPEN');
  }
  override async halfOpen(): Promise<void> {
    this.libraryWants('HALF_OPEN');
  }
  override async close(): Promise<void> {
    this.libraryWants('CLOSED');
  }

  /** The last of it. The library's own version leaves circuit and module in the lists that it keeps for ever. */
  override dispose(): void {
    super.dispose();
    remove(circuits, this.#circuit);
    remove(modules, this);
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

function remove<T>(list: T[], item: T): void {
  const index = list.indexOf(item);
  if (index >= 0) list.splice(index, 1);
}
