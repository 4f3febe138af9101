// From the queue into the hands of this process: claimed rows become requests that run. Also what the heartbeat finds
// out about them: wishes to cancel, and rows that the database counts as ours and that nobody here holds.

import { lastNumberOf, type ModelRequest, requestError } from '../domain/request.ts';
import type { EventLog } from '../events/event-log.ts';
import type { Clock } from '../lib/clock.ts';
import type { CallerLimits } from '../limits/limits.ts';
import type { HeldRequest, Store } from '../store/store.ts';
import type { ActiveRequests } from './active-requests.ts';
import type { Admission } from './admission.ts';
import type { Active } from './execution.ts';
import { createMoments } from './moments.ts';
import type { Planning } from './planning.ts';
import type { RequestNews } from './request-news.ts';

/** What subscribers are told when another instance takes a request over. */
const TAKEN_OVER = 'The instance that ran the request stopped; the answer is begun again.';
const TAKEN_UP = 'The workflow is taken up again; the results of its steps are told again.';
const CANCELLED = requestError('CANCELLED', 'The request was cancelled while it waited.');

export interface Queue {
  /** Claims up to `limit` of those that wait for their turn and runs them; resolves with how many. */
  take(limit: number): Promise<number>;
  /** Ends a request that waits; false: it does not (any more). */
  cancel(requestId: string): Promise<boolean>;
  /** After each heartbeat: cancels, gives back what fell between two stools, and looks how many wait. */
  review(): Promise<void>;
}

interface QueueDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly admission: Admission;
  readonly limits?: CallerLimits | undefined;
  readonly planning: Planning;
  readonly news: Pick<RequestNews, 'hint'>;
  readonly clock: Clock;
  readonly owner: () => string;
  readonly maxQueued: number;
  /** A request with which so many instances have died is not run again. */
  readonly maxDeaths: number;
  readonly log: { warn(fields: object, message: string): void };
}

export function createQueue(deps: QueueDeps, active: ActiveRequests): Queue {
  const { store, admission, owner, log } = deps;
  /** Rows that were found without a holder at the last review; the second time they are given back. */
  let strays = new Set<string>();
  /** Claimed, and about to run. */
  const taking = new Set<string>();
  const obey = createObedience(active, deps.news);

  /** Runs it, unless its own acceptance here ends in a refusal: then nobody waits for it. */
  function begin(entry: Active): void {
    const { id } = entry.request;
    const told = active.arriving.get(id);
    const settle = (isTold: boolean) => {
      if (isTold) return active.add(entry);
      admission.leave();
      void active.disown(entry);
    };
    if (told !== undefined) void told.then(settle);
    else settle(!active.disowned(id));
  }

  async function take(limit: number): Promise<number> {
    const claimant = owner();
    const claimed = await store.queue.claim(claimant, limit, Math.max(1, deps.maxDeaths - 1));
    const ids = claimed.map(request => request.id);
    for (const id of ids) taking.add(id);
    try {
      // A workflow that was parked a moment ago, or what was lost, may come back before it has quite left.
      for (const id of ids) await active.gone(id);
      const entries = await read(claimed, deps);
      const choices = entries.flatMap(({ request: { id }, spec, decision: { chosen } }) =>
        chosen === undefined || spec.workflow ? [] : [{ id, deploymentId: chosen }],
      );
      // Without it a crash leaves no trace of the call in the ledger; that is no reason not to make the call.
      await store.queue
        .routed(choices)
        .catch(error => log.warn({ error }, 'choices of routing were not noted'));
      // Declared dead meanwhile: they have been given to others.
      if (owner() !== claimant) return 0;
      for (const entry of entries) begin(entry);
      return entries.length;
    } finally {
      for (const id of ids) taking.delete(id);
    }
  }

  /** A claim whose answer was lost, or an acceptance that came after its refusal, left a row that nobody runs. */
  async function giveBackStrays(held: readonly HeldRequest[]): Promise<void> {
    const found = held
      .map(({ id }) => id)
      .filter(id => !active.get(id) && !active.arriving.get(id) && !taking.has(id));
    const certain = found.filter(id => strays.has(id));
    strays = new Set(found);
    for (const request of await store.requests.byIds(certain)) {
      if (!request || active.get(request.id)) continue;
      const refused = active.disowned(request.id);
      if (refused) {
        await active.disown(refused);
        continue;
      }
      log.warn({ requestId: request.id }, 'a request that nobody here held waits again');
      await store.queue.giveBack({ id: request.id, epoch: request.epoch, attempts: [] });
    }
  }

  return {
    take,
    async cancel(requestId) {
      const cancelled = await store.queue.cancel(requestId, CANCELLED);
      if (!cancelled) return false;
      admission.dequeued();
      deps.limits?.endWaiting(requestId);
      return true;
    },
    async review() {
      const held = await store.queue.heldBy(owner());
      obey(held);
      await giveBackStrays(held);
      await store.queue.wake();
      admission.observe(await store.queue.length(deps.maxQueued));
    },
  };
}

/** Does what was ordered elsewhere, or by word that did not come through. */
function createObedience(active: ActiveRequests, news: QueueDeps['news']) {
  /** Of each workflow how often people have acted on it. */
  let known: ReadonlyMap<string, number> = new Map();
  return (held: readonly HeldRequest[]): void => {
    for (const { id, cancelWished } of held) {
      const entry = cancelWished ? active.get(id) : undefined;
      if (entry) void active.stop(entry, 'cancelled');
    }
    const before = known;
    known = new Map(held.flatMap(({ id, acts }) => (acts === null ? [] : [[id, acts] as const])));
    for (const [id, acts] of known) if (acts !== before.get(id)) news.hint(id);
  };
}

async function read(claimed: readonly ModelRequest[], deps: QueueDeps): Promise<Active[]> {
  const { requests } = deps.store;
  const ids = claimed.map(request => request.id);
  const [bodies, attempts] = await Promise.all([requests.bodiesByIds(ids), requests.attemptsByIds(ids)]);
  return claimed.map((request, index) => {
    const { spec } = bodies[index]!;
    return toActive(request, { spec, earlier: attempts[index]! }, deps);
  });
}

function toActive(
  request: ModelRequest,
  { spec, earlier }: Pick<Active, 'spec' | 'earlier'>,
  { events, planning, clock }: QueueDeps,
): Active {
  const writer = events.open(request.id, request.epoch);
  const reason = spec.workflow ? TAKEN_UP : TAKEN_OVER;
  const restart = { type: 'restarted', attempt: lastNumberOf(earlier) + 1, reason } as const;
  const restartSequence = request.epoch > 1 ? writer.append(restart).position.sequence : undefined;
  return {
    request: { ...request, restartSequence },
    spec,
    decision: planning.decide(spec, {
      modelMayBeGone: true,
      budgeted: request.reservedNanoUsd !== undefined,
    }),
    writer,
    controller: new AbortController(),
    earlier,
    moments: createMoments(clock.monotonic()),
    done: Promise.withResolvers(),
  };
}
