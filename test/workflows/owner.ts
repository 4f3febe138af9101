// An owner of a workflow that dies at any of its calls, or stands still there, as a process does that is stopped and
// goes on later without knowing. Whatever it asks of the database may fail, carried out or not.

import type { StreamEvent } from '../../src/domain/stream.ts';
import type { StopReason } from '../../src/gateway/execution.ts';
import { type Clock, pause } from '../../src/lib/clock.ts';
import { StoreUnavailable } from '../../src/store/unavailable.ts';

/** What befalls an owner at one of its calls. */
export interface Fate {
  readonly atCall: number;
  readonly when: 'before' | 'after';
  readonly how: 'dies' | 'stands still';
  /** Of one that stands still: how long, and how long it then goes on before it hears that it is dead. */
  readonly forMs: number;
  readonly unawareMs: number;
}

interface OwnerParts {
  readonly epoch: number;
  readonly clock: Clock;
  readonly random: () => number;
  /** How often a call fails; 0 to 1. */
  readonly troubles: number;
  readonly fate: Fate | undefined;
  readonly onDown: (fate: Fate) => void;
}

const LATENCY_MS = 30;

export class Owner {
  readonly epoch: number;
  readonly controller = new AbortController();
  /** What it has told the subscribers. */
  readonly events: StreamEvent[] = [];
  /** What it was told last. */
  knowsOfPause = false;
  readonly clock: Clock;
  readonly #parts: OwnerParts;
  #calls = 0;
  #state: 'lives' | 'stands still' | 'is dead' = 'lives';
  #thawed = Promise.withResolvers<void>();

  constructor(parts: OwnerParts) {
    this.epoch = parts.epoch;
    this.#parts = parts;
    const { clock } = parts;
    this.clock = { ...clock, after: (delayMs, callback) => clock.after(delayMs, () => this.doing(callback)) };
  }

  get isUp(): boolean {
    return this.#state === 'lives';
  }

  stop(reason: StopReason): void {
    this.doing(() => this.controller.abort(reason));
  }

  thaw(): void {
    this.#state = 'lives';
    this.#thawed.resolve();
  }

  /** What comes to a process: at once, when it moves again, or never. */
  doing(work: () => void): void {
    if (this.#state === 'lives') work();
    else if (this.#state === 'stands still') void this.#thawed.promise.then(work);
  }

  /** A call of the database, or of what stands on it. */
  async call<Result>(work: () => Promise<Result>): Promise<Result> {
    const { random, troubles } = this.#parts;
    const luck = random();
    return this.certain(async () => {
      if (luck < troubles / 2) throw new StoreUnavailable(new Error('scripted'), { mayHaveRun: false });
      const result = await work();
      if (luck < troubles) throw new StoreUnavailable(new Error('scripted'), { mayHaveRun: true });
      return result;
    });
  }

  /** The same, and the database answers. */
  async certain<Result>(work: () => Promise<Result>): Promise<Result> {
    const { clock, random, fate } = this.#parts;
    this.#calls += 1;
    const met = fate?.atCall === this.#calls ? fate : undefined;
    if (met?.when === 'before') this.#meet(met);
    await this.#moving();
    const latencyMs = Math.floor(random() * 2 * LATENCY_MS) - LATENCY_MS;
    if (latencyMs > 0) await pause(clock, latencyMs);
    await this.#moving();
    try {
      return await work();
    } finally {
      if (met?.when === 'after') this.#meet(met);
      await this.#moving();
    }
  }

  #meet(fate: Fate): void {
    this.#state = fate.how === 'dies' ? 'is dead' : 'stands still';
    this.#parts.onDown(fate);
  }

  async #moving(): Promise<void> {
    if (this.#state === 'is dead') await new Promise<never>(() => {});
    if (this.#state === 'stands still') await this.#thawed.promise;
  }
}
