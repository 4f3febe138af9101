// What a subscriber gets: a result for each event of a source, until the source ends, the subscriber leaves, or the
// credential ends that the subscription began with. Access is checked once, when a subscription starts; without the last
// an expired or revoked token would go on receiving for as long as its client stays.

import type { ExecutionResult } from 'graphql';
import type { Members } from '../control/members.ts';
import type { Actor } from '../domain/access.ts';
import { accessError } from '../graphql/auth.ts';

export interface ResultsOptions<Event> {
  readonly source: AsyncIterable<Event>;
  /** Never throws or rejects. */
  readonly toResult: (event: Event) => ExecutionResult | PromiseLike<ExecutionResult>;
  /** What the subscriber hears of a source that throws. */
  readonly toError: (error: unknown) => Error;
  /** Null: there is no credential that could end. */
  readonly actor: Actor | null;
  readonly members: Pick<Members, 'onCredentialEnd'>;
  /** Called once, when nothing more comes. */
  readonly onEnd?: (() => void) | undefined;
}

/** Leaving reaches the source at once, also while an event is being waited for or computed, and waits for nobody. */
export function createResults<Event>(
  options: ResultsOptions<Event>,
): AsyncIterableIterator<ExecutionResult, undefined> {
  return new Results(options);
}

type Result = IteratorResult<ExecutionResult, undefined>;

/** Somebody waits for the next result. Settled by hand: a race against what lives as long as the stream would leak. */
interface Pull {
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const OVER: Result = { done: true, value: undefined };

class Results<Event> implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #options: ResultsOptions<Event>;
  readonly #source: AsyncIterator<Event>;
  readonly #pulls = new Set<Pull>();
  readonly #stopWatching: () => void;
  #state: 'open' | 'refused' | 'over' = 'open';

  constructor(options: ResultsOptions<Event>) {
    const { actor, source, members } = options;
    this.#options = options;
    this.#source = source[Symbol.asyncIterator]();
    this.#stopWatching = actor ? members.onCredentialEnd(actor, () => this.#refuse()) : () => {};
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#state === 'over') return Promise.resolve(OVER);
    return new Promise<Result>((resolve, reject) => {
      if (this.#state === 'refused') return this.#sayRefusal({ resolve, reject });
      const pull = { resolve, reject };
      this.#pulls.add(pull);
      this.#source.next().then(
        next => this.#take(pull, next),
        error => this.#fail(pull, error),
      );
    });
  }

  async return(): Promise<Result> {
    this.#leave();
    return OVER;
  }

  async throw(error: unknown): Promise<Result> {
    this.#leave();
    throw error;
  }

  #take(pull: Pull, next: IteratorResult<Event>): void {
    // Settled meanwhile, by a refusal or because its subscriber has left.
    if (!this.#pulls.has(pull)) return;
    if (next.done) {
      this.#finish();
      return;
    }
    const result = this.#options.toResult(next.value);
    if ('then' in result) result.then(computed => this.#give(pull, computed));
    else this.#give(pull, result);
  }

  #give(pull: Pull, value: ExecutionResult): void {
    if (this.#pulls.delete(pull)) pull.resolve({ done: false, value });
  }

  #fail(pull: Pull, error: unknown): void {
    if (!this.#pulls.delete(pull)) return;
    pull.reject(this.#options.toError(error));
    this.#finish();
  }

  /** The credential has ended: one refusal more, at once when somebody waits, then the end. */
  #refuse(): void {
    if (this.#state !== 'open') return;
    this.#state = 'refused';
    this.#leaveSource();
    const [first] = this.#pulls;
    if (!first) return;
    this.#pulls.delete(first);
    this.#sayRefusal(first);
  }

  #sayRefusal({ resolve }: Pull): void {
    const value = { data: null, errors: [accessError('UNAUTHENTICATED', 'This subscription')] };
    resolve({ done: false, value });
    this.#finish();
  }

  #leave(): void {
    if (this.#state === 'open') this.#leaveSource();
    this.#finish();
  }

  #leaveSource(): void {
    this.#source.return?.().catch(() => {});
  }

  #finish(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#stopWatching();
    for (const { resolve } of this.#pulls) resolve(OVER);
    this.#pulls.clear();
    this.#options.onEnd?.();
  }
}
