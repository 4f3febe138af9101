// Who is alive. Every running process is one row that it touches; whoever stays silent longer than the lease is
// declared dead by the others, on the database's clock, and what it had in hand waits again.
// Not here: running requests (gateway). A process that finds itself declared dead must stop all of its work.

import { newId } from '../domain/ids.ts';
import type { InstanceHost } from '../domain/instance.ts';
import { type RequestError, requestError } from '../domain/request.ts';
import type { Clock } from '../lib/clock.ts';
import type { Recovered, Store } from '../store/store.ts';

export interface InstancesOptions {
  readonly beatMs: number;
  /** Silence after which an instance counts as dead. Must exceed the worst stall of the event loop. */
  readonly leaseMs: number;
  /** A request with which so many instances died is not run again. */
  readonly maxDeaths: number;
}

export const INSTANCES_DEFAULTS: InstancesOptions = { beatMs: 1_500, leaseMs: 6_000, maxDeaths: 3 };

export interface InstancesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly version: string;
  /** Where this process runs, for operators. */
  readonly host?: InstanceHost;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** Requests that were taken from dead instances: they wait again, or have failed. */
  readonly onRecovered: (recovered: Recovered) => void;
  /** After each beat, while the database answers. */
  readonly onBeat: () => Promise<void>;
  /** The others declared this instance dead: its work belongs to nobody now, and it must begin none. */
  readonly onFenced: () => void;
  /** There is a living incarnation that may own work: after the start, and again after a death. */
  readonly onAlive: () => void;
}

export interface Instances {
  /** This incarnation: the owner of what is accepted now. A new one after every start, and after a death. */
  id(): string;
  /** Registers, and embedded recovers at once what the last process left behind: the directory lock proves it is gone. */
  start(): Promise<void>;
  /** How many are alive, this one included, as of its last heartbeat. */
  count(): number;
  /** One beat and one sweep; called by the timer, and by tests. */
  tick(): Promise<void>;
  /** Leaves in good order, so that nobody waits for the lease. */
  stop(): Promise<void>;
}

export function createInstances(deps: InstancesDeps, options: Partial<InstancesOptions> = {}): Instances {
  const { beatMs, leaseMs, maxDeaths } = { ...INSTANCES_DEFAULTS, ...options };
  const { store, clock, log } = deps;
  let instanceId = newId();
  let cancelTimer: (() => void) | undefined;
  let stopped = false;
  const judgement = createJudgement(clock, leaseMs);
  const census = createCensus(store);

  async function recover(owners: readonly string[] | { allBut: string }): Promise<void> {
    const recovered = await store.transaction(inTransaction =>
      inTransaction.queue.recover(owners, maxDeaths, diedTooOften(maxDeaths)),
    );
    const { requeued, failed, cancelled } = recovered;
    if (requeued.length + failed.length + cancelled.length === 0) return;
    log.warn(
      { requeued: requeued.length, failed: failed.length, cancelled: cancelled.length },
      'took over the requests of instances that stopped',
    );
    deps.onRecovered(recovered);
  }

  /** Declared dead, for example after a long pause: what was in hand is lost, what comes next is ours again. */
  async function reincarnate(): Promise<void> {
    log.warn({ instanceId }, 'this instance was declared dead by another one; it starts anew');
    deps.onFenced();
    // What is accepted meanwhile belongs to the dead one, and is found: an owner that was never registered is not.
    const next = newId();
    await store.instances.register(next, deps.version, deps.host);
    instanceId = next;
    deps.onAlive();
  }

  async function tick(): Promise<void> {
    try {
      if (!(await store.instances.beat(instanceId))) {
        if (!stopped) await reincarnate();
        return;
      }
      judgement.beaten();
      await census.take();
      await deps.onBeat();
      if (!judgement.isSound()) return;
      const dead = await store.instances.sweep(instanceId, leaseMs);
      if (dead.length > 0) await recover(dead);
    } catch (error) {
      judgement.failed();
      log.warn({ error }, 'the heartbeat did not reach the database');
    }
  }

  function schedule(): void {
    cancelTimer = clock.after(beatMs, () => {
      void tick().then(() => {
        if (!stopped) schedule();
      });
    });
  }

  return {
    id: () => instanceId,
    count: census.count,
    async start() {
      await store.instances.register(instanceId, deps.version, deps.host);
      if (store.info.kind === 'embedded') await recover({ allBut: instanceId });
      await census.take();
      deps.onAlive();
      schedule();
    },
    tick,
    async stop() {
      stopped = true;
      cancelTimer?.();
      await store.instances
        .retire(instanceId)
        .catch(error =>
          log.warn({ error }, 'this instance could not sign off; the others wait for its lease'),
        );
    },
  };
}

function diedTooOften(maxDeaths: number): RequestError {
  return requestError(
    'INTERNAL',
    `The server died ${maxDeaths} times while it ran this request; it is not run again.`,
  );
}

/** How many there are. Embedded there can be no other. */
function createCensus({ info, instances }: Store) {
  let count = 1;
  return {
    count: () => count,
    async take() {
      if (info.kind !== 'embedded') count = Math.max(1, await instances.countLiving());
    },
  };
}

/**
 * Whether one may declare others dead: only after an unbroken row of beats. Whoever was cut off from the database, or
 * stood still itself, knows nothing of them: they may have been so too, and get there later. An answer that came late
 * is such a cut; only the gap between the beats shows it.
 */
function createJudgement(clock: Clock, leaseMs: number) {
  let soundSinceMs = clock.monotonic();
  let beatenMs = soundSinceMs;
  return {
    beaten() {
      const nowMs = clock.monotonic();
      if (nowMs - beatenMs > leaseMs / 2) soundSinceMs = nowMs;
      beatenMs = nowMs;
    },
    failed() {
      soundSinceMs = clock.monotonic();
    },
    isSound: () => clock.monotonic() - soundSinceMs >= leaseMs * 1.5,
  };
}
