// Preloaded into a server under test (`node --import`): ends its process, as kill -9 does, at a statement of its
// database. CRASH_AT says at which; nothing of this is in the product.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** How the statements of a request's life are recognised. */
const STATEMENTS = {
  accept: /insert into requests \(/,
  claim: /set status = 'RUNNING', owner = /,
  route: /update requests set deployment_id = choice/,
  book: /update requests set deployment_id = batch/,
  finish: /insert into request_results/,
  recover: /with dead as/,
  /** How far the steps of a workflow have come. */
  advance: /insert into workflow_steps as held/,
} as const;

export interface CrashPoint {
  readonly statement: keyof typeof STATEMENTS;
  /** `during`: on Postgres it is sent and its answer does not come; embedded its first write to a file is torn. */
  readonly when: 'before' | 'during' | 'after';
  /** From the first statement on that carries this text; absent: from the start. */
  readonly since?: string;
}

type Query = (this: unknown, ...parameters: unknown[]) => unknown;

const point: CrashPoint = JSON.parse(process.env.CRASH_AT!);
let armed = point.since === undefined;
let tearsNextWrite = false;

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

/** What the parameters of a statement say; arrays in the binary format hold their texts as they are. */
function textOf(parameters: unknown): string {
  const texts = [parameters ?? []]
    .flat()
    .map(each => (each instanceof Uint8Array ? Buffer.from(each) : each))
    .map(each => (typeof each === 'object' && !Buffer.isBuffer(each) ? JSON.stringify(each) : String(each)));
  return texts.join(' ');
}

/** The same query, which does not survive the statement. */
function mortal(query: Query, isEmbedded: boolean): Query {
  return function (...parameters) {
    const [statement, values] = parameters as [string | { text?: string; values?: unknown }, unknown];
    const text = typeof statement === 'string' ? statement : (statement.text ?? '');
    const carried = typeof statement === 'string' ? values : statement.values;
    armed ||= textOf(carried).includes(point.since!);
    if (!armed || !STATEMENTS[point.statement].test(text)) return query.apply(this, parameters);
    if (point.when === 'before') die();
    if (isEmbedded && point.when === 'during') tearsNextWrite = true;
    // It is on the wire then; whether it is carried out the dead will not know.
    if (!isEmbedded && point.when === 'during') setImmediate(die);
    // Postgres' client tells a callback of the answer, the embedded database a promise.
    if (typeof parameters.at(-1) === 'function') return query.call(this, ...parameters.slice(0, -1), die);
    return (query.apply(this, parameters) as Promise<unknown>).then(die);
  };
}

if (process.env.DATABASE_URL) {
  const { default: pg } = await import('pg');
  pg.Client.prototype.query = mortal(pg.Client.prototype.query as Query, false) as never;
} else {
  const { PGlite } = await import('@electric-sql/pglite');
  const { query, transaction } = PGlite.prototype;
  PGlite.prototype.query = mortal(query as Query, true) as never;
  PGlite.prototype.transaction = function (work) {
    return transaction.call(this, inside => {
      inside.query = mortal(inside.query as Query, true) as never;
      return work(inside);
    }) as never;
  };
  const { writeSync } = fs;
  fs.writeSync = ((...parameters: [number, Uint8Array, number, number, number]) => {
    if (!tearsNextWrite) return writeSync(...parameters);
    const [file, bytes, offset, length, position] = parameters;
    // The kernel copies page by page, and a process may end between two of them.
    writeSync(file, bytes, offset, length >> 1, position);
    die();
  }) as typeof writeSync;
  syncBuiltinESMExports();
}
