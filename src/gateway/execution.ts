// One accepted request, from its first attempt to its terminal state: run, account, write once, announce.
// The order at the end is the promise: the row is terminal before any subscriber hears of it.

import { type BudgetRules, DEFAULT_BUDGET_RULES } from '../domain/budget.ts';
import { redactWhole } from '../domain/redacted.ts';
import {
  type Attempt,
  isTerminal,
  lastNumberOf,
  type ModelRequest,
  type RequestError,
  type RequestSpec,
} from '../domain/request.ts';
import type { RoutingDecision } from '../domain/routing.ts';
import type { StreamEvent } from '../domain/stream.ts';
import type { EventLog, LogWriter } from '../events/event-log.ts';
import { keepTrying } from '../lib/keep-trying.ts';
import type { FinishedRequest, Store } from '../store/store.ts';
import type { OverheadMeter } from '../telemetry/overhead.ts';
import type { RequestLog } from '../telemetry/request-log.ts';
import { type Allowance, createAllowance } from './allowance.ts';
import { createBooking } from './booking.ts';
import { type Arrival, failover } from './failover.ts';
import { afterFinish, toFinished } from './finished-request.ts';
import type { FailoverDeps } from './journey.ts';
import { type Moments, tellOverhead } from './moments.ts';
import type { Planning } from './planning.ts';
import { terminalEvent } from './replay.ts';
import type { RunWorkflow } from './steps.ts';

/** Why a running request is told to stop; the reason of its abort signal. */
export type StopReason = 'cancelled' | 'shutdown' | 'fenced';

export interface ExecutionDeps extends FailoverDeps {
  readonly store: Store;
  readonly events: EventLog;
  readonly planning: Planning;
  readonly totalDeadlineMs: number;
  /** Absent: the default ones. */
  readonly budgetRules?: BudgetRules | undefined;
  /** True once the database is being closed: a write that still fails is given up and recovered after the restart. */
  readonly stopped: () => boolean;
  readonly onFinished: RequestLog;
  /** A running request begins to wait for room at a deployment (true), or does so no longer. It works for nobody then. */
  readonly onWaiting?: ((waiting: boolean) => void) | undefined;
  readonly overhead?: OverheadMeter | undefined;
  readonly runWorkflow: RunWorkflow;
  /** Tells those who watch requests how one stands now. */
  readonly announce: (request: ModelRequest) => void;
}

/** How it came to its end; the result of a workflow is not what was streamed. */
type Ended = Arrival & { readonly output?: string | undefined };

/** A request in the hands of this process. */
export interface Active {
  /** As it stands now; replaced on every change. */
  request: ModelRequest;
  readonly spec: RequestSpec;
  decision: RoutingDecision;
  readonly writer: LogWriter;
  readonly controller: AbortController;
  /** Made by instances that had the request before. */
  readonly earlier: readonly Attempt[];
  /** In this process. */
  readonly moments: Moments;
  /** Resolves with the request when it leaves this process. */
  readonly done: PromiseWithResolvers<ModelRequest>;
}

/** Runs the request to its end. Never throws; resolves after the terminal state is stored and announced. */
export async function execute(active: Active, deps: ExecutionDeps): Promise<void> {
  const { moments } = active;
  const output: string[] = [];
  let textSeen = false;
  const emit = (told: StreamEvent) => {
    const event = deps.redact ? redactWhole(told, active.spec, deps.redact) : told;
    if (event.type === 'token') {
      // The result of a workflow is made from those of its steps at the end.
      if (event.step === undefined) output.push(event.text);
      if (!textSeen) active.request = { ...active.request, firstTokenAt: new Date(deps.clock.now()) };
      textSeen = true;
    } else if (event.type === 'attempt-started') {
      const providerId = deps.catalog.deployment(event.deploymentId)?.providerId;
      active.request = {
        ...active.request,
        deploymentId: event.deploymentId,
        providerId,
        attemptCount: event.attempt,
      };
    }
    if (event.type === 'restarted') output.length = 0;
    // A finished stream has one last event, and it is appended below; a fenced writer keeps silent.
    if (active.controller.signal.reason === 'fenced') return;
    const { position } = active.writer.append(event);
    // What is held back until its end shows nothing of ours.
    if (textSeen && !active.spec.buffered) moments.appendedAtMs ??= deps.clock.monotonic();
    if (event.type === 'restarted')
      active.request = { ...active.request, restartSequence: position.sequence };
  };
  const arrival = active.spec.workflow
    ? await carryOutSteps(active, emit, deps)
    : await askProviders(active, emit, deps);
  moments.endedAtMs = deps.clock.monotonic();
  const reason: StopReason | undefined = active.controller.signal.reason;
  if (!arrival) {
    active.request = { ...active.request, isParked: true, lastSequence: active.writer.sequence() };
    return abandon(active, deps);
  }
  if (reason === 'fenced') abandon(active, deps);
  else if (reason === 'shutdown' && arrival.status === 'CANCELLED') await giveBack(active, arrival, deps);
  else await conclude(active, arrival, { output: arrival.output ?? output.join(''), deps });
  tellOverhead(moments, arrival.waitedMs > 0, deps.overhead);
}

