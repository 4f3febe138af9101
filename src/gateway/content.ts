// Deleting what was said in requests: when its time has come, at its owner's word, or with a deleted user. The store does it
// first, and then whatever else holds some of it: a crash in between leaves what lasts for minutes only.

import type { Actor } from '../domain/access.ts';
import { DomainError } from '../domain/errors.ts';
import { toGlobalId } from '../domain/ids.ts';
import { isTerminal, type ModelRequest } from '../domain/request.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Signals } from '../events/signals.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import type { Gateway } from './gateway.ts';
import { type Ownership, requestEvent } from './ownership.ts';

/** How often it is looked for what is due. */
const CHECK_MS = 30_000;
/** With a retention of no days: for subscribers who are still reading the answer. */
export const READING_GRACE_MS = 60_000;
const DAY_MS = 86_400_000;
const BATCH = 100;
/** Requests of a user who is being deleted that are cancelled at a time. */
const CANCELS_AT_ONCE = 20;

export type Content = Pick<Gateway, 'deleteContent' | 'deleteContentOf' | 'expireContent'> & {
  /** After each heartbeat: looks now and then for what is due. Does not wait for it. */
  review(): void;
};

interface ContentDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly signals: Signals;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  /** Days after the end of a request; absent: for ever. */
  readonly contentRetentionDays?: number | undefined;
}

interface Parts extends Pick<Ownership, 'toDelete'> {
  readonly cancel: (request: ModelRequest) => Promise<void>;
}

export function createContent(deps: ContentDeps, { toDelete, cancel }: Parts): Content {
  const { store, events, signals, clock, log, contentRetentionDays: days } = deps;
  const { content } = store;
  let nextCheckMs = Number.NEGATIVE_INFINITY;
  let isBusy = false;

  /** Other instances may hold the events of what has just ended. */
  function forget(requestIds: readonly string[]): void {
    events.forget(requestIds);
    for (const requestId of requestIds) signals.send({ type: 'content-deleted', requestId });
  }

  async function expireContent(): Promise<number> {
    if (days === undefined) return 0;
    const afterMs = Math.max(days * DAY_MS, READING_GRACE_MS);
    for (let count = 0; ; ) {
      const deleted = await content.expire(afterMs, BATCH);
      events.forget(deleted);
      count += deleted.length;
      if (deleted.length < BATCH) return count;
    }
  }

  async function deleteEnded(userId: string): Promise<void> {
    for (let after: string | undefined; ; ) {
      const deleted = await content.deleteOf(userId, after, BATCH);
      forget(deleted);
      if (deleted.length < BATCH) return;
      after = deleted.at(-1);
    }
  }

  async function cancelAll(userId: string): Promise<void> {
    const filter = { userId, status: ['QUEUED', 'RUNNING'] } as const;
    for (let after: string | undefined; ; ) {
      const page = await store.requests.page(filter, { first: CANCELS_AT_ONCE, after });
      await Promise.all(page.rows.map(cancel));
      after = page.rows.at(-1)?.id;
      if (!page.hasNextPage) return;
    }
  }

  async function deleteContentOf(userId: string): Promise<void> {
    await cancelAll(userId);
    await deleteEnded(userId);
  }

  async function doWhatIsDue(): Promise<void> {
    await expireContent();
    const leaving = await content.leavingUsers();
    for (const userId of leaving) await deleteContentOf(userId);
    await content.settleUsers(leaving);
  }

  return {
    async deleteContent(actor, requestId) {
      const request = await toDelete(actor, requestId);
      if (request.contentDeletedAt) return request;
      await refuseUnended(request, store);
      const deleted = await store.transaction(inside => deleteOne(inside, actor, request, clock));
      forget(deleted);
      return (await store.requests.byIds([requestId]))[0] ?? request;
    },
    deleteContentOf,
    expireContent,
    review() {
      if (isBusy || clock.monotonic() < nextCheckMs) return;
      isBusy = true;
      nextCheckMs = clock.monotonic() + CHECK_MS;
      doWhatIsDue()
        .catch(error => log.warn({ error }, 'what is due to be deleted is deleted later'))
        .finally(() => {
          isBusy = false;
        });
    },
  };
}

/** What runs needs its content, and a workflow that of its steps; its results are theirs. */
async function refuseUnended(request: ModelRequest, { workflows }: Store): Promise<void> {
  if (request.parentId !== undefined) {
    const workflow = toGlobalId('request', request.parentId);
    throw new DomainError(
      'CONFLICT',
      `The request is a step: delete the content of its workflow, ${workflow}.`,
    );
  }
  if (!isTerminal(request.status))
    throw new DomainError('CONFLICT', 'The request has not ended. Cancel it first, or wait.');
  if (request.taskType === 'WORKFLOW' && (await workflows.unfinishedRequests(request.id)).length > 0)
    throw new DomainError('CONFLICT', 'Steps of the workflow have not ended yet. Try again in a moment.', {
      retryAfterMs: 1_000,
    });
}

async function deleteOne(
  inside: Store,
  actor: Actor,
  { id, userId }: ModelRequest,
  clock: Clock,
): Promise<string[]> {
  const deleted = await inside.content.delete(id);
  if (deleted.length > 0 && userId !== actor.userId)
    await inside.audit.append(requestEvent('request.deleteContent', actor, { id, userId }, clock.now()));
  return deleted;
}
