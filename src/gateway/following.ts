// Reading along: one request's events from any cursor, and requests as they change.
// The log answers while it can; what it no longer holds is told from the store.

import { authorize, can } from '../domain/access.ts';
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
import { stepsInOrder } from '../domain/workflow.ts';
import type { EventLog } from '../events/event-log.ts';
import { cancellable } from '../lib/abort.ts';
import type { Clock } from '../lib/clock.ts';
import { InTurn, OVER } from '../lib/reader.ts';
import type { RequestFilter, Store } from '../store/store.ts';
import type { OverheadMeter } from '../telemetry/overhead.ts';
import type { FollowedEvent, Gateway, SubmittedEvent } from './gateway.ts';
import type { Moments } from './moments.ts';
import type { Ownership } from './ownership.ts';
import { replay, replaySteps } from './replay.ts';
import type { RequestNews } from './request-news.ts';

/** A request whose log is nowhere to be read is asked after this often, if nobody says sooner that it changed. */
const POLL_MS = 500;
/** One that waits for people; all who follow such requests look at the same time, and so together. */
const PARKED_POLL_MS = 5_000;

interface FollowingDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly news: RequestNews;
  readonly visible: Ownership['visible'];
  readonly noteReading: Ownership['noteReading'];
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
  noteReading,
  momentsOf,
  clock,
  overhead,
}: FollowingDeps): Pick<Gateway, 'follow' | 'feed' | 'endings'> & {
  /** Whoever asks, from the beginning on. */
  open(request: ModelRequest): AsyncIterableIterator<FollowedEvent>;
  /** The same behind the event that it was accepted. */
  openAccepted(request: ModelRequest): AsyncIterableIterator<SubmittedEvent>;
} {
  const told = (request: ModelRequest, after: Position | undefined) => tell(request, after, store);

  /** The log ended without a last event, when the request was taken from its writer: the store knows the end. */
  async function* rest(
    requestId: string,
    after: Position | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<FollowedEvent> {
    let last = after;
    while (!signal.aborted) {
      const [request] = await store.requests.byIds([requestId]);
      if (!request) return;
      if (isTerminal(request.status)) return yield* told(request, last);
      if (request.isParked && !knowsAll(last, request)) {
        yield* told(request, last);
        last = endOf(request);
      }
      const pollMs = request.isParked ? PARKED_POLL_MS - (clock.monotonic() % PARKED_POLL_MS) : POLL_MS;
      await news.next(requestId, pollMs, signal);
      for await (const logged of events.follow(requestId, last, signal) ?? []) {
        yield new Followed(requestId, logged);
        if (isLast(logged.event)) return;
        last = logged.position;
      }
    }
  }

  const waysOn: WaysOn = {
    rest: (requestId, after) => cancellable(signal => rest(requestId, after, signal)),
    delivered({ appendedAtMs }) {
      if (appendedAtMs !== undefined) overhead?.spent('delivery', clock.monotonic() - appendedAtMs);
    },
  };

  function open(request: ModelRequest, position: Position | undefined): AsyncIterableIterator<FollowedEvent> {
    const { id } = request;
    const isDeleted = request.contentDeletedAt !== undefined;
    if (isTerminal(request.status) && (isDeleted || !events.holdsRest(id, position)))
      return cancellable(() => told(request, position));
    const log = events.follow(id, position);
    if (!log) return waysOn.rest(id, position);
    const moments = momentsOf(id);
    return new Following(log, waysOn, {
      requestId: id,
      after: position,
      awaited: moments?.appendedAtMs === undefined ? moments : undefined,
    });
  }

  return {
    async follow(actor, requestId, after) {
      authorize(actor, 'request:read');
      const request = await visible(actor, requestId);
      if (!request) throw new DomainError('NOT_FOUND', 'There is no such request.');
      const position = after === undefined ? undefined : parseCursor(requestId, after);
      if (after !== undefined && !position) throw badInput('after', 'is not a cursor of this request');
      await noteReading(actor, request);
      return open(request, position?.sequence === 0 ? undefined : position);
    },
    open: request => open(request, undefined),
    openAccepted: request => new Accepted(request, () => open(request, undefined)),
    feed(actor, filter) {
      authorize(actor, 'request:read');
      const userId = can(actor, 'request:read-any') ? filter.userId : actor.userId;
      const visible = { ...filter, userId };
      return news.subscribe(request => matches(request, visible));
    },
    endings(actor) {
      authorize(actor, 'metrics:read');
      return news.subscribe(({ status }) => isTerminal(status));
    },
  };
}

/** Of a request that has ended or is parked: the place of its last event. */
function endOf({ epoch, lastSequence = 1 }: ModelRequest): Position {
  return { epoch, sequence: lastSequence, offset: 0 };
}

function knowsAll(seen: Position | undefined, request: ModelRequest): boolean {
  return seen?.epoch === request.epoch && seen.sequence >= endOf(request).sequence;
}

/** What follows in the story of a request that has ended, or is parked, from the store. */
async function* tell(
  request: ModelRequest,
  after: Position | undefined,
  store: Store,
): AsyncGenerator<FollowedEvent> {
  const [[body], [attempts]] = await Promise.all([
    store.requests.bodiesByIds([request.id]),
    store.requests.attemptsByIds([request.id]),
  ]);
  if (body?.spec.workflow) {
    const [[run], [steps]] = await Promise.all([
      store.workflows.specsByIds([request.id]),
      store.workflows.stepsByIds([request.id]),
    ]);
    const inOrder = stepsInOrder(run?.spec ?? body.spec.workflow, steps ?? []);
    for (const logged of replaySteps(request, inOrder, after)) yield new Followed(request.id, logged);
    return;
  }
  for (const logged of replay(request, body?.output, attempts ?? [], after))
    yield new Followed(request.id, logged);
}

/** What the followers of all requests share. */
interface WaysOn {
  /** What follows in the story of a request whose log has ended without a last event, or is not to be had. */
  rest(requestId: string, after: Position | undefined): AsyncIterableIterator<FollowedEvent>;
  /** The first token has been sent. */
  delivered(moments: Moments): void;
}

/** One subscriber of one request: the log's events, then the rest. */
class Following extends InTurn<LoggedEvent, FollowedEvent> {
  readonly #waysOn: WaysOn;
  readonly #requestId: string;
  #last: Position | undefined;
  #isComplete = false;
  /** Of a request that has no token yet. */
  #awaited: Moments | undefined;
  #isTokenGiven = false;

  constructor(
    log: AsyncIterator<LoggedEvent>,
    waysOn: WaysOn,
    of: {
      readonly requestId: string;
      readonly after: Position | undefined;
      readonly awaited: Moments | undefined;
    },
  ) {
    super(log);
    this.#waysOn = waysOn;
    this.#requestId = of.requestId;
    this.#last = of.after;
    this.#awaited = of.awaited;
  }

  override next(): Promise<IteratorResult<FollowedEvent, undefined>> {
    // The first token is sent: else the next event would not be asked for.
    if (this.#isTokenGiven && this.#awaited) {
      this.#waysOn.delivered(this.#awaited);
      this.#awaited = undefined;
    }
    return super.next();
  }

  protected given(logged: LoggedEvent): FollowedEvent {
    this.#last = logged.position;
    this.#isComplete = isLast(logged.event);
    if (this.#awaited && logged.event.type === 'token') this.#isTokenGiven = true;
    return new Followed(this.#requestId, logged);
  }

  protected rest(): AsyncIterator<FollowedEvent> | undefined {
    return this.#isComplete ? undefined : this.#waysOn.rest(this.#requestId, this.#last);
  }
}

/** Before the first event of any epoch. */
const BEGINNING: Position = { epoch: 0, sequence: 0, offset: 0 };

/** That the request was accepted, then what follows. */
class Accepted extends InTurn<SubmittedEvent> {
  readonly #open: () => AsyncIterator<FollowedEvent>;

  constructor({ id }: ModelRequest, open: () => AsyncIterator<FollowedEvent>) {
    super(once(new Followed(id, { event: { type: 'accepted' }, position: BEGINNING })));
    this.#open = open;
  }

  protected given(first: SubmittedEvent): SubmittedEvent {
    return first;
  }

  protected rest(): AsyncIterator<FollowedEvent> {
    return this.#open();
  }
}

function once<T>(value: T): AsyncIterator<T, undefined> {
  let isGiven = false;
  return {
    async next() {
      if (isGiven) return OVER;
      isGiven = true;
      return { done: false, value };
    },
  };
}

/** Its cursor is made when somebody asks for it. */
class Followed<Event extends SubmittedEvent['event'] = StreamEvent> {
  readonly requestId: string;
  readonly event: Event;
  readonly #position: Position;

  constructor(
    requestId: string,
    { event, position }: { readonly event: Event; readonly position: Position },
  ) {
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
  const isOf = (model: string | undefined) => model !== undefined && filter.model!.includes(model);
  return (
    (filter.userId === undefined || request.userId === filter.userId) &&
    (filter.parentId === undefined || (request.parentId ?? null) === filter.parentId) &&
    among(filter.status, request.status) &&
    among(filter.taskType, request.taskType) &&
    among(filter.providerId, request.providerId) &&
    (filter.model === undefined ||
      isOf(request.requestedModel) ||
      isOf(request.servedModel) ||
      isOf(request.deploymentId)) &&
    (filter.createdFrom === undefined || request.createdAt >= filter.createdFrom) &&
    (filter.createdTo === undefined || request.createdAt < filter.createdTo)
  );
}
