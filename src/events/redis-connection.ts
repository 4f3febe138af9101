// The two connections of this process to Redis: one for commands, one that listens. Redis is never waited for: a
// command fails at once without a connection and after 250 ms with one, and a connection that is silent for a second
// is given up and opened anew. Nothing here throws into the path of a request.

import { createHash } from 'node:crypto';
import { Redis, type RedisOptions } from 'ioredis';
import { systemClock } from '../lib/clock.ts';
import { type Channels, createChannels } from './redis-channels.ts';
import { createPatience } from './redis-patience.ts';

const COMMAND_TIMEOUT_MS = 250;
const SOCKET_TIMEOUT_MS = 1_000;
const CONNECT_TIMEOUT_MS = 1_000;
const MAX_RECONNECT_DELAY_MS = 2_000;
const PING_MS = 5_000;
const PING_WHEN_DOWN_MS = 500;

/** What operators are told. Operations are `connection`, `mirror`, `read`, `subscribe`, `signal` and `limits`. */
export interface RedisMeter {
  /** Whether both connections stand and Redis does what it is asked. */
  up(isUp: boolean): void;
  failed(operation: string): void;
  /** Entries written to the shared log. */
  mirrored(entries: number): void;
  /** A request's shared log was written anew as a whole, after Redis had lost or missed a part of it. */
  resynced(): void;
  /** Redis refused a write because another instance owns the request now. */
  fenced(): void;
  /** Signals that were not sent: too many at once, or Redis did not take them. */
  signalsDropped(count: number): void;
}

export interface RedisLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface Script {
  readonly text: string;
  readonly sha: string;
}

export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

export type Command = readonly [name: string, ...args: string[]];

/** The command that runs a script. */
export function calling(
  { sha }: Script,
  keys: readonly string[],
  args: readonly (string | number)[],
): Command {
  return ['evalsha', sha, String(keys.length), ...keys, ...args.map(String)];
}

export interface RedisConnection {
  /** Runs the commands in one round trip: one reply each, an Error where it failed. Never rejects. */
  run(operation: string, commands: readonly Command[]): Promise<unknown[]>;
  /** Calls back whenever commands can be sent again. */
  onReady(listener: () => void): void;
  readonly channels: Channels;
  /** Index of the database in use. Channels, unlike keys, are shared by all databases of a server. */
  readonly database: number;
  readonly meter: RedisMeter;
  readonly log: RedisLog;
  /** Rejects when Redis does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with user, password and database where needed. */
  readonly url: string;
  readonly log: RedisLog;
  readonly meter: RedisMeter;
  /** Scripts that `run` may call; loaded into Redis when it does not have them. */
  readonly scripts: readonly Script[];
}

const OPTIONS = {
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 1,
  connectTimeout: CONNECT_TIMEOUT_MS,
  retryStrategy: (tries: number) =>
    Math.min(50 * 2 ** Math.min(tries, 8), MAX_RECONNECT_DELAY_MS) * (0.75 + Math.random() / 4),
} satisfies RedisOptions;

