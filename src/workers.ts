// Several processes on one port: the primary starts the workers, replaces those that die, passes the stop on, and adds
// up their metrics. It serves nothing itself and opens no database.
//
// A worker is starting, then serving, then gone. The first one starts alone: it migrates the database and creates the
// first administrator or the setup link, so the others find all of that done. If it cannot start, nobody can, and it
// has said why. Later ones that fail are started again, after 1 s, then twice as long each time, up to 30 s.
//
// Node's round robin hands connections out in turn. Sockets live long, and the kernel's own choice between listeners
// leaves some workers idle; a worker that is dead or stuck gets no further ones. One connection that was on its way to
// a stuck worker is lost with it: Node keeps it open in the primary, and its client waits until its own timeout
// (tried with Node 24.21 in November 2026).

import cluster, { type Worker } from 'node:cluster';
import { constants } from 'node:os';
import type { Log } from './telemetry/log.ts';
import type { FromWorker } from './worker.ts';
import { createScrapes } from './worker-scrapes.ts';

export interface WorkersOptions {
  readonly count: number;
  /** What each worker gives its running requests when it stops. */
  readonly graceMs: number;
  readonly log: Log;
}

/** One of `count` places, held by one worker after the other. */
interface Place {
  worker: Worker | undefined;
  servingSinceMs: number | undefined;
  /** Workers that ended here one after the other without having served for long. */
  failures: number;
  cancelRestart: () => void;
}

const FIRST_RESTART_MS = 1_000;
const LAST_RESTART_MS = 30_000;
/** Who served this long was sound. */
const SOUND_MS = 60_000;
/** Beyond the grace a worker sends the last events, closes sockets and leaves the database. */
const STOP_MARGIN_MS = 10_000;

/** How long the place of a worker stays empty after so many failures in a row. */
export function restartDelayMs(failures: number): number {
  return Math.min(LAST_RESTART_MS, FIRST_RESTART_MS * 2 ** (failures - 1));
}

/** Runs the workers until they are told to stop. Resolves with the exit code of the whole. */
export function runWorkers(options: WorkersOptions): Promise<number> {
  const { log, graceMs, count } = options;
  const { promise: exitCode, resolve: exit } = Promise.withResolvers<number>();
  const places: Place[] = [];
  const workers = () => places.flatMap(({ worker }) => worker ?? []);
  const scrapes = createScrapes({
    workers,
    serving: () => places.filter(place => place.servingSinceMs !== undefined).length,
    log,
  });
  let stopping = false;
  let worstCode = 0;

  function addPlace(): void {
    const place = emptyPlace();
    places.push(place);
    start(place);
  }

  function start(place: Place): void {
    const worker = cluster.fork();
    place.worker = worker;
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'serving') serves(place, worker);
      else scrapes.handle(worker, message);
    });
    worker.on('exit', (code, signal) => ended(place, worker, { code, signal }));
    worker.on('error', error => {
      log.error({ error, worker: worker.id }, 'a worker has a fault of its process');
      // Of one that could not even be made no exit is told.
      if (worker.process.pid === undefined) ended(place, worker, { code: null, signal: null });
    });
  }

  function serves(place: Place, worker: Worker): void {
    place.servingSinceMs = performance.now();
    log.info({ worker: worker.id, pid: worker.process.pid }, 'a worker serves');
    while (!stopping && places.length < count) addPlace();
  }

  function ended(place: Place, worker: Worker, how: { code: number | null; signal: string | null }): void {
    const { servingSinceMs } = place;
    place.worker = undefined;
    place.servingSinceMs = undefined;
    scrapes.ended(worker);
    if (stopping) {
      // One that was still starting had nothing to bring to an end.
      if (servingSinceMs !== undefined && how.code !== 0) worstCode = 1;
      if (workers().length === 0) exit(worstCode);
      return;
    }
    if (servingSinceMs === undefined && places.length === 1) return void exit(1);
    const restartMs = restartAfter(place, servingSinceMs, () => {
      scrapes.restarted();
      start(place);
    });
    log.error({ worker: worker.id, ...how, restartMs }, 'a worker ended; another one takes its place');
  }

  function stop(signal: NodeJS.Signals): void {
    if (stopping) {
      signalAll(workers(), 'SIGKILL');
      return void exit(128 + constants.signals[signal]);
    }
    stopping = true;
    log.info({ signal }, 'stopping: letting requests finish');
    for (const place of places) place.cancelRestart();
    signalAll(workers(), 'SIGTERM');
    if (workers().length === 0) exit(0);
    setTimeout(() => {
      log.error({ workers: workers().map(({ id }) => id) }, 'workers did not stop in time; ending them');
      signalAll(workers(), 'SIGKILL');
    }, graceMs + STOP_MARGIN_MS).unref();
  }

  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  addPlace();
  return exitCode;
}

function emptyPlace(): Place {
  return { worker: undefined, servingSinceMs: undefined, failures: 0, cancelRestart() {} };
}

/** Fills the place again after its delay, in milliseconds, which is returned. */
function restartAfter(place: Place, servingSinceMs: number | undefined, restart: () => void): number {
  const wasSound = servingSinceMs !== undefined && performance.now() - servingSinceMs >= SOUND_MS;
  place.failures = wasSound ? 1 : place.failures + 1;
  const restartMs = restartDelayMs(place.failures);
  // A timer that keeps the process alive, unlike those of the clock: perhaps nothing else does.
  const timer = setTimeout(restart, restartMs);
  place.cancelRestart = () => clearTimeout(timer);
  return restartMs;
}

function signalAll(workers: readonly Worker[], signal: NodeJS.Signals): void {
  for (const worker of workers) worker.process.kill(signal);
}
