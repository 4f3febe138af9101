// The requests in the hands of this process. Whoever is in here runs, has an owner (us) and a log with a writer;
// whoever has left it is terminal in the store, waits again, or belongs to somebody else.

import { isTerminal, type ModelRequest, requestError } from '../domain/request.ts';
import { atMost } from '../lib/clock.ts';
import { LiveMap } from '../lib/live-map.ts';
import type { CallerLimits } from '../limits/limits.ts';
import type { Admission } from './admission.ts';
import { type Active, concludeUnstarted, type ExecutionDeps, execute, type StopReason } from './execution.ts';

export interface ActiveRequests {
  get(requestId: string): Active | undefined;
  /**
   * Ids whose rows this process may have stored already: of acceptances without an answer yet, and of those that are
   * being disowned. Resolves with whether the caller was told that it is accepted, or may find it by a key.
   */
  readonly arriving: LiveMap<Promise<boolean>>;
  /** Runs a request whose row is durable and which holds a running place. */
  add(active: Active): void;
  /** Ends a request whose acceptance had an unclear end: nobody was told of it, but its row may exist, or come yet. */
  disown(active: Active): Promise<void>;
  /** One of those whose row had not come when it was disowned. */
  disowned(requestId: string): Active | undefined;
  /** Resolves when nothing of a request is left that was here under an earlier epoch; undefined: it was not. */
  gone(requestId: string): Promise<void> | undefined;
  /** Resolves with the request as it is then: terminal, parked, or waiting again after a shutdown. */
  stop(active: Active, reason: StopReason): Promise<ModelRequest>;
  /**
   * Waits up to `graceMs` for all to end, then lets the rest wait again; resolves when nothing is left. Workflows are not
   * waited for beyond what runs here.
   */
  drain(graceMs: number): Promise<void>;
  /** Stops everything without writing: the requests belong to others now. */
  fence(): void;
}

interface ActiveRequestsDeps extends ExecutionDeps {
  readonly admission: Admission;
  readonly limits?: CallerLimits | undefined;
}

/** Rows that come this many refusals later are run after all. */
const MAX_DISOWNED = 1_000;
/** A database that takes no results holds a stop up no longer than this: what is left unwritten is found later. */
const LAST_WRITES_MS = 2_000;
/** For workflows to take in what their last steps here have come to, and to end if those were the last of all. */
const LAST_STEPS_MS = 500;

export function createActiveRequests(surroundings: ActiveRequestsDeps): ActiveRequests {
  const { admission, limits, clock, announce } = surroundings;
  const active = new LiveMap<Active>();
  const arriving = new LiveMap<Promise<boolean>>();
  const disowned = new Map<string, Active>();
  const runs = new LiveMap<Promise<void>>();
  let givenUp = false;
  const deps = { ...surroundings, stopped: () => givenUp || surroundings.stopped() };

  async function run(entry: Active): Promise<void> {
    await execute(entry, deps);
    active.delete(entry.request.id);
    runs.delete(entry.request.id);
    if (limits) letGo(entry.request, limits);
    admission.leave();
  }

  function stop(entry: Active, reason: StopReason): Promise<ModelRequest> {
    entry.controller.abort(reason);
    return entry.done.promise;
  }

  return {
    get: requestId => active.get(requestId),
    arriving,
    add(entry) {
      active.set(entry.request.id, entry);
      limits?.hold(entry.request.id);
      announce(entry.request);
      runs.set(entry.request.id, run(entry));
    },
    gone: requestId => runs.get(requestId),
    async disown(entry) {
      const { id } = entry.request;
      arriving.set(id, Promise.resolve(false));
      const error = requestError(
        'INTERNAL',
        'The request was refused: it was unclear whether it was stored.',
      );
      const { status } = await concludeUnstarted(entry, error, deps);
      if (isTerminal(status)) disowned.delete(id);
      else {
        disowned.set(id, entry);
        const [oldest] = disowned.keys();
        if (disowned.size > MAX_DISOWNED) disowned.delete(oldest!);
      }
      arriving.delete(id);
    },
    disowned: requestId => disowned.get(requestId),
    stop,
    async drain(graceMs) {
      const [runs, others] = [[] as Active[], [] as Active[]];
      for (const entry of active.values()) (entry.spec.workflow ? runs : others).push(entry);
      const startedAtMs = clock.monotonic();
      await atMost(clock, graceMs, allDone(others));
      // No further step runs here: whoever takes a workflow over goes on with it, and nothing is lost by that.
      const leftMs = graceMs - (clock.monotonic() - startedAtMs);
      await atMost(clock, Math.min(Math.max(0, leftMs), LAST_STEPS_MS), allDone(runs));
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

/** It has left this process: ended, waiting again, or in the hands of another one. */
function letGo({ id, status, usage }: ModelRequest, limits: CallerLimits): void {
  if (isTerminal(status)) limits.end(id, usage ? usage.inputTokens + usage.outputTokens : 0);
  else if (status === 'QUEUED') limits.wait(id);
  else limits.leave(id);
}

function allDone(entries: readonly Active[]): Promise<unknown> {
  return Promise.all(entries.map(entry => entry.done.promise));
}
