// The requests in the hands of this process: those that run and those that wait for a place.
// Whoever is in here has an owner (us) and a log with a writer; whoever has left it is terminal in the store.

import { type ModelRequest, requestError } from '../domain/request.ts';
import { atMost } from '../lib/clock.ts';
import type { Admission } from './admission.ts';
import {
  type Active,
  abandon,
  concludeUnstarted,
  type ExecutionDeps,
  execute,
  type StopReason,
} from './execution.ts';

export interface ActiveRequests {
  get(requestId: string): Active | undefined;
  /** Takes over a request whose row is durable and which holds a place at the admission. */
  add(active: Active, place: 'running' | 'queued'): void;
  /** Ends a request whose acceptance had an unclear end: nobody was told of it, but its row may exist. */
  disown(active: Active): Promise<void>;
  /** Resolves with the terminal request. */
  stop(active: Active, reason: StopReason): Promise<ModelRequest>;
  /** Waits up to `graceMs` for all to end, then stops the rest; resolves when nothing is left. */
  drain(graceMs: number): Promise<void>;
  /** Stops everything without writing: the requests belong to others now. */
  fence(): void;
}

interface ActiveRequestsDeps extends ExecutionDeps {
  readonly admission: Admission;
  readonly announce: (request: ModelRequest) => void;
}

/** A database that takes no results holds a stop up no longer than this: what is left unwritten is found later. */
const LAST_WRITES_MS = 2_000;

export function createActiveRequests(surroundings: ActiveRequestsDeps): ActiveRequests {
  const { store, admission, planning, clock, announce } = surroundings;
  const active = new Map<string, Active>();
  let givenUp = false;
  const deps = { ...surroundings, stopped: () => givenUp || surroundings.stopped() };

  async function run(entry: Active): Promise<void> {
    await execute(entry, deps);
    active.delete(entry.request.id);
    admission.leave();
  }

  /** Its turn has come: routing looks again, since the world has changed while it waited. */
  async function startQueued(entry: Active): Promise<void> {
    entry.queuedMs = clock.monotonic() - entry.receivedAtMs;
    const startedAt = new Date(clock.now());
    // When the database cannot be asked the request runs: the guarded terminal write decides whether it counts.
    const started = await store.requests
      .start(entry.request.id, entry.request.epoch, startedAt)
      .catch(() => true);
    if (started) {
      entry.request = { ...entry.request, status: 'RUNNING', startedAt };
      entry.decision = planning.decide(entry.spec, { modelMayBeGone: true });
      announce(entry.request);
    } else entry.controller.abort('fenced' satisfies StopReason);
    await run(entry);
  }

  async function stop(entry: Active, reason: StopReason): Promise<ModelRequest> {
    entry.controller.abort(reason);
    if (admission.withdraw(entry.request.id)) {
      entry.queuedMs = clock.monotonic() - entry.receivedAtMs;
      if (reason === 'fenced') abandon(entry, deps);
      else await concludeUnstarted(entry, deps);
      active.delete(entry.request.id);
    }
    return entry.done.promise;
  }

  return {
    get: requestId => active.get(requestId),
    add(entry, place) {
      active.set(entry.request.id, entry);
      announce(entry.request);
      if (place === 'running') void run(entry);
      else admission.wait(entry.request.id, entry.request.priority, () => void startQueued(entry));
    },
    async disown(entry) {
      const error = requestError(
        'INTERNAL',
        'The request was refused: it was unclear whether it was stored.',
      );
      await concludeUnstarted(entry, deps, error);
    },
    stop,
    async drain(graceMs) {
      await atMost(clock, graceMs, Promise.all([...active.values()].map(entry => entry.done.promise)));
      const stopped = Promise.all([...active.values()].map(entry => stop(entry, 'shutdown')));
      await atMost(clock, LAST_WRITES_MS, stopped);
      givenUp = true;
      await stopped;
    },
    fence() {
      for (const entry of active.values()) void stop(entry, 'fenced');
    },
  };
}
