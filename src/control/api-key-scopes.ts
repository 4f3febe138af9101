// What a new API key may be for. Whoever acts with a key hands on no more than that key has.

import { type Actor, API_KEY_SCOPES, type ApiKeyScope, hasScope } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';

/** The scopes of a key to be, each once and in their order; undefined: everything that its owner's role allows. */
export function parseScopes(
  actor: Actor,
  wished: readonly ApiKeyScope[] | undefined,
): readonly ApiKeyScope[] | undefined {
  if (wished === undefined) return actor.credential.scopes;
  if (wished.length === 0) throw badInput('scopes', 'must name at least one scope, or be left out');
  refuseWider(actor, wished);
  return API_KEY_SCOPES.filter(scope => wished.includes(scope));
}

/** Throws FORBIDDEN when a key with these scopes may more than the one the actor came with. */
export function refuseWider(actor: Actor, scopes: readonly ApiKeyScope[] = ['ADMIN']): void {
  const missing = scopes.filter(scope => !hasScope(actor, [scope]));
  if (missing.length === 0) return;
  throw new DomainError(
    'FORBIDDEN',
    `This API key lacks the scope ${missing.join(', ')}, which it cannot give to another.`,
  );
}
