// Who has which request in hand: waiting, taken, given back, recovered from the dead. Part of the contract in store.ts.

import type { Attempt, ModelRequest, RequestError } from '../domain/request.ts';

/** An unfinished request as the database knows it of its owner. */
export interface HeldRequest {
  readonly id: string;
  /** Somebody wishes it cancelled, perhaps through another instance; or it is a step of a workflow that has ended. */
  readonly cancelWished: boolean;
  /** Of a workflow that has begun, how often people have acted on it; else null. */
  readonly acts: number | null;
}

/** What became of the requests of dead instances. */
export interface Recovered {
  readonly requeued: readonly string[];
  /** Those that had killed too many instances. */
  readonly failed: readonly string[];
  /** Those that somebody had wished to cancel. */
  readonly cancelled: readonly string[];
}

export interface QueueRepository {
  /**
   * Takes up to `limit` waiting requests for `owner`: RUNNING, their epoch one higher. Higher priority first, where
   * each second of waiting counts as one point. Those with which `lastDeath` instances have died, whose next death
   * would be the last, come after the others, and an owner has one of them at a time: whoever kills it dies alone. A
   * workflow holds none of them up, its own steps least of all.
   */
  claim(owner: string, limit: number, lastDeath?: number): Promise<ModelRequest[]>;
  /** Notes who is going to serve claimed requests, for the ledger of the lost should this instance die. */
  routed(choices: readonly { readonly id: string; readonly deploymentId: string }[]): Promise<void>;
  /**
   * Ends a request that waits, for its turn or for people, as CANCELLED with `error`, and the steps of a workflow with
   * it; false: it does not wait.
   */
  cancel(id: string, error: RequestError): Promise<boolean>;
  /**
   * A running request waits again, with what was spent on it so far in the ledger, booked before or not; false: fenced,
   * or it has ended.
   */
  giveBack(request: {
    readonly id: string;
    readonly epoch: number;
    readonly attempts: readonly Attempt[];
  }): Promise<boolean>;
  /**
   * What these owners (or all but one, embedded) had in hand waits again under a higher epoch, and the call that each
   * request had under way is LOST in the ledger, behind those that are booked. A request with which `maxDeaths`
   * instances have died FAILS with `error`. What somebody wished to cancel is CANCELLED. A workflow that waits for people
   * is in nobody's hands, and left as it is. In a transaction, since it is several statements.
   */
  recover(
    owners: readonly string[] | { readonly allBut: string },
    maxDeaths: number,
    error: RequestError,
  ): Promise<Recovered>;
  heldBy(owner: string): Promise<HeldRequest[]>;
  /** What waits for people beyond its time waits in the queue again; resolves with how many there were. */
  wake(): Promise<number>;
  /** How many wait for their turn, up to `atMost`. */
  length(atMost: number): Promise<number>;
  /** Places in the queue from 1 on, at most 10,000; undefined for what does not wait. */
  positions(ids: readonly string[]): Promise<(number | undefined)[]>;
}
