// Reads of many callers in one statement: who asks for one row in the same turn of the event loop, or while the statement
// before is under way, is answered together with the others. Nothing is kept: a statement is sent after the last of its
// callers asked, so everybody sees what stands in the database then, and each gets objects of its own.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Beyond this a statement takes longer and saves nothing. */
const MAX_IDS = 500;
/** Nobody waits longer for the end of a statement: its connection may be dead where others are not. */
const MAX_WAIT_MS = 5;

type ReadByIds<Value> = (ids: readonly string[]) => Promise<Value[]>;

interface Waiting<Value> {
  readonly id: string;
  readonly done: PromiseWithResolvers<Value[]>;
}

/** The same read. One that fails fails for all who shared it, so no id may make it fail. */
export function sharingReads<Value>(read: ReadByIds<Value>): ReadByIds<Value> {
  let waiting: Waiting<Value>[] = [];
  let isPlanned = false;
  // It reads for many callers: it must not run in the context of the one who happened to come first.
  const outside = AsyncLocalStorage.snapshot();

  function sendNext(): void {
    const batch = waiting.slice(0, MAX_IDS);
    waiting = waiting.slice(MAX_IDS);
    isPlanned = batch.length > 0;
    if (!isPlanned) return;
    let isWaitedFor = true;
    const goOn = () => {
      if (isWaitedFor) sendNext();
      isWaitedFor = false;
    };
    const timer = setTimeout(goOn, MAX_WAIT_MS);
    void answer(batch, read).finally(() => {
      clearTimeout(timer);
      goOn();
    });
  }

  return ids => {
    const [id] = ids;
    // Lists are long enough by themselves, and who asks for one row need not wait for them.
    if (ids.length !== 1 || id === undefined) return read(ids);
    const done = Promise.withResolvers<Value[]>();
    waiting.push({ id, done });
    if (!isPlanned) {
      isPlanned = true;
      outside(setImmediate, sendNext);
    }
    return done.promise;
  };
}

async function answer<Value>(batch: readonly Waiting<Value>[], read: ReadByIds<Value>): Promise<void> {
  try {
    const values = await read(batch.map(({ id }) => id));
    for (const [index, { done }] of batch.entries()) done.resolve([values[index]!]);
  } catch (error) {
    for (const { done } of batch) done.reject(error);
  }
}
