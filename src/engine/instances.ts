// Who is alive. Every running process is one row that it touches; whoever stays silent longer than the lease is
// declared dead by the others, on the database's clock, and what it had in hand is ended for it.
// Not here: running requests (gateway). A process that finds itself declared dead must stop all of its work.

import { newId } from '../domain/ids.ts';
import type { RequestError } from '../domain/request.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';

export interface InstancesOptions {
  readonly beatMs: number;
  /** Silence after which an instance counts as dead. Must exceed the worst stall of the event loop. */
  readonly leaseMs: number;
}

export const INSTANCES_DEFAULTS: InstancesOptions = { beatMs: 1_500, leaseMs: 6_000 };

export interface InstancesDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly version: string;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  /** What abandoned requests are failed with. */
  readonly abandonedError: RequestError;
  /** Requests that were just failed because their instance is gone. */
  readonly onAbandoned: (requestIds: readonly string[]) => void;
  /** Requests of this instance that somebody wants cancelled, perhaps through another one. */
  readonly onCancelWishes: (requestIds: readonly string[]) => void;
  /** The others declared this instance dead: its work belongs to nobody now. */
  readonly onFenced: () => void;
}

export interface Instances {
  /** This incarnation: the owner of what is accepted now. A new one after every start, and after a death. */
  id(): string;
  /** Registers, and embedded fails at once what the last process left behind: the directory lock proves it is gone. */
  start(): Promise<void>;
  /** One beat and one sweep; called by the timer, and by tests. */
  tick(): Promise<void>;
  /** Leaves in good order, so that nobody waits for the lease. */
  stop(): Promise<void>;
}

export function createInstances(deps: InstancesDeps, options: Partial<InstancesOptions> = {}): Instances {
  const { beatMs, leaseMs } = { ...INSTANCES_DEFAULTS, ...options };
  const { store, clock, log } = deps;
  let instanceId = newId();
  let cancelTimer: (() => void) | undefined;
  let stopped = false;
  // Whoever has just seen the database fail may not judge the others: they were cut off as well.
  let soundSinceMs = clock.monotonic();

  async function failAbandoned(owners: readonly string[] | { allBut: string }): Promise<void> {
    const ids = await store.requests.failAbandoned(owners, deps.abandonedError);
    if (ids.length === 0) return;
    log.warn({ requests: ids.length }, 'failed requests that a stopped instance left behind');
    deps.onAbandoned(ids);
  }

  /** Declared dead, for example after a long pause: what was in hand is lost, what comes next is ours again. */
  async function reincarnate(): Promise<void> {
    log.warn({ instanceId }, 'this instance was declared dead by another one; it starts anew');
    deps.onFenced();
    // What is accepted meanwhile belongs to the dead one, and is found: an owner that was never registered is not.
    const next = newId();
    await store.instances.register(next, deps.version);
    instanceId = next;
  }

  async function tick(): Promise<void> {
    try {
      if (!(await store.instances.beat(instanceId))) {
        if (!stopped) await reincarnate();
        return;
      }
      const wishes = await store.requests.cancelWishes(instanceId);
      if (wishes.length > 0) deps.onCancelWishes(wishes);
      if (clock.monotonic() - soundSinceMs < leaseMs * 1.5) return;
      const dead = await store.instances.sweep(instanceId, leaseMs);
      if (dead.length > 0) await failAbandoned(dead);
    } catch (error) {
      soundSinceMs = clock.monotonic();
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
    async start() {
      await store.instances.register(instanceId, deps.version);
      if (store.info.kind === 'embedded') await failAbandoned({ allBut: instanceId });
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
