// Group commit: rows that arrive while a statement runs wait for its end and are then written by one statement
// together. There is no timer, so a lone caller waits for nobody. Knows nothing of what is written.

import { AsyncLocalStorage } from 'node:async_hooks';

/** Beyond this a statement takes longer and saves nothing. */
const MAX_ROWS = 500;
/** Characters of JSON in one statement; a row that is larger by itself is written alone. */
const MAX_LENGTH = 4 * 1024 * 1024;
/** From here a row goes the way of the large ones, so that the small ones behind it need not wait for it. */
const LARGE_LENGTH = 256 * 1024;
/** How often a statement is sent that Postgres chose as the victim of a deadlock. */
const TRIES = 5;

export interface Row<Value> {
  readonly value: Value;
  /** The value as the statement gets it. */
  readonly json: string;
}

/**
 * Writes rows in one statement: all or, when it throws, none. It resolves with what became of each, in their order;
 * an Error among them is for the caller of that row alone.
 */
export type Write<Value, Result> = (rows: readonly Row<Value>[]) => Promise<(Result | Error)[]>;

/**
 * The returned function resolves when its row is committed, and rejects when `encode` throws, when the row is refused,
 * or when the database cannot be reached. In the last case it is not known whether the row was written.
 */
export function groupCommit<Value, Result>(
  encode: (value: Value) => string,
  write: Write<Value, Result>,
): (value: Value) => Promise<Result> {
  const small = createQueue(write);
  const large = createQueue(write);
  return async value => {
    const row = { value, json: encode(value) };
    return await (row.json.length < LARGE_LENGTH ? small(row) : large(row));
  };
}

/** The rows as one JSON text. */
export function jsonArrayOf(rows: readonly Row<unknown>[]): string {
  return `[${rows.map(row => row.json).join(',')}]`;
}

interface Waiting<Value, Result> {
  readonly row: Row<Value>;
  readonly done: PromiseWithResolvers<Result>;
}

function createQueue<Value, Result>(write: Write<Value, Result>): (row: Row<Value>) => Promise<Result> {
  let waiting: Waiting<Value, Result>[] = [];
  let busy = false;
  // A flush writes for many callers: it must not run in the context of the one who happened to come first.
  const outside = AsyncLocalStorage.snapshot();

  async function flush(): Promise<void> {
    busy = true;
    // Those that come in the same turn go together.
    await null;
    while (waiting.length > 0) {
      const count = countOfNext(waiting);
      const batch = waiting.slice(0, count);
      waiting = waiting.slice(count);
      const results = await writeApart(
        batch.map(({ row }) => row),
        write,
      );
      for (const [index, { done }] of batch.entries()) {
        const result = results[index]!;
        if (result instanceof Error) done.reject(result);
        else done.resolve(result);
      }
    }
    busy = false;
  }

  return row => {
    const done = Promise.withResolvers<Result>();
    waiting.push({ row, done });
    if (!busy) void outside(flush);
    return done.promise;
  };
}

/** How many of the first rows make up the next statement: at least one. */
function countOfNext(waiting: readonly { readonly row: Row<unknown> }[]): number {
  let length = 0;
  for (const [index, { row }] of waiting.entries()) {
    length += row.json.length;
    if (index > 0 && (index === MAX_ROWS || length > MAX_LENGTH)) return index;
  }
  return waiting.length;
}

/** Writes the rows together; when one of them makes the statement fail, each half by itself, until it stands alone. */
async function writeApart<Value, Result>(
  rows: readonly Row<Value>[],
  write: Write<Value, Result>,
): Promise<(Result | Error)[]> {
  try {
    return await writeThroughDeadlocks(rows, write);
  } catch (error) {
    if (rows.length === 1 || !blamesRow(error)) return rows.map(() => asError(error));
    const middle = rows.length >> 1;
    return [
      ...(await writeApart(rows.slice(0, middle), write)),
      ...(await writeApart(rows.slice(middle), write)),
    ];
  }
}

async function writeThroughDeadlocks<Value, Result>(
  rows: readonly Row<Value>[],
  write: Write<Value, Result>,
): Promise<(Result | Error)[]> {
  for (let tries = 1; ; tries++) {
    try {
      return await write(rows);
    } catch (error) {
      if (tries === TRIES || !['40001', '40P01'].includes(sqlStateOf(error))) throw error;
    }
  }
}

/**
 * Whether the database refused what a row says (wrong data, a broken constraint, a value beyond its limits), so that
 * the others can be written without it. Not so when it cannot be reached or has no room: then all would fail again.
 */
function blamesRow(error: unknown): boolean {
  return ['21', '22', '23', '54'].includes(sqlStateOf(error).slice(0, 2));
}

function sqlStateOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
