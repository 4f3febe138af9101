// What a resolver can reach. Made anew for every operation, also for each operation of one WebSocket:
// caches and the authorisation's own flags hang on this object.

import type { Members } from '../control/members.ts';
import type { StoredProviders } from '../control/stored-providers.ts';
import type { Actor } from '../domain/access.ts';
import { DomainError } from '../domain/errors.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { Store } from '../store/store.ts';
import type { Workflows } from '../workflows/workflows.ts';

export interface Context {
  readonly gateway: Gateway;
  readonly workflows: Workflows;
  readonly members: Members;
  readonly storedProviders: StoredProviders;
  /** For batch reads, pages and figures; whatever changes something goes through one of the others. */
  readonly store: Store;
  /** Null when the operation came without a valid credential. */
  readonly actor: Actor | null;
  /** Network address of the client, for the limits of the login. */
  readonly address: string;
  /** Counts further operations in the caller's request rate, for one that is more work than others. */
  readonly charge?: ((actor: Actor | null, address: string, operations: number) => void) | undefined;
  /** The most an operation may cost; see cost.ts. Absent: DEFAULT_MAX_QUERY_COST. */
  readonly maxQueryCost?: number | undefined;
  /** Bytes of prompts and answers that an operation may read; see request-texts.ts. Absent: DEFAULT_MAX_TEXT_BYTES. */
  readonly maxTextBytes?: number | undefined;
}

/** The actor of an operation that needs one. The directives refuse earlier; this is the second lock. */
export function actorOf(context: Context): Actor {
  if (!context.actor) throw new DomainError('UNAUTHENTICATED', 'This needs a valid token or API key.');
  return context.actor;
}
