// Ids that callers hand in, for what is changed by them.

import { DomainError } from '../domain/errors.ts';
import { type IdKind, idOf } from '../domain/ids.ts';

/** The inner id; what is no id of this kind is answered like the id of nothing. */
export function requireId(kind: IdKind, globalId: string, message = 'Nothing has this id.'): string {
  const id = idOf(kind, globalId);
  if (id === undefined) throw new DomainError('NOT_FOUND', message);
  return id;
}
