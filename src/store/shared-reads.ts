// Reads of many callers in one statement: who asks for one row in the same turn of the event loop is answered together
// with the others. Nothing is kept: the statement is sent after the last of them asked, so everybody sees what stands in
// the database then, and each gets objects of its own.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Beyond this a statement takes longer and saves nothing. */
const MAX_IDS = 500;
/** Of rows that may be large. */
export const MAX_WIDE_IDS = 200;

/** A bound on what a list may hold says nothing about one row, which always comes. */
type ReadByIds<Value> = (ids: readonly string[], atMostBytes?: number) => Promise<Value[]>;

interface Waiting<Value> {
  readonly id: string;
  readonly done: PromiseWithResolvers<Value[]>;
}

/** The same read. One that fails fails for all who shared it, so no id may make it fail. */
export function sharingReads<Value>(read: ReadByIds<Value>, maxIds = MAX_IDS): ReadByIds<Value> {
  let waiting: Waiting<Value>[] = [];
  // It reads for many callers: it must not run in the context of the one who happened to come first.
  const outside = AsyncLocalStorage.snapshot();

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    // Sent already, as so many asked.
    if (batch.length === 0) return;
    try {
      const values = await read(batch.map(({ id }) => id));
      for (const [index, { done }] of batch.entries()) done.resolve([values[index]!]);
    } catch (error) {
      for (const { done } of batch) done.reject(error);
    }
  }

  return (ids, atMostBytes) => {
    const [id] = ids;
    // Lists are long enough by themselves, and who asks for one row need not wait for them.
    if (ids.length !== 1 || id === undefined) return read(ids, atMostBytes);
    const done = Promise.withResolvers<Value[]>();
    waiting.push({ id, done });
    if (waiting.length === 1) outside(setImmediate, flush);
    else if (waiting.length === maxIds) void outside(flush);
    return done.promise;
  };
}
