// How long Redis is waited for: a command for a moment, and a connection that is asked and says nothing for a while.
// The client has both timeouts too, but takes a moment in which this process stands still for silence of Redis.

import type { Redis } from 'ioredis';
import type { Clock } from '../lib/clock.ts';
import { afterListening } from '../lib/listening.ts';

interface PatienceOptions {
  readonly clock: Clock;
  readonly commandMs: number;
  readonly connectionMs: number;
}

/** What the returned function is given rejects when it takes too long; a connection that was silent is opened anew. */
export function createPatience(redis: Redis, { clock, commandMs, connectionMs }: PatienceOptions) {
  let waiting = 0;
  let cancelWatch: (() => void) | undefined;

  function watch(): void {
    if (cancelWatch) return;
    const { stream } = redis;
    const before = stream.bytesRead;
    cancelWatch = afterListening(clock, connectionMs, () => {
      cancelWatch = undefined;
      if (waiting === 0) return;
      if (stream.bytesRead === before) stream.destroy(new Error('Redis was silent for too long'));
      else watch();
    });
  }

  function isAsked(answer: Promise<unknown>): void {
    waiting += 1;
    watch();
    const isAnswered = () => {
      waiting -= 1;
      if (waiting > 0) return;
      cancelWatch?.();
      cancelWatch = undefined;
    };
    answer.then(isAnswered, isAnswered);
  }

  // What the client itself asks before it is ready.
  let greeting = Promise.withResolvers<void>();
  redis.on('connect', () => {
    greeting = Promise.withResolvers<void>();
    isAsked(greeting.promise);
  });
  redis.on('ready', () => greeting.resolve());
  redis.on('close', () => greeting.resolve());

  return function inTime<Answer>(answer: Promise<Answer>): Promise<Answer> {
    isAsked(answer);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const cancelTimer = afterListening(clock, commandMs, () =>
      reject(new Error('Redis did not answer in time')),
    );
    answer.then(resolve, reject).finally(cancelTimer);
    return promise;
  };
}
