// Whether the Postgres server answers at all. A network that swallows everything ends no connection: what was sent is
// waited for, and so is whoever comes next. When nothing was heard for a while although statements are under way, the
// server is asked on a connection of its own. If it does not answer that either, all statements under way fail, and
// new ones at once, until it answers again. A statement that takes long at a server that answers is left alone.

import pg from 'pg';

/** Silence after which the server is asked. */
const SILENCE_MS = 2_000;
/** How long it may take to answer. */
const ANSWER_MS = 2_000;
/** How often it is asked while it does not answer, counted from the end of the last question. */
const PAUSE_MS = 500;

export interface Reachability {
  isReachable(): boolean;
  /** For every new connection of the pool. */
  watch(client: pg.PoolClient): void;
  /** A connection is in somebody's hands from now on, until the returned function is called. */
  lent(client: pg.PoolClient): () => void;
  close(): void;
}

export interface ReachabilityOptions {
  readonly connectionString: string;
  readonly log: (message: string) => void;
}

export function createReachability({ connectionString, log }: ReachabilityOptions): Reachability {
  const lent = new Set<pg.PoolClient>();
  let reachable = true;
  let asking = false;
  let heardMs = performance.now();

  const heard = () => {
    heardMs = performance.now();
  };

  async function look(): Promise<void> {
    const isSilent = lent.size > 0 && performance.now() - heardMs >= SILENCE_MS;
    if (asking || (reachable && !isSilent)) return;
    asking = true;
    const askedMs = performance.now();
    const answers = await ask(connectionString);
    // A process that was stopped itself has its timers before what arrived meanwhile: this lets it arrive.
    await new Promise(resolve => setImmediate(resolve));
    if (answers || heardMs >= askedMs) answered();
    else unanswered();
    asking = false;
  }

  function answered(): void {
    heard();
    if (reachable) return;
    reachable = true;
    log('Postgres answers again');
  }

  function unanswered(): void {
    if (reachable) log('Postgres does not answer: statements are refused until it does');
    reachable = false;
    for (const client of lent) disconnect(client);
  }

  const timer = setInterval(() => void look(), PAUSE_MS).unref();
  return {
    isReachable: () => reachable,
    watch(client) {
      heard();
      streamOf(client).on('data', heard);
    },
    lent(client) {
      // Silence while nobody asked anything says nothing.
      if (lent.size === 0) heard();
      lent.add(client);
      return () => void lent.delete(client);
    },
    close: () => clearInterval(timer),
  };
}

/** Its statement fails as it does when the server ends the connection; the pool makes another one. */
export function disconnect(client: pg.PoolClient): void {
  streamOf(client).destroy();
}

/** The type of the pool's clients leaves it out. */
function streamOf(client: pg.PoolClient) {
  return (client as unknown as pg.Client).connection.stream;
}

/** A server that refuses the connection has answered. */
async function ask(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: ANSWER_MS });
  client.on('error', () => {});
  try {
    await client.connect();
    void client.end().catch(() => {});
    return true;
  } catch (error) {
    return error instanceof pg.DatabaseError;
  }
}
