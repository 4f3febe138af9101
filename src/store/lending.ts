// How statements come by their connections: from the pool, as long as the server answers. A connection that failed is
// not lent again, and whoever meets one is told that the database is unavailable, and whether the statement may have
// been carried out. What changes nothing is tried once more on another connection first.

import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { nameOf } from './prepared.ts';
import { arrivals, disconnect, type Reachability, type Watched } from './reachability.ts';
import { StoreUnavailable } from './unavailable.ts';

/** The pool as Kysely gets it. */
export function lending(pool: pg.Pool, reachability: Reachability): PostgresPool {
  // One for each connection of the pool: Kysely remembers all clients that it meets, and with them their last statement.
  const known = new WeakMap<pg.PoolClient, LentClient>();

  async function connect(): Promise<LentClient> {
    if (!reachability.isReachable())
      throw new StoreUnavailable(new Error('Postgres does not answer'), { mayHaveRun: false });
    const client = await pool.connect().catch(error => {
      throw new StoreUnavailable(error, { mayHaveRun: false });
    });
    const lent = known.get(client) ?? new LentClient(client, reachability.watch(client), connect);
    known.set(client, lent);
    lent.begin();
    return lent;
  }

  const connectAsKysely = connect as unknown as () => Promise<PostgresPoolClient>;
  return { options: {}, end: () => pool.end(), connect: connectAsKysely };
}

const CHANGES_NOTHING = /^(?:\/\* prepared: \w+ \*\/\s+)?(select|begin|start transaction)\b/;

/** A connection of the pool, which one statement or transaction has at a time. */
class LentClient {
  readonly #client: pg.PoolClient;
  readonly #watched: Watched;
  readonly #connect: () => Promise<LentClient>;
  /** Who has it has not sent anything yet. */
  #isFresh = true;
  #isLost = false;
  #isReturned = true;
  /** What it was replaced by, when the first statement failed. */
  #other: LentClient | undefined;

  constructor(client: pg.PoolClient, watched: Watched, connect: () => Promise<LentClient>) {
    this.#client = client;
    this.#watched = watched;
    this.#connect = connect;
  }

  begin(): void {
    this.#isFresh = true;
    this.#isReturned = false;
    this.#watched.lent();
  }

  async query(text: string, values: unknown[]): Promise<pg.QueryResult> {
    if (this.#other) return this.#other.query(text, values);
    const mayRepeat = this.#isFresh && CHANGES_NOTHING.test(text);
    this.#isFresh = false;
    try {
      return await this.#send(text, values);
    } catch (error) {
      if (!mayRepeat || !(error instanceof StoreUnavailable) || !error.mayHaveRun) throw error;
      // The ends of other connections are noticed meanwhile: a server that restarted has ended them all.
      await arrivals();
      this.#giveBack(false);
      const other = await this.#connect();
      other.#isFresh = false;
      this.#other = other;
      return await other.query(text, values);
    }
  }

  // Also when another one could not be had in its place.
  release(discard = false): void {
    this.#giveBack(discard);
    this.#other?.release(discard);
  }

  #giveBack(discard: boolean): void {
    if (this.#isReturned) return;
    this.#isReturned = true;
    this.#watched.returned();
    this.#client.release(this.#isLost || discard);
  }

  async #send(text: string, values: unknown[]): Promise<pg.QueryResult> {
    this.#watched.asked();
    try {
      return await answerOf(this.#client, text, values);
    } catch (error) {
      if (isRefusal(error, /^53/)) throw new StoreUnavailable(error, { mayHaveRun: false });
      if (error instanceof pg.DatabaseError && !isRefusal(error, /^(08|57P)/)) throw error;
      // A value that cannot be sent.
      if (error instanceof TypeError || error instanceof RangeError) throw error;
      // The driver would send the next statement behind one that timed out, and wait for both.
      this.#isLost = true;
      disconnect(this.#client);
      throw new StoreUnavailable(error, { mayHaveRun: true });
    } finally {
      this.#watched.answered();
    }
  }
}

/**
 * With a callback of ours. In its place, and for a `query_timeout`, the driver would set a property of the query to a
 * function, which V8 makes in the old generation: the statement, its values and its rows would live on until the next
 * major collection.
 */
function answerOf(client: pg.PoolClient, text: string, values: unknown[]): Promise<pg.QueryResult> {
  return new Promise((resolve, reject) => {
    void client.query({ name: nameOf(text), text, values } as pg.QueryConfig, (error, result) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}

/** Whether it is the server's word, of such a class: 53 no resources left, 08 connection, 57P being stopped. */
function isRefusal(error: unknown, sqlStates: RegExp): boolean {
  return error instanceof pg.DatabaseError && sqlStates.test(error.code ?? '');
}
