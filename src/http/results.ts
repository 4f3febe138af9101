// What a subscriber gets: a result for each event of a source, until the source ends, the subscriber leaves, or the
// credential ends that the subscription began with. Access is checked once, when a subscription starts; without the last
// an expired or revoked token would go on receiving for as long as its client stays.

import type { ExecutionResult } from 'graphql';
import type { Members } from '../control/members.ts';
import type { Actor } from '../domain/access.ts';
import { accessError } from '../graphql/auth.ts';
import { OVER } from '../lib/reader.ts';

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

class Results<Event> implements AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #source: AsyncIterator<Event>;
  readonly #toResult: ResultsOptions<Event>['toResult'];
  readonly #toError: ResultsOptions<Event>['toError'];
  readonly #onEnd: (() => void) | undefined;
  readonly #stopWatching: (() => void) | undefined;
  /** Somebody waits for the next result. Settled by hand: a race against what lives as long as the stream would leak. */
  #pull: PromiseWithResolvers<Result> | undefined;
  #state: 'open' | 'refused' | 'over' = 'open';

  constructor({ source, toResult, toError, actor, members, onEnd }: ResultsOptions<Event>) {
    this.#source = source[Symbol.asyncIterator]();
    this.#toResult = toResult;
    this.#toError = toError;
    this.#onEnd = onEnd;
    this.#stopWatching = actor ? members.onCredentialEnd(actor, () => this.#refuse()) : undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result> {
    if (this.#pull) {
      const again = () => this.next();
      return this.#pull.promise.then(again, again);
    }
    if (this.#state === 'over') return Promise.resolve(OVER);
    if (this.#state === 'refused') return Promise.resolve(this.#refusal());
    const pull = Promise.withResolvers<Result>();
    this.#pull = pull;
    this.#source.next().then(this.#take, this.#fail);
    return pull.promise;
  }

  async return(): Promise<Result> {
    this.#leave();
    return OVER;
  }

  async throw(error: unknown): Promise<Result> {
    this.#leave();
    throw error;
  }

  // Nobody waits any more: settled meanwhile, by a refusal or because the subscriber has left.
  readonly #take = (next: IteratorResult<Event>): void => {
    if (!this.#pull) return;
    if (next.done) {
      this.#finish();
      return;
    }
    const result = this.#toResult(next.value);
    if ('then' in result) result.then(this.#give);
    else this.#give(result);
  };

  readonly #give = (value: ExecutionResult): void => this.#settle()?.resolve({ done: false, value });

  readonly #fail = (error: unknown): void => {
    this.#settle()?.reject(this.#toError(error));
    this.#finish();
  };

  #settle(): PromiseWithResolvers<Result> | undefined {
    const pull = this.#pull;
    this.#pull = undefined;
    return pull;
  }

  /** The credential has ended: one refusal more, at once when somebody waits, then the end. */
  #refuse(): void {
    if (this.#state !== 'open') return;
    this.#state = 'refused';
    this.#leaveSource();
    this.#settle()?.resolve(this.#refusal());
  }

  #refusal(): Result {
    this.#finish();
    const value = { data: null, errors: [accessError({ code: 'UNAUTHENTICATED' }, 'This subscription')] };
    return { done: false, value };
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
    this.#stopWatching?.();
    this.#settle()?.resolve(OVER);
    this.#onEnd?.();
  }
}
