// What the ledger says an attempt used and cost, over real sockets: what the provider reported, an estimate that says
// so, or nothing. Each row is played by a deployment with a price and by one without.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startTestApp, type TestApp } from '../support/app.ts';
import { readStream, submit } from '../support/requests.ts';
import {
  comment,
  cut,
  errorEvent,
  finish,
  malformed,
  reasoning,
  type Script,
  type Step,
  stall,
  startUpstream,
  status,
  text,
} from '../support/upstream.ts';

const PROMPT = 'What is the answer?';
/** As estimated: a token for four bytes, and four for the message. */
const PROMPT_TOKENS = 9;
/** A first-token deadline by which the headers have come even to a busy machine. */
const HEADERS_ARE_THERE_MS = 3_000;
const USD_PER_TOKEN = { input: 0.001, output: 0.002 };

const LEDGER = `query ($id: ID!) {
  request(id: $id) {
    cost failedAttemptsCost usage { inputTokens outputTokens cachedInputTokens estimated }
    attempts { outcome fault cost usage { inputTokens outputTokens cachedInputTokens estimated } }
  }
}`;

interface Row {
  readonly what: string;
  readonly script: Script | readonly Step[];
  readonly firstTokenMs?: number;
  /** Tokens of the last attempt; undefined: nothing is billed. */
  readonly usage?: { readonly input: number; readonly output: number; readonly cached?: number };
  readonly estimated?: boolean;
}

const refused = (what: string, script: Row['script']): Row => ({ what, script });
const prompt = (what: string, script: Row['script'], firstTokenMs?: number): Row => ({
  what,
  script,
  usage: { input: PROMPT_TOKENS, output: 0 },
  estimated: true,
  ...(firstTokenMs && { firstTokenMs }),
});
/** The text has eight bytes. */
const guessed = (what: string, usage: object): Row => ({
  what: `an answer that reports ${what}`,
  script: [text('It is 42'), finish({ usage: usage as never })],
  usage: { input: PROMPT_TOKENS, output: 2 },
  estimated: true,
});

const ROWS: readonly Row[] = [
  refused('a connection that is reset', { before: 'reset' }),
  { ...refused('silence without headers', { before: 'never' }), firstTokenMs: 150 },
  refused('400', status(400)),
  refused('404', status(404)),
  refused('429', status(429, { 'retry-after': '86400' })),
  refused('500', status(500)),
  refused('a page with 200', { body: '<p>Sign in', headers: { 'content-type': 'text/html' } }),
  refused('an error event first of all', [errorEvent('overloaded_error')]),
  prompt('silence after the headers', [stall()], HEADERS_ARE_THERE_MS),
  prompt('keep-alives until the deadline', [comment(), comment(), stall()], HEADERS_ARE_THERE_MS),
  prompt('a cut before the first token', [text(''), cut()]),
  prompt('a cut while it thinks', [reasoning('hm'), cut()]),
  prompt('a malformed event first of all', [malformed(), stall()]),
  prompt('an end marker alone', [finish({ reason: 'none' })]),
  prompt('a refusal that reports nothing', [finish({ reason: 'content-filter', usage: 'none' })]),
  {
    what: 'a cut after some text',
    script: [text('It is 42'), cut()],
    usage: { input: PROMPT_TOKENS, output: 2 },
    estimated: true,
  },
  {
    what: 'a refusal that reports its prompt',
    script: [finish({ reason: 'content-filter', usage: { inputTokens: 30, outputTokens: 1 } })],
    usage: { input: 30, output: 1 },
  },
  {
    what: 'an answer',
    script: [text('It is 42'), finish({ usage: { inputTokens: 30, outputTokens: 5 } })],
    usage: { input: 30, output: 5 },
  },
  {
    what: 'an answer that reports more cached tokens than there are',
    script: [
      text('It is 42'),
      finish({ usage: { inputTokens: 30, outputTokens: 5, cachedInputTokens: 9_000 } }),
    ],
    usage: { input: 30, output: 5, cached: 30 },
  },
  guessed('nothing', 'none' as never),
  guessed('negative figures', { inputTokens: -5, outputTokens: -3 }),
  guessed('zero', { inputTokens: 0, outputTokens: 0 }),
  guessed('absurd figures', { inputTokens: 30, outputTokens: 1e15 }),
  guessed('fractions', { inputTokens: 3.5, outputTokens: 0.5 }),
  guessed('text', { inputTokens: 'many', outputTokens: 'NaN' }),
  guessed('null', { inputTokens: null, outputTokens: null }),
];

