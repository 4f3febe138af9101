// How statements come by their connections: from the pool, as long as the server answers. A connection that failed is
// not lent again, and whoever meets one is told that the database is unavailable, and whether the statement may have
// been carried out. What changes nothing is tried once more on another connection first.

import type { PostgresPool, PostgresPoolClient } from 'kysely';
import pg from 'pg';
import { disconnect, type Reachability } from './reachability.ts';
import { StoreUnavailable } from './unavailable.ts';

/** The pool as Kysely gets it. */
export function lending(pool: pg.Pool, reachability: Reachability): PostgresPool {
  async function connect(): Promise<Lease> {
    if (!reachability.isReachable())
      throw new StoreUnavailable(new Error('Postgres does not answer'), { mayHaveRun: false });
    const client = await pool.connect().catch(error => {
      throw new StoreUnavailable(error, { mayHaveRun: false });
    });
    return createLease(client, reachability.lent(client));
  }

  return {
    options: {},
    end: () => pool.end(),
    async connect() {
      let lease = await connect();
      let isFirst = true;
      async function query(statement: string, ...values: unknown[]): Promise<unknown> {
        const mayRepeat = isFirst && CHANGES_NOTHING.test(statement);
        isFirst = false;
        try {
          return await lease.query(statement, ...values);
        } catch (error) {
          if (!mayRepeat || !(error instanceof StoreUnavailable) || !error.mayHaveRun) throw error;
          // The ends of other connections are noticed meanwhile: a server that restarted has ended them all.
          await new Promise(resolve => setImmediate(resolve));
          lease.release();
          lease = await connect();
          return await lease.query(statement, ...values);
        }
      }
      const release = (discard?: boolean) => lease.release(discard);
      return { query, release } as PostgresPoolClient;
    },
  };
}

const CHANGES_NOTHING = /^(?:\/\* prepared: \w+ \*\/\s+)?(select|begin|start transaction)\b/;

interface Lease {
  query(...statement: unknown[]): Promise<unknown>;
  release(discard?: boolean): void;
}

/** A connection while one statement or transaction has it. */
function createLease(client: pg.PoolClient, returned: () => void): Lease {
  const send = client.query.bind(client) as (...statement: unknown[]) => Promise<unknown>;
  let isLost = false;
  let isReturned = false;
  return {
    async query(...statement) {
      try {
        return await send(...statement);
      } catch (error) {
        if (isRefusal(error, /^53/)) throw new StoreUnavailable(error, { mayHaveRun: false });
        if (error instanceof pg.DatabaseError && !isRefusal(error, /^(08|57P)/)) throw error;
        // A value that cannot be sent.
        if (error instanceof TypeError || error instanceof RangeError) throw error;
        // The driver would send the next statement behind one that timed out, and wait for both.
        isLost = true;
        disconnect(client);
        throw new StoreUnavailable(error, { mayHaveRun: true });
      }
    },
    // Again when another one could not be had in its place.
    release(discard = false) {
      if (isReturned) return;
      isReturned = true;
      returned();
      client.release(isLost || discard);
    },
  };
}

/** Whether it is the server's word, of such a class: 53 no resources left, 08 connection, 57P being stopped. */
function isRefusal(error: unknown, sqlStates: RegExp): boolean {
  return error instanceof pg.DatabaseError && sqlStates.test(error.code ?? '');
}
