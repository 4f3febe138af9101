// Servers that die, what stands around them and survives, and what must be true of a request whatever was killed.

import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import pg from 'pg';
import { idOf } from '../../src/domain/ids.ts';
import { comparePositions, type Position, parseCursor } from '../../src/domain/stream.ts';
import { type Client, createClient, isMcplaneError, type StreamEvent } from '../../src/sdk/client.ts';
import { BOUNDLESS_CALLERS } from '../support/app.ts';
import type { CrashPoint } from '../support/crash-hook.ts';
import { type LoadBalancer, startLoadBalancer } from '../support/load-balancer.ts';
import { type ServerProcess, startServerProcess, temporaryDirectory } from '../support/server-process.ts';
import { type Scripted, startUpstream, text, type Upstream } from '../support/upstream.ts';

const HOOK = join(import.meta.dirname, '../support/crash-hook.ts');

/** A call as the provider saw it. */
export interface Call {
  readonly deploymentId: string;
  readonly atMs: number;
}

export interface World {
  readonly upstream: Upstream;
  /** What clients know of the servers. */
  readonly balancer: LoadBalancer;
  /** Starts a server; embedded there is one at a time. With a point it dies there. */
  start(point?: CrashPoint): Promise<ServerProcess>;
  /** Kills the server that was started last, whether it listens already or not. */
  killNewest(): Promise<void>;
  /** A client behind the balancer, logged in at the first server that was started. */
  client(): Client;
  /** What the provider does with the next calls that have this prompt; afterwards it gives the answer. */
  script(prompt: string, ...scripts: Scripted[]): void;
  /** Calls of the provider that had this prompt. */
  calls(prompt: string): readonly Call[];
}

export interface WorldOptions {
  readonly env?: Record<string, string>;
  /** Of an answer without a script of its own. */
  readonly answer?: (prompt: string) => Scripted;
  /** Of the provider; absent: one. */
  readonly models?: readonly string[];
}

export async function createWorld(
  t: TestContext,
  { env = {}, answer, models }: WorldOptions,
): Promise<World> {
  const upstream = await startUpstream(t, models && { models: models.map(id => ({ id })) });
  const balancer = await startLoadBalancer(t);
  const dataDir = temporaryDirectory(t);
  const scripts = new Map<string, Scripted[]>();
  const calls: (Call & { readonly prompt: string })[] = [];
  const promptOf = ({ body }: { body: { messages: { content: string }[] } }) => body.messages.at(-1)!.content;
  upstream.answerWith(request => {
    const prompt = promptOf(request);
    calls.push({ prompt, deploymentId: `openai/${request.body.model}`, atMs: performance.now() });
    return scripts.get(prompt)?.shift() ?? answer?.(prompt) ?? wordsOf(prompt).map(text);
  });
  let token: string | undefined;
  let newest: ChildProcess | undefined;

  return {
    upstream,
    balancer,
    async start(point) {
      const server = await startServerProcess(
        t,
        dataDir,
        {
          OPENAI_BASE_URL: `${upstream.url}/v1`,
          JWT_SECRET_KEY: 'aGVsbG8gdGhpcyBpcyBmb3IgdGVzdHMgb25seSwgNDggYnl0ZXM',
          ...BOUNDLESS_CALLERS,
          ...env,
          ...(point && { NODE_OPTIONS: `--import=${HOOK}`, CRASH_AT: JSON.stringify(point) }),
        },
        child => {
          newest = child;
        },
      );
      token ??= server.token;
      return server;
    },
    async killNewest() {
      const ended = once(newest!, 'exit');
      newest!.kill('SIGKILL');
      await ended;
    },
    client() {
      const client = createClient({ url: balancer.url, token: () => token });
      t.after(() => client.dispose());
      return client;
    },
    script: (prompt, ...more) => void scripts.set(prompt, more),
    calls: prompt => calls.filter(call => call.prompt === prompt),
  };
}

const WORDS = 12;

