// What the database is told of a request while it runs: attempts that are over, and who is called now, should this
// process die. Nothing of it is waited for, so a death while it is on its way hides a call. The end (execution.ts) writes
// all of it once more, so what fails here is only logged. A request that its first deployment serves books nothing.

import type { Attempt, ModelRequest } from '../domain/request.ts';
import type { RequestProgress, Store } from '../store/store.ts';

/** `attempts`: all that are over here. `deploymentId`: who is called now, or is about to be; undefined: nobody. */
export type Book = (attempts: readonly Attempt[], deploymentId: string | undefined) => void;

interface BookingDeps {
  readonly store: Pick<Store, 'requests'>;
  readonly log: { warn(fields: object, message: string): void };
}

/** `chosen`: the deployment that the database was told of when the request was stored or taken. */
export function createBooking(
  { id, epoch }: Pick<ModelRequest, 'id' | 'epoch'>,
  chosen: string | undefined,
  { store, log }: BookingDeps,
): Book {
  let told: Pick<RequestProgress, 'attempts' | 'deploymentId'> = { attempts: NONE, deploymentId: chosen };
  let isWriting = false;

  /** One at a time, lest an older word comes last; of those that come meanwhile the last says everything. */
  async function write(): Promise<void> {
    isWriting = true;
    for (let written: typeof told | undefined; written !== told; ) {
      written = told;
      await store.requests
        .book({ id, epoch, ...written })
        .catch(error => log.warn({ error, requestId: id }, 'attempts could not be booked yet'));
    }
    isWriting = false;
  }

  return (attempts, deploymentId) => {
    if (attempts.length === told.attempts.length && deploymentId === told.deploymentId) return;
    told = { attempts: [...attempts], deploymentId };
    if (!isWriting) void write();
  };
}

const NONE: readonly Attempt[] = [];
