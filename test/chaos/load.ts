// Callers who never stop asking. What they were told and how long it took is kept for the judgement at the end.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type Client, createClient, isMcplaneError } from '../../src/sdk/client.ts';
import { type Cluster, type Instance, pause, textOf } from './cluster.ts';

export interface Told {
  readonly prompt: string;
  readonly text: string;
  readonly restarts: number;
  /** Whether it was followed on another instance than it was submitted to. */
  readonly remote: boolean;
  /** Of the last token. */
  readonly toldAtMs: number;
  /** The longest silence between two tokens. */
  readonly gapMs: number;
  readonly endedAtMs: number;
}

export interface Submission {
  readonly atMs: number;
  readonly tookMs: number;
  /** Absent: it was accepted. */
  readonly code?: string;
}

export interface Load {
  readonly told: readonly Told[];
  /** Every try of a submission. */
  readonly submissions: readonly Submission[];
  /** No new requests; resolves when those that were accepted have ended. */
  stop(): Promise<void>;
}

/** How long a caller waits before it tries again what was refused, and a probe before its next submission. */
const PAUSE_MS = 250;

/**
 * Each caller submits one request after the other, always to the same instance, and follows it there or, every second
 * pair of them, on the other one. The answers have so many words, 50 ms apart.
 */
export function startCallers(
  t: TestContext,
  { instances }: Cluster,
  { callers = 12, words = 20 } = {},
): Load {
  const load = createLoad(t);
  async function call(caller: number): Promise<void> {
    const near = caller % 2;
    const remote = caller % 4 >= 2;
    const submitting = load.connect(instances[near]!);
    const following = load.connect(instances[remote ? 1 - near : near]!);
    for (let count = 1; !load.stopped; count++) {
      const prompt = `${words} x caller${caller}-${count}-`;
      const id = await submit(submitting, prompt, load);
      load.told.push(await follow(following, { id, prompt, remote }, load));
    }
  }
  const calling = Promise.all(Array.from({ length: callers }, (_, caller) => call(caller)));
  return load.endedBy(calling);
}

/** Submits short requests to an instance without waiting for their answers, which it reads when it is stopped. */
export function startProbe(t: TestContext, instance: Instance, name: string): Load {
  const load = createLoad(t);
  async function probe(): Promise<void> {
    const client = load.connect(instance);
    const submitted: { id: string; prompt: string; remote: boolean }[] = [];
    for (let count = 1; !load.stopped; count++) {
      const prompt = `2 x ${name}-${count}-`;
      submitted.push({ id: await submit(client, prompt, load), prompt, remote: false });
      await pause(PAUSE_MS);
    }
    for (const one of submitted) load.told.push(await follow(client, one, load));
  }
  return load.endedBy(probe());
}

/** What the test ends is not a failure: it has its result, or fails already. */
function createLoad(t: TestContext) {
  const told: Told[] = [];
  const submissions: Submission[] = [];
  const over = new AbortController();
  const load = {
    told,
    submissions,
    signal: over.signal,
    stopped: false,
    connect({ url, token }: Instance): Client {
      const client = createClient({ url, token });
      t.after(() => client.dispose());
      return client;
    },
    endedBy(ended: Promise<unknown>): Load {
      ended.catch(() => {});
      const stop = async () => {
        load.stopped = true;
        await ended;
      };
      return { told, submissions, stop };
    },
  };
  t.after(() => {
    load.stopped = true;
    over.abort();
  });
  return load;
}

type OpenLoad = ReturnType<typeof createLoad>;

/** Tries until it is accepted: its key makes all tries one request. */
async function submit(client: Client, prompt: string, { submissions, signal }: OpenLoad): Promise<string> {
  for (;;) {
    signal.throwIfAborted();
    const atMs = performance.now();
    const note = (code?: string) =>
      void submissions.push({ atMs, tookMs: performance.now() - atMs, ...(code && { code }) });
    try {
      const { submitRequest } = await client.submitRequest({ input: { prompt, idempotencyKey: prompt } });
      note();
      return submitRequest.request.id;
    } catch (error) {
      assert.ok(isMcplaneError(error) && error.retryable, String(error));
      note(error.code);
      await pause(PAUSE_MS);
    }
  }
}

async function follow(
  client: Client,
  { id, prompt, remote }: { id: string; prompt: string; remote: boolean },
  { signal }: OpenLoad,
): Promise<Told> {
  const stream = client.follow(id, { signal });
  let restarts = 0;
  let toldAtMs = 0;
  let gapMs = 0;
  for await (const { __typename } of stream.events()) {
    if (__typename === 'StreamRestarted') restarts += 1;
    if (__typename !== 'TokenDelta') continue;
    const nowMs = performance.now();
    if (toldAtMs > 0) gapMs = Math.max(gapMs, nowMs - toldAtMs);
    toldAtMs = nowMs;
  }
  const { text } = await stream.final();
  return { prompt, text, restarts, remote, toldAtMs, gapMs, endedAtMs: performance.now() };
}

/** Everybody was told the whole answer, and the database has it: one row for each prompt, ended once. */
export async function assertNothingLost({ rows }: Cluster, ...loads: Load[]): Promise<void> {
  const told = loads.flatMap(load => load.told);
  const stored = await rows<{ prompt: string; status: string; output: string }>(
    `select prompt, status, output from requests join request_bodies on id = request_bodies.request_id
     left join request_results on id = request_results.request_id order by prompt`,
  );
  const whole = told.map(({ prompt }) => ({ prompt, text: textOf(prompt) }));
  assert.deepEqual(
    told.map(({ prompt, text }) => ({ prompt, text })),
    whole,
  );
  const byPrompt = (a: { prompt: string }, b: { prompt: string }) => (a.prompt < b.prompt ? -1 : 1);
  assert.deepEqual(
    stored.sort(byPrompt),
    whole.map(({ prompt, text }) => ({ prompt, status: 'SUCCEEDED', output: text })).sort(byPrompt),
  );
}

/** Prompts that the provider was asked more than once. */
export function paidTwice({ upstream }: Cluster): string[] {
  const byPrompt = Map.groupBy(upstream.modelCalls, call => call.body.messages.at(-1).content as string);
  return [...byPrompt].filter(([, calls]) => calls.length > 1).map(([prompt]) => prompt);
}

/** Of all tries that were under way in the time. */
export function longestMs(loads: readonly Load[], fromMs = 0, toMs = Number.POSITIVE_INFINITY): number {
  const inTime = loads
    .flatMap(load => load.submissions)
    .filter(({ atMs, tookMs }) => atMs < toMs && atMs + tookMs > fromMs);
  return Math.round(Math.max(...inTime.map(({ tookMs }) => tookMs)));
}
