// Whose requests a caller reaches: one's own, or with the permission anybody's. Whoever reads or cancels what is
// somebody else's leaves a trace in the audit log, and it is written before anything is shown or done.

import { LRUCache } from 'lru-cache';
import { type Actor, authorize, can, type Permission } from '../domain/access.ts';
import { type AuditEvent, auditEvent } from '../domain/audit.ts';
import { DomainError } from '../domain/errors.ts';
import { toGlobalId } from '../domain/ids.ts';
import { isTerminal, type ModelRequest } from '../domain/request.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Gateway } from './gateway.ts';

/** Whoever reads on is noted again after an hour. */
const NOTED_FOR_MS = 3_600_000;
/** Beyond it the oldest are forgotten, and noted again when they are read. */
const MAX_NOTED = 20_000;

export interface Ownership extends Pick<Gateway, 'noteReading'> {
  /** Undefined when there is none to see. */
  visible(actor: Actor, requestId: string): Promise<ModelRequest | undefined>;
  /** The one to cancel. NOT_FOUND when there is none that the actor may cancel. */
  toCancel(actor: Actor, requestId: string): Promise<ModelRequest>;
  /** The same for one whose content is to be deleted. */
  toDelete(actor: Actor, requestId: string): Promise<ModelRequest>;
}

interface OwnershipDeps {
  readonly store: Store;
  readonly clock: Clock;
  /** As it stands now, wherever it is. */
  readonly find: (requestId: string) => Promise<ModelRequest | undefined>;
}

type Owned = Pick<ModelRequest, 'id' | 'userId'>;

export function createOwnership({ store, clock, find }: OwnershipDeps): Ownership {
  const noted = new LRUCache<string, Reading>({ max: MAX_NOTED });
  const write = createBatches(store);

  async function reach(actor: Actor, requestId: string, forAny: Permission) {
    const request = await find(requestId);
    return request && (request.userId === actor.userId || can(actor, forAny)) ? request : undefined;
  }

  async function reachOrRefuse(actor: Actor, requestId: string, forAny: Permission) {
    const request = await reach(actor, requestId, forAny);
    if (!request) throw new DomainError('NOT_FOUND', 'There is no such request.');
    return request;
  }

  return {
    visible: (actor, requestId) => reach(actor, requestId, 'request:read-any'),
    async toCancel(actor, requestId) {
      authorize(actor, 'request:cancel');
      const request = await reachOrRefuse(actor, requestId, 'request:cancel-any');
      if (request.userId !== actor.userId && !isTerminal(request.status))
        await store.audit.append(requestEvent('request.cancel', actor, request, clock.now()));
      return request;
    },
    async toDelete(actor, requestId) {
      authorize(actor, 'request:delete-content');
      return reachOrRefuse(actor, requestId, 'request:delete-content-any');
    },
    noteReading(actor, request) {
      if (request.userId === actor.userId) return undefined;
      const key = `${actor.userId} ${request.id}`;
      const known = noted.get(key);
      if (known && clock.monotonic() - known.atMs < NOTED_FOR_MS) return known.pending;
      const reading: Reading = { atMs: clock.monotonic(), pending: undefined };
      noted.set(key, reading);
      reading.pending = write(requestEvent('request.read', actor, request, clock.now())).then(
        () => {
          reading.pending = undefined;
        },
        error => {
          if (noted.peek(key) === reading) noted.delete(key);
          throw error;
        },
      );
      return reading.pending;
    },
  };
}

/** What the audit log keeps of an act on a request of somebody else. */
export function requestEvent(action: string, actor: Actor, { id, userId }: Owned, nowMs: number): AuditEvent {
  return auditEvent({ action, actor, subject: toGlobalId('request', id), data: { userId } }, nowMs);
}

interface Reading {
  readonly atMs: number;
  /** While it is being written. */
  pending: Promise<void> | undefined;
}

/** Writes what comes in one turn together: the rows of a page are read at once. */
function createBatches({ audit }: Store): (event: AuditEvent) => Promise<void> {
  let batch: { readonly events: AuditEvent[]; readonly written: Promise<void> } | undefined;
  async function write(events: readonly AuditEvent[]): Promise<void> {
    await new Promise<void>(resolve => setImmediate(resolve));
    batch = undefined;
    await audit.appendAll(events);
  }
  return event => {
    if (!batch) {
      const events: AuditEvent[] = [];
      batch = { events, written: write(events) };
    }
    batch.events.push(event);
    return batch.written;
  };
}
