// Statements that Postgres parses and plans once for each connection. Kysely sends every statement unnamed, which is
// parsed and planned anew each time; one that begins with a name in a comment is sent under that name. Embedded PGlite
// takes the comment for a comment.

import { type RawBuilder, sql } from 'kysely';

const NAMED = /^\/\* prepared: (\w+) \*\//;

/** Begins a statement whose text is the same at every call. A name stands for one text. */
export function prepared(name: string): RawBuilder<unknown> {
  return sql.raw(`/* prepared: ${name} */`);
}

/** Undefined: it is not to be prepared. */
export function nameOf(statement: string): string | undefined {
  return NAMED.exec(statement)?.[1];
}