/** The whole answer to a prompt, piece by piece: no two prompts have the same. */
export function wordsOf(prompt: string): string[] {
  return Array.from({ length: WORDS }, (_, index) => `${prompt}/${index} `);
}

export function answerTo(prompt: string): string {
  return wordsOf(prompt).join('');
}

/** Calls until a server answers, as an application does that wants to know. */
export async function insist<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isMcplaneError(error) || !error.retryable || tries === TRIES) throw error;
      await new Promise(resolve => setTimeout(resolve, error.retryAfterMs ?? 100));
    }
  }
}

/** More than a server needs to come back. */
const TRIES = 1_000;

/** The key makes it one request, however often it is submitted. */
export async function submitSurely(
  client: Client,
  input: { readonly prompt: string; readonly idempotencyKey: string; readonly priority?: number },
): Promise<string> {
  return (await insist(() => client.submitRequest({ input }))).submitRequest.request.id;
}

export interface Followed {
  /** The text after all restarts. */
  readonly text: string;
  readonly restarts: number;
  readonly last: StreamEvent;
}

/** All events, from server to server. The SDK goes on by itself for some seconds, an application for longer. */
async function* eventsOf(client: Client, requestId: string): AsyncGenerator<StreamEvent, undefined> {
  let after: string | undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      for await (const event of client.follow(requestId, { after }).events()) {
        after = event.cursor;
        yield event;
      }
      return;
    } catch (error) {
      if (!isMcplaneError(error) || !error.retryable || tries === 5) throw error;
    }
  }
}

/** Follows to the end, whoever dies meanwhile, and checks that the events fit together without a gap or a double. */
export async function followToEnd(
  client: Client,
  requestId: string,
  onEvent: (event: StreamEvent) => void = () => {},
): Promise<Followed> {
  const id = idOf('request', requestId)!;
  let text = '';
  let restarts = 0;
  let before: Position = { epoch: 0, sequence: 0, offset: 0 };
  for await (const event of eventsOf(client, requestId)) {
    const at = parseCursor(id, event.cursor);
    assert.ok(at, `a cursor that does not parse: ${event.cursor}`);
    assert.ok(comparePositions(before, at) < 0, `an event out of order: ${JSON.stringify({ before, at })}`);
    if (event.__typename === 'StreamRestarted') {
      assert.equal(event.keepThrough ?? undefined, undefined, 'another process keeps nothing');
      text = '';
      restarts += 1;
    }
    if (event.__typename === 'TokenDelta') text += event.text;
    if (event.__typename !== 'StreamFailed')
      assert.equal(text.length, at.offset, JSON.stringify({ text, at }));
    before = at;
    onEvent(event);
    if (event.__typename === 'StreamCompleted' || event.__typename === 'StreamFailed')
      return { text, restarts, last: event };
  }
  throw new Error('the stream ended without a last event');
}

/** A request as it is stored, and the ledger of its attempts, whose numbers are theirs alone. */
export async function stored(client: Client, id: string) {
  const { request } = await insist(() => client.request({ id }));
  assert.ok(request, `an accepted request is gone: ${id}`);
  const { status, output, finishedAt, attempts } = request;
  assert.deepEqual(
    attempts.map(({ number }) => number),
    attempts.map((_, index) => index + 1),
  );
  const rows = attempts.map(({ outcome, deploymentId }) => ({ outcome, deploymentId }));
  return { status, output, finishedAt, rows, outcomes: rows.map(({ outcome }) => outcome) };
}

/** How many requests with this prompt there are. */
export async function countOf(client: Client, prompt: string): Promise<number> {
  const query =
    'query ($text: String!) { requests(first: 100, filter: { text: $text }) { edges { node { prompt } } } }';
  const { requests } = await client.query<
    { requests: { edges: { node: { prompt: string } }[] } },
    { text: string }
  >(query, { text: prompt });
  return requests.edges.filter(({ node }) => node.prompt === prompt).length;
}

/** Lets the lease of the dead pass. The living touch their rows again before they judge. */
export async function passLeases(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query("update instances set beat_at = beat_at - interval '1 hour' where dead_at is null");
  await client.end();
}
