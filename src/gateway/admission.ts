// The door of this process: how many requests run here at once. Who finds no place waits in the queue, which all
// instances share (store/queue.ts); whenever a place comes free the next ones are taken from it. A newcomer gets a
// free place at once, without the queue, only while nobody waits.

import { DomainError } from '../domain/errors.ts';

export interface AdmissionLimits {
  readonly maxRunning: number;
  /** In the queue, over all instances; what others put there is known as of the last heartbeat. */
  readonly maxQueued: number;
}

export type Place = 'running' | 'queued';

/** Takes up to `limit` requests from the queue and starts them; resolves with how many. */
export type Take = (limit: number) => Promise<number>;

/** Prompts are read with the requests: so many at most are in memory before they run. */
const MAX_TAKEN = 32;
/** What a refused caller is told to wait: about the time in which places come free under load. */
const RETRY_AFTER_MS = 1_000;

export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #onError: (error: unknown) => void;
  #take: Take | undefined;
  #pulling: Promise<void> | undefined;
  #running = 0;
  /** On their way into the queue. */
  #entering = 0;
  #waiting = 0;
  /** Accepted to run, and waiting for room at a deployment. */
  #parked = 0;
  /** Somebody may wait. True until a look into the queue has found it empty. */
  #backlog = true;
  /** Grows with each word of something that waits. */
  #news = 0;

  constructor(limits: AdmissionLimits, onError: (error: unknown) => void = () => {}) {
    this.#limits = limits;
    this.#onError = onError;
  }

  /** Takes a running place, or one in the queue when none is free or others wait; throws OVERLOADED when both are full. */
  enter(): Place {
    const { maxRunning, maxQueued } = this.#limits;
    const isOpen = this.#take && !this.#backlog && this.#entering === 0;
    if (isOpen && this.#running < maxRunning) {
      this.#running += 1;
      return 'running';
    }
    const { running, queued } = this.load();
    if (queued >= maxQueued)
      throw new DomainError(
        'OVERLOADED',
        `${running} requests run and ${queued} wait: there is no room for more.`,
        { retryAfterMs: RETRY_AFTER_MS },
      );
    this.#entering += 1;
    return 'queued';
  }

  /** Gives back a place that came to nothing. */
  withdraw(place: Place): void {
    if (place === 'queued') this.#entering -= 1;
    else this.leave();
  }

  /** A request that had entered `queued` is in the queue now. */
  queued(): void {
    this.#entering -= 1;
    this.#waiting += 1;
    this.wake();
  }

  /** A request has left the queue without running. */
  dequeued(): void {
    this.#waiting = Math.max(0, this.#waiting - 1);
  }

  /** A request that ran has ended; the next one starts. */
  leave(): void {
    this.#running -= 1;
    this.#pull();
  }

  /** A request that runs waits for room at a deployment: meanwhile another may run. */
  park(): void {
    this.#parked += 1;
    this.leave();
  }

  /** It has room, and goes on at once: its deployment waits for it, so it takes a place beyond the limit if it must. */
  unpark(): void {
    this.#parked -= 1;
    this.#running += 1;
  }

  /** The length of the queue as the database has it: other instances put requests there too. */
  observe(length: number): void {
    this.#waiting = length;
    if (length > 0) this.wake();
  }

  /** Somebody waits: looks into the queue, as soon as there is a place. */
  wake(): void {
    this.#backlog = true;
    this.#news += 1;
    this.#pull();
  }

  /** From now on the queue is served. */
  start(take: Take): void {
    this.#take = take;
    this.#pull();
  }

  /** Runs nothing new until the next start, newcomers neither; resolves when the last take is over. */
  async stop(): Promise<void> {
    this.#take = undefined;
    await this.#pulling;
  }

  /** Requests that run here; those that wait for a place on any instance, and here for room at a deployment. */
  load(): { readonly running: number; readonly queued: number } {
    return { running: this.#running, queued: this.#entering + this.#waiting + this.#parked };
  }

  get #hasWork(): boolean {
    return this.#backlog && this.#running < this.#limits.maxRunning;
  }

  #pull(): void {
    if (this.#pulling || !this.#take || !this.#hasWork) return;
    this.#pulling = this.#fill()
      // The queue is kept: the next heartbeat, or the next place that comes free, tries again.
      .catch(this.#onError)
      .finally(() => {
        this.#pulling = undefined;
      });
  }

  async #fill(): Promise<void> {
    while (this.#take && this.#hasWork) {
      const room = Math.min(MAX_TAKEN, this.#limits.maxRunning - this.#running);
      const seen = this.#news;
      let taken = 0;
      this.#running += room;
      try {
        taken = await this.#take(room);
      } finally {
        this.#running -= room - taken;
      }
      this.#waiting = Math.max(0, this.#waiting - taken);
      if (taken === room || this.#news !== seen) continue;
      this.#backlog = false;
      this.#waiting = 0;
    }
  }
}
