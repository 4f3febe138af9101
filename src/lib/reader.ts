// Iterators written by hand, for what each subscriber has of its own: an idle one keeps little, and a value passes with
// few promises. Both end the moment their consumer leaves, also while a value is waited for. A second pull while one is
// pending waits for the first.

type Next<T> = IteratorResult<T, undefined>;

export const OVER: IteratorReturnResult<undefined> = { done: true, value: undefined };

/** Reads what others put somewhere. Whoever puts something there rings. */
export abstract class Reader<T> implements AsyncIterableIterator<T, undefined> {
  #pending: Promise<Next<T>> | undefined;
  #resolve: ((next: Next<T>) => void) | undefined;
  #isRung = false;
  #isOver = false;

  /** What comes next, `OVER`, or undefined: it is not there yet. */
  protected abstract read(): Next<T> | undefined;
  /** Nothing is read any more; called once. */
  protected abstract leave(): void;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next<T>> {
    if (this.#pending !== undefined) return this.#pending.then(() => this.next());
    const next = this.#take();
    if (next) return Promise.resolve(next);
    this.#pending = new Promise(resolve => {
      this.#resolve = resolve;
    });
    return this.#pending;
  }

  return(): Promise<Next<T>> {
    this.#end();
    return Promise.resolve(OVER);
  }

  /** There is something to read, or the end. It is read when this turn is done, so that what comes in it is joined. */
  ring(): void {
    if (!this.#resolve || this.#isRung) return;
    this.#isRung = true;
    answerSoon(this);
  }

  /** Of `answerSoon` alone. */
  answer(): void {
    this.#isRung = false;
    const next = this.#resolve && this.#take();
    if (next) this.#settle(next);
  }

  #take(): Next<T> | undefined {
    if (this.#isOver) return OVER;
    const next = this.read();
    if (next?.done) this.#end();
    return next;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.leave();
    this.#settle(OVER);
  }

  #settle(next: Next<T>): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    this.#pending = undefined;
    resolve?.(next);
  }
}

type Rung = Pick<Reader<unknown>, 'answer'>;

const TURN_DONE = Promise.resolve();
let rung: Rung[] = [];

/** One microtask for all that are rung in a turn. */
function answerSoon(reader: Rung): void {
  if (rung.push(reader) === 1) void TURN_DONE.then(answerAll);
}

function answerAll(): void {
  const readers = rung;
  rung = [];
  for (const reader of readers) reader.answer();
}

/**
 * Reads one source to its end, then another that is only then made. The sources end their pending pulls when they are
 * left, as readers do, so that this need not.
 */
export abstract class InTurn<In, Out = In> implements AsyncIterableIterator<Out, undefined> {
  readonly #first: AsyncIterator<In>;
  #second: AsyncIterator<Out> | undefined;
  #isLeft = false;

  constructor(first: AsyncIterator<In>) {
    this.#first = first;
  }

  /** What becomes of a value of the first source. */
  protected abstract given(value: In): Out;
  /** What to read when the first source has ended; undefined: nothing. */
  protected abstract rest(): AsyncIterator<Out> | undefined;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next<Out>> {
    return this.#second ? this.#second.next() : this.#first.next().then(this.#take);
  }

  return(): Promise<Next<Out>> {
    this.#isLeft = true;
    const left = (this.#second ?? this.#first).return?.();
    left?.catch(() => {});
    return Promise.resolve(OVER);
  }

  readonly #take = (next: IteratorResult<In>): Next<Out> | Promise<Next<Out>> => {
    if (!next.done) return { done: false, value: this.given(next.value) };
    if (!this.#isLeft) this.#second ??= this.rest();
    return this.#second?.next() ?? OVER;
  };
}