/** Connects in the background: a Redis that is down at the start is found when it comes up. */
export function openRedis({ url, log, meter, scripts }: RedisConnectionOptions): RedisConnection {
  const commands = new Redis(url, { ...OPTIONS, connectionName: 'mcplane' });
  const listener = new Redis(url, {
    ...OPTIONS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SOCKET_TIMEOUT_MS,
    connectionName: 'mcplane-listener',
  });
  const inTime = createPatience(commands, {
    clock: systemClock,
    commandMs: COMMAND_TIMEOUT_MS,
    connectionMs: SOCKET_TIMEOUT_MS,
  });
  const state = watch([commands, listener], log, meter);
  let loaded = false;
  commands.on('ready', () => {
    loaded = false;
  });

  async function pipelined(calls: readonly Command[]): Promise<unknown[]> {
    const loading: Command[] = loaded ? [] : scripts.map(({ text }) => ['script', 'load', text]);
    loaded = true;
    const pipeline = commands.pipeline();
    for (const [name, ...args] of [...loading, ...calls]) pipeline.call(name, args);
    const replies = (await inTime(pipeline.exec())) ?? [];
    return replies.slice(loading.length).map(([error, reply]) => error ?? reply);
  }

  async function run(operation: string, calls: readonly Command[]): Promise<unknown[]> {
    if (commands.status !== 'ready') return calls.map(() => new Error('There is no connection to Redis'));
    try {
      let replies = await pipelined(calls);
      if (replies.some(isMissingScript)) {
        loaded = false;
        replies = await again(calls, replies, pipelined);
      }
      const failure = replies.find(reply => reply instanceof Error);
      if (failure) state.failed(operation, failure);
      else state.answered(operation);
      return replies;
    } catch (error) {
      state.failed(operation, error as Error);
      return calls.map(() => error);
    }
  }

  // A connection that died without a word is noticed only by a command that stays unanswered, and a Redis that is
  // back only by one that is answered.
  let pinging: NodeJS.Timeout;
  function pingLater(): void {
    pinging = setTimeout(
      () => {
        void run('connection', [['ping']]);
        if (listener.status === 'ready') listener.ping().catch(error => state.failed('connection', error));
        pingLater();
      },
      state.isUp() ? PING_MS : PING_WHEN_DOWN_MS,
    ).unref();
  }
  pingLater();

  return {
    run,
    onReady: listener => void commands.on('ready', listener),
    channels: createChannels(listener, error => state.failed('subscribe', error)),
    database: commands.options.db ?? 0,
    meter,
    log,
    async ping() {
      const [reply] = await run('connection', [['ping']]);
      if (reply instanceof Error) throw new Error('Redis does not answer', { cause: reply });
    },
    async close() {
      clearTimeout(pinging);
      state.close();
      commands.disconnect();
      listener.disconnect();
    },
  };
}

function isMissingScript(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('NOSCRIPT');
}

/** A script that Redis did not have was not run: what met it is sent again, in the same order. */
async function again(
  calls: readonly Command[],
  replies: readonly unknown[],
  send: (calls: readonly Command[]) => Promise<unknown[]>,
): Promise<unknown[]> {
  const second = await send(calls.filter((_, index) => isMissingScript(replies[index])));
  return replies.map(reply => (isMissingScript(reply) ? second.shift() : reply));
}

/** Counts every failure, but says only once that Redis went and once that it came back. */
function watch(connections: readonly Redis[], log: RedisLog, meter: RedisMeter) {
  // Unknown at first, so that the first answer and the first failure are both said.
  let up: boolean | undefined;
  let closed = false;
  // Operations that Redis refuses, memory being full for example, while it answers others.
  const refused = new Set<string>();
  const answered = (operation: string) => {
    refused.delete(operation);
    if (up || refused.size > 0 || connections.some(({ status }) => status !== 'ready')) return;
    up = true;
    meter.up(true);
    log.info({}, 'Redis answers: streams are shared between instances');
  };
  const failed = (operation: string, error: Error) => {
    if (closed) return;
    meter.failed(operation);
    if (error.name === 'ReplyError') refused.add(operation);
    if (up === false) return;
    up = false;
    meter.up(false);
    // The message only: the client's errors carry the arguments of their command, passwords and texts among them.
    log.warn({ error: error.message, operation }, 'Redis fails: streams go on in this instance only');
  };
  for (const connection of connections) {
    connection.on('error', (error: Error) => failed('connection', error));
    connection.on('close', () => failed('connection', new Error('The connection to Redis was closed')));
    connection.on('ready', () => {
      refused.clear();
      answered('connection');
    });
  }
  meter.up(false);
  return {
    answered,
    failed,
    isUp: () => up === true,
    close() {
      closed = true;
      meter.up(false);
    },
  };
}