type Emit = (event: StreamEvent) => void;

function askProviders(active: Active, emit: Emit, deps: ExecutionDeps): Promise<Ended> {
  const { request, spec, decision } = active;
  const endsAtMs = deps.clock.monotonic() + (spec.deadlines.totalMs ?? deps.totalDeadlineMs);
  return failover(
    {
      requestId: request.id,
      spec,
      decision,
      signal: active.controller.signal,
      lastNumberBefore: lastNumberOf(active.earlier),
      endsAtMs,
      moments: active.moments,
      allowance: request.reservedNanoUsd === undefined ? undefined : allowanceOf(active, endsAtMs, deps),
      emit,
      book: createBooking(request, decision.chosen, deps),
      onWaiting: deps.onWaiting,
    },
    deps,
  );
}

/** What runs are the steps, each in a place of its own: the workflow itself holds none meanwhile. Undefined: it is parked. */
async function carryOutSteps(active: Active, emit: Emit, deps: ExecutionDeps): Promise<Ended | undefined> {
  const { request, spec, controller, writer } = active;
  const startedAtMs = deps.clock.monotonic();
  deps.onWaiting?.(true);
  const { signal } = controller;
  const ended = await deps.runWorkflow({ request, spec, signal, emit, sequence: writer.sequence });
  deps.onWaiting?.(false);
  if (!ended) return undefined;
  const waitedMs = deps.clock.monotonic() - startedAtMs;
  return { ...ended, finishReason: undefined, attempts: [], waitedMs, overlapMs: 0 };
}

function allowanceOf(active: Active, endsAtMs: number, deps: ExecutionDeps): Allowance | undefined {
  const onExtended = (reservedNanoUsd: bigint) => {
    active.request = { ...active.request, reservedNanoUsd };
  };
  const rules = deps.budgetRules ?? DEFAULT_BUDGET_RULES;
  const { signal } = active.controller;
  return createAllowance({ ...active, signal, endsAtMs }, { ...deps, rules, onExtended });
}

/** Ends a request that never ran here; resolves with it as it is then, unended when there is no such row. */
export async function concludeUnstarted(
  active: Active,
  error: RequestError,
  deps: ExecutionDeps,
): Promise<ModelRequest> {
  const arrival = {
    status: 'FAILED',
    error,
    finishReason: undefined,
    attempts: [],
    waitedMs: 0,
    overlapMs: 0,
  } as const;
  await conclude(active, arrival, { output: '', deps });
  return active.request;
}

/** Lets go of a request that belongs to somebody else now, or to nobody. Whoever follows it is sent to the store. */
function abandon({ request, done }: Active, { events }: ExecutionDeps): void {
  events.release(request.id);
  done.resolve(request);
}

/** The server stops before the answer is whole: the next instance, or this one after its start, begins it again. */
async function giveBack(active: Active, { attempts }: Arrival, deps: ExecutionDeps): Promise<void> {
  const { id, epoch } = active.request;
  const given = await untilWritten(id, () => deps.store.queue.giveBack({ id, epoch, attempts }), deps);
  if (given) {
    active.request = { ...active.request, status: 'QUEUED' };
    deps.announce(active.request);
  }
  abandon(active, deps);
}

async function conclude(
  active: Active,
  arrival: Arrival,
  { output, deps }: { output: string; deps: ExecutionDeps },
): Promise<void> {
  const finished = toFinished(active, arrival, { output, deps });
  const ours = afterFinish(active, finished);
  const stored = await persist(finished, ours, deps);
  if (stored) active.request = stored;
  active.moments.storedAtMs = deps.clock.monotonic();
  if (stored === ours) {
    active.writer.append(terminalEvent(ours));
    deps.onFinished(ours, arrival.attempts, { spec: active.spec, output: finished.output ?? '' });
  } else if (stored)
    deps.log.warn({ requestId: stored.id }, 'a result was dropped: somebody else had ended the request');
  abandon(active, deps);
}

/** The request as it is stored, which is `ours` unless somebody else had ended it; undefined when that is not known. */
async function persist(
  finished: FinishedRequest,
  ours: ModelRequest,
  deps: ExecutionDeps,
): Promise<ModelRequest | undefined> {
  const { requests } = deps.store;
  return untilWritten(
    finished.id,
    async () => {
      if (await requests.finish(finished)) return ours;
      const [stored] = await requests.byIds([finished.id]);
      // Nobody else ends a request at our epoch: an earlier try was written, and only its answer was lost.
      return stored?.epoch === finished.epoch && isTerminal(stored.status) ? ours : stored;
    },
    deps,
  );
}

/** Writes until the database has it: an answer that was paid for is not given up because of an outage. */
function untilWritten<Result>(
  requestId: string,
  write: () => Promise<Result>,
  { clock, log, stopped }: ExecutionDeps,
): Promise<Result | undefined> {
  const onFailure = (error: unknown) => {
    if (stopped()) throw error;
    log.warn({ error, requestId }, 'the result could not be written yet; it is tried again');
    return undefined;
  };
  return keepTrying(write, { clock, onFailure }).catch(() => undefined);
}
