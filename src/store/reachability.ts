// Whether the Postgres server answers at all. A network that swallows everything ends no connection: what was sent is
// waited for, and so is whoever comes next. When nothing was heard for a while although statements are under way, the
// server is asked on a connection of its own. If it does not answer that either, all statements under way fail, and
// new ones at once, until it answers again. A statement that takes long at a server that answers is left alone, until
// the server should have ended it: then it is its connection that is dead.

import pg from 'pg';

/** Silence after which the server is asked. */
const SILENCE_MS = 2_000;
/** How long it may take to answer. */
const ANSWER_MS = 2_000;
/** How often it is asked while it does not answer, counted from the end of the last question. */
const PAUSE_MS = 500;

export interface Reachability {
  isReachable(): boolean;
  /** For every connection of the pool, once. */
  watch(client: pg.PoolClient): Watched;
  close(): void;
}

/** What is told of a connection. */
export interface Watched {
  /** It is in somebody's hands, until `returned`. */
  lent(): void;
  returned(): void;
  /** A statement is under way, until `answered`. */
  asked(): void;
  answered(): void;
}

export interface ReachabilityOptions {
  readonly connectionString: string;
  /** A statement that has no answer for so long has lost its connection. */
  readonly statementMs: number;
  readonly log: (message: string) => void;
}

interface Connection {
  readonly client: pg.PoolClient;
  isLent: boolean;
  askedMs: number | undefined;
}

export function createReachability({
  connectionString,
  statementMs,
  log,
}: ReachabilityOptions): Reachability {
  const connections = new Set<Connection>();
  let lentCount = 0;
  let reachable = true;
  let asking = false;
  let heardMs = performance.now();

  const heard = () => {
    heardMs = performance.now();
  };

  async function look(): Promise<void> {
    const isSilent = lentCount > 0 && performance.now() - heardMs >= SILENCE_MS;
    if (asking || (reachable && !isSilent)) return;
    asking = true;
    const askedMs = performance.now();
    const answers = await ask(connectionString);
    await arrivals();
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
    for (const { client, isLent } of connections) if (isLent) disconnect(client);
  }

  function lateOnes(): Connection[] {
    const dueMs = performance.now() - statementMs;
    return [...connections].filter(({ askedMs }) => askedMs !== undefined && askedMs < dueMs);
  }

  async function endLateOnes(): Promise<void> {
    if (lateOnes().length === 0) return;
    await arrivals();
    for (const { client } of lateOnes()) disconnect(client);
  }

  const timer = setInterval(() => {
    void look();
    void endLateOnes();
  }, PAUSE_MS).unref();
  return {
    isReachable: () => reachable,
    watch(client) {
      const connection: Connection = { client, isLent: false, askedMs: undefined };
      connections.add(connection);
      client.once('end', () => connections.delete(connection));
      heard();
      streamOf(client).on('data', heard);
      return {
        lent() {
          // Silence while nobody asked anything says nothing.
          if (lentCount === 0) heard();
          lentCount += 1;
          connection.isLent = true;
        },
        returned() {
          lentCount -= 1;
          connection.isLent = false;
        },
        asked() {
          connection.askedMs = performance.now();
        },
        answered() {
          connection.askedMs = undefined;
        },
      };
    },
    close: () => clearInterval(timer),
  };
}

/** A process that was stopped itself has its timers before what arrived meanwhile: this lets it arrive. */
export function arrivals(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve));
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
