// Statements that Postgres parses and plans once for each connection. Kysely sends every statement unnamed, which is
// parsed and planned anew each time; one that begins with a name in a comment is sent under that name. Embedded PGlite
// takes the comment for a comment.

import { type RawBuilder, sql } from 'kysely';
import type { PoolClient } from 'pg';

const NAMED = /^\/\* prepared: (\w+) \*\//;

/** Begins a statement whose text is the same at every call. A name stands for one text. */
export function prepared(name: string): RawBuilder<unknown> {
  return sql.raw(`/* prepared: ${name} */`);
}

/** Makes a new connection send named statements as prepared ones. */
export function prepareNamed(client: PoolClient): void {
  const send = client.query.bind(client) as (...parameters: unknown[]) => unknown;
  const sendNamed = (query: unknown, values?: unknown, ...others: unknown[]) => {
    const name = typeof query === 'string' ? NAMED.exec(query)?.[1] : undefined;
    return name === undefined
      ? send(query, values, ...others)
      : send({ name, text: query, values }, ...others);
  };
  client.query = sendNamed as typeof client.query;
}