/** Why each row without an answer failed. */
const FAULTS: Readonly<Record<string, string>> = {
  'a connection that is reset': 'connection',
  'silence without headers': 'first-token-deadline',
  '400': 'bad-request',
  '404': 'unknown-model',
  '429': 'rate-limit',
  '500': 'server',
  'a page with 200': 'bad-response',
  'an error event first of all': 'server',
  'silence after the headers': 'first-token-deadline',
  'keep-alives until the deadline': 'first-token-deadline',
  'a cut before the first token': 'truncated',
  'a cut while it thinks': 'truncated',
  'a malformed event first of all': 'bad-response',
  'an end marker alone': 'bad-response',
  'a refusal that reports nothing': 'content-policy',
  'a cut after some text': 'truncated',
  'a refusal that reports its prompt': 'content-policy',
};

/** One provider with prices and one without, each with a deployment `m<index>` for each row. */
async function startWorld(t: TestContext): Promise<TestApp> {
  const upstream = await startUpstream(t);
  upstream.answerWith(({ body }) => ROWS[Number(body?.model.slice(1))]!.script);
  const price = { input: USD_PER_TOKEN.input * 1e6, output: USD_PER_TOKEN.output * 1e6 };
  const endpoint = { kind: 'openai', baseUrl: `${upstream.url}/v1`, onlyModels: true };
  const models = ROWS.map((_row, index) => `m${index}`);
  const providers = [
    { ...endpoint, id: 'priced', models: models.map(model => ({ model, price })) },
    { ...endpoint, id: 'unpriced', models },
  ];
  const directory = await mkdtemp(join(tmpdir(), 'mcplane-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'mcplane.yaml');
  await writeFile(path, JSON.stringify({ providers }));
  return startTestApp(t, { MCPLANE_CONFIG: path, MCPLANE_SIMULATED: 'off' });
}

async function ledgerOf(app: TestApp, { firstTokenMs }: Row, model: string) {
  const deadlines = firstTokenMs ? { firstTokenMs } : undefined;
  const id = await submit(app, { prompt: PROMPT, model, deadlines });
  await readStream(app, id);
  return (await app.ask(LEDGER, { id })).request;
}

function usdOf({ input, output }: NonNullable<Row['usage']>): number {
  return input * USD_PER_TOKEN.input + output * USD_PER_TOKEN.output;
}

test('the ledger has what was used, or an estimate that says so, or nothing', { concurrency: 8 }, async t => {
  const app = await startWorld(t);
  const rows = ROWS.map((row, index) =>
    t.test(`${row.what}: ${row.usage ? `${row.usage.input}/${row.usage.output}` : 'nothing'}`, async () => {
      const expected = row.usage && {
        inputTokens: row.usage.input,
        outputTokens: row.usage.output,
        cachedInputTokens: row.usage.cached ?? 0,
        estimated: row.estimated ?? false,
      };
      const [priced, unpriced] = await Promise.all([
        ledgerOf(app, row, `priced/m${index}`),
        ledgerOf(app, row, `unpriced/m${index}`),
      ]);

      for (const { attempts } of [priced, unpriced])
        for (const { usage } of attempts) assert.deepEqual(usage, expected ?? null);
      for (const { cost } of priced.attempts)
        assert.equal(Number(cost), expected ? Number(usdOf(row.usage!).toFixed(9)) : 0);
      const total = priced.attempts.length * (row.usage ? usdOf(row.usage) : 0);
      assert.equal(Number(priced.cost), Number(total.toFixed(9)));
      const answered = priced.attempts.at(-1).outcome === 'SUCCEEDED';
      assert.equal(priced.failedAttemptsCost, answered ? '0' : priced.cost);
      for (const { fault } of priced.attempts) assert.equal(fault, answered ? null : FAULTS[row.what]);
      // Never zero for want of a price.
      for (const { cost } of [unpriced, ...unpriced.attempts]) assert.equal(cost, expected ? null : '0');
    }),
  );
  await Promise.all(rows);
});
