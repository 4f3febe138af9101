// Every text parameter passes here on its way to the database, so that none can hold what Postgres refuses.

import { PostgresQueryCompiler, type QueryCompiler } from 'kysely';
import { storableText } from './json.ts';

class StorableTextCompiler extends PostgresQueryCompiler {
  protected override appendValue(parameter: unknown): void {
    super.appendValue(storable(parameter));
  }
}

export function createStorableTextCompiler(): QueryCompiler {
  return new StorableTextCompiler();
}

function storable(parameter: unknown): unknown {
  if (typeof parameter === 'string') return storableText(parameter);
  return Array.isArray(parameter) ? parameter.map(storable) : parameter;
}
