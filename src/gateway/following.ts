// Reading along: one request's events from any cursor, and requests as they change.
// The log answers while it can; what it no longer holds is told from the store.

import { type Actor, can } from '../domain/access.ts';
import { badInput, DomainError } from '../domain/errors.ts';
import { isTerminal, type ModelRequest } from '../domain/request.ts';
import {
  formatCursor,
  isLast,
  type LoggedEvent,
  type Position,
  parseCursor,
  type StreamEvent,
} from '../domain/stream.ts';
import type { EventLog } from '../events/event-log.ts';
import { cancellable } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import type { RequestFilter, Store } from '../store/store.ts';
import type { OverheadMeter } from '../telemetry/overhead.ts';
import type { FollowedEvent, Gateway } from './gateway.ts';
import type { Moments } from './moments.ts';
import { replay } from './replay.ts';
import type { RequestNews } from './request-news.ts';

/** A request whose log is nowhere to be read is asked after this often, if nobody says sooner that it changed. */
const POLL_MS = 500;

interface FollowingDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly news: RequestNews;
  readonly visible: (actor: Actor, requestId: string) => Promise<ModelRequest | undefined>;
  /** Of a request that runs here. */
  readonly momentsOf: (requestId: string) => Moments | undefined;
  readonly clock: Clock;
  readonly overhead?: OverheadMeter | undefined;
}

export function createFollowing({
  store,
  events,
  news,
  visible,
  momentsOf,
  clock,
  overhead,
}: FollowingDeps): Pick<Gateway, 'follow' | 'feed'> {
  /** What follows in the story of a request that has ended, from the store. */
  async function* told(request: ModelRequest, after: Position | undefined): AsyncGenerator<FollowedEvent> {
    const [[body], [attempts]] = await Promise.all([
      store.requests.bodiesByIds([request.id]),
      store.requests.attemptsByIds([request.id]),
    ]);
    for (const logged of replay(request, body?.output, attempts ?? [], after))
      yield new Followed(request.id, logged);
  }

  /** The log may end without a last event, when the request was taken from its writer: the store knows the end. */
  async function* eventsOf(
    known: ModelRequest,
    { after, moments }: { readonly after: Position | undefined; readonly moments: Moments | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<FollowedEvent> {
    const { id: requestId } = known;
    if (isTerminal(known.status) && !events.holdsRest(requestId, after)) return yield* told(known, after);
    let last = after;
    let isAwaited = moments !== undefined && moments.appendedAtMs === undefined;
    while (!signal.aborted) {
      for await (const logged of events.follow(requestId, last, signal) ?? []) {
        yield new Followed(requestId, logged);
        // The first token, and it is sent: else the next event would not be asked for.
        if (isAwaited && logged.event.type === 'token') {
          isAwaited = false;
          if (moments?.appendedAtMs !== undefined)
            overhead?.spent('delivery', clock.monotonic() - moments.appendedAtMs);
        }
        if (isLast(logged.event)) return;
        last = logged.position;
      }
      if (signal.aborted) return;
      const [request] = await store.requests.byIds([requestId]);
      if (!request) return;
      if (isTerminal(request.status)) return yield* told(request, last);
      await news.next(requestId, POLL_MS, signal);
    }
  }

  return {
    async follow(actor, requestId, after) {
      const request = await visible(actor, requestId);
      if (!request) throw new DomainError('NOT_FOUND', 'There is no such request.');
      const position = after === undefined ? undefined : parseCursor(requestId, after);
      if (after !== undefined && !position) throw badInput('after', 'is not a cursor of this request');
      const moments = momentsOf(requestId);
      return cancellable(signal => eventsOf(request, { after: position, moments }, signal));
    },
    feed(actor, filter) {
      const userId = can(actor, 'request:read-any') ? filter.userId : actor.userId;
      async function* matching(requests: AsyncIterable<ModelRequest>) {
        for await (const request of requests) if (matches(request, { ...filter, userId })) yield request;
      }
      // Subscribed here and not at the first pull: what changes in between is not missed.
      return cancellable(signal => matching(news.subscribe(signal)));
    },
  };
}

/** Its cursor is made when somebody asks for it. */
class Followed implements FollowedEvent {
  readonly requestId: string;
  readonly event: StreamEvent;
  readonly #position: Position;

  constructor(requestId: string, { event, position }: LoggedEvent) {
    this.requestId = requestId;
    this.event = event;
    this.#position = position;
  }

  get cursor(): string {
    return formatCursor(this.requestId, this.#position);
  }
}

/** The conditions of a filter that can be judged without the database; `text` cannot, and is left to `requests`. */
function matches(request: ModelRequest, filter: RequestFilter): boolean {
  const among = <T>(values: readonly T[] | undefined, value: T | undefined) =>
    values === undefined || (value !== undefined && values.includes(value));
  const models = [request.requestedModel, request.servedModel, request.deploymentId];
  return (
    (filter.userId === undefined || request.userId === filter.userId) &&
    among(filter.status, request.status) &&
    among(filter.taskType, request.taskType) &&
    among(filter.providerId, request.providerId) &&
    (filter.model === undefined ||
      models.some(model => model !== undefined && filter.model!.includes(model))) &&
    (filter.createdFrom === undefined || request.createdAt >= filter.createdFrom) &&
    (filter.createdTo === undefined || request.createdAt < filter.createdTo)
  );
}
