// What instances judge together, they judge in Redis, which is waited for no longer than a bound. The first answer that
// does not come in time, and every failure, ends that for now: nobody else waits, and each instance judges by itself,
// until Redis is seen to answer again. What is sent in one turn of the event loop goes as one.

import type { Command, RedisConnection } from '../events/redis-connection.ts';
import type { Clock } from '../lib/clock.ts';
import { afterListening } from '../lib/listening.ts';

export interface Sharing {
  /** Whether Redis is asked at all at the moment. */
  isUp(): boolean;
  /** Resolves with the reply; undefined when it is an error, or none comes in time. The command may be done all the same. */
  send(command: Command): Promise<unknown>;
  /** Something is judged by this instance alone, which operators are told once. */
  judgedAlone(): void;
  /** Calls back when Redis answers again, for the first time too. */
  onUp(listener: () => void): void;
  close(): void;
}

export interface SharingDeps {
  readonly redis: Pick<RedisConnection, 'run' | 'onReady'>;
  readonly clock: Clock;
  /** The longest that an answer is waited for. */
  readonly timeoutMs: number;
  /** Whether this instance judges alone. */
  readonly meter: { insured(isInsured: boolean): void };
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** Between two looks whether Redis answers again. */
const PROBE_MS = 500;

export function createSharing(deps: SharingDeps): Sharing {
  const { redis, clock, meter, log } = deps;
  const listeners: (() => void)[] = [];
  const send = createSending(deps, () => changed(false));
  let up = false;
  let isTold = false;
  let closed = false;
  let cancelTimer = () => {};

  function changed(isUp: boolean): void {
    if (up === isUp) return;
    up = isUp;
    meter.insured(!isUp);
    if (!isUp) return void probeLater();
    if (isTold) log.info({}, 'Redis answers: the limits of callers are judged by all instances together');
    isTold = false;
    for (const listener of listeners) listener();
  }

  async function probe(): Promise<void> {
    if ((await send(['ping'])) !== undefined) changed(true);
    else probeLater();
  }

  function probeLater(): void {
    cancelTimer();
    if (!closed) cancelTimer = clock.after(PROBE_MS, () => void probe());
  }

  meter.insured(true);
  redis.onReady(() => void probe());
  void probe();
  return {
    isUp: () => up,
    send,
    judgedAlone() {
      if (isTold) return;
      isTold = true;
      log.warn(
        {},
        'Redis does not answer in time: this instance lets in its own share of the limits of callers',
      );
    },
    onUp: listener => void listeners.push(listener),
    close() {
      closed = true;
      cancelTimer();
    },
  };
}

interface Sent {
  readonly command: Command;
  readonly resolve: (reply: unknown) => void;
}

/** `onFailure` hears of an answer that is an error or late before whoever waits for it. */
function createSending(
  { redis, clock, timeoutMs }: SharingDeps,
  onFailure: () => void,
): (command: Command) => Promise<unknown> {
  let batch: Sent[] = [];

  function flush(): void {
    const sent = batch;
    batch = [];
    let over = false;
    const settle = (replies: readonly unknown[]) => {
      if (over) return;
      over = true;
      cancelTimer();
      if (replies.length === 0 || replies.some(reply => reply instanceof Error)) onFailure();
      for (const [index, { resolve }] of sent.entries()) {
        const reply = replies[index];
        resolve(reply instanceof Error ? undefined : reply);
      }
    };
    const cancelTimer = afterListening(clock, timeoutMs, () => settle([]));
    const commands = sent.map(({ command }) => command);
    void redis.run('limits', commands).then(settle);
  }

  return command => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    batch.push({ command, resolve });
    if (batch.length === 1) setImmediate(flush);
    return promise;
  };
}
