// Operations that nobody thought of, over HTTP: whatever is sent, the answer is GraphQL, tells nothing of the inside, and
// the server goes on. FUZZ_CASES makes the run longer, FUZZ_SEED repeats one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import { schema } from '../../src/graphql/schema.ts';
import { makeOperation } from './documents.ts';
import { anyValue, CASES, createLuck, damaged, type Luck, SEED } from './luck.ts';
import { mutatedOperation } from './sdk-operations.ts';
import { type FuzzedApp, startFuzzedApp } from './world.ts';

/** Stacks, files, statements and secrets are of the inside. */
const INSIDE =
  /\bat \S+ \(|\.ts:\d+|node_modules|password_hash|secret_hash|select .* from |insert into|PGlite|SQLSTATE/i;
/** Far above what any operation takes here, also on a busy machine: it hangs. */
const HANGS_MS = 20_000;

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

test(`any operation is answered as GraphQL does (seed ${SEED}, ${CASES} cases)`, async t => {
  const app = await startFuzzedApp(t);
  const codes = new Map<string, number>();
  const count = (code: string) => codes.set(code, (codes.get(code) ?? 0) + 1);
  for (let number = 0; number < CASES; number += 1) {
    const luck = createLuck(SEED + number);
    const body = bodyOf(luck, app.ids);
    const what = `FUZZ_SEED=${SEED + number} FUZZ_CASES=1: ${body.slice(0, 4_000)}`;
    const answer = await answerTo(app, body, luck.chance(0.1), what);
    for (const { message, extensions } of answer?.errors ?? []) {
      const code = extensions?.code ?? 'none';
      count(code);
      assert.ok(code in ERROR_CODES && code !== 'INTERNAL', `${code} ${message}: ${what}`);
    }
    // The texts of callers come back in data, and may look like anything.
    assert.doesNotMatch(JSON.stringify(answer?.errors ?? []), INSIDE, what);
    if (!answer) count('stream');
    else if (answer.data) count('data');
  }

  t.diagnostic(JSON.stringify(Object.fromEntries(codes)));
  t.diagnostic(`${Math.round(process.memoryUsage.rss() / 1e6)} MB`);
  assert.deepEqual((await app.send('{ viewer { username } }')).data, { viewer: { username: 'admin' } });
});

function bodyOf(luck: Luck, ids: readonly string[]): string {
  const kind = luck.pick([
    'query',
    'query',
    'query',
    'mutation',
    'mutation',
    'mutation',
    'subscription',
  ] as const);
  const made = luck.chance(0.3)
    ? mutatedOperation(schema, luck, ids)
    : makeOperation(schema, luck, kind, ids);
  const operation: Record<string, unknown> = { ...made };
  if (luck.chance(0.1)) operation.query = damaged(luck, made.query);
  if (luck.chance(0.05))
    operation[luck.pick(['variables', 'operationName', 'extensions', 'query'])] = anyValue(luck);
  const text = JSON.stringify(luck.chance(0.03) ? luck.some(4, () => operation) : operation);
  if (luck.chance(0.05)) return damaged(luck, text);
  // Numbers that JSON can say and no number of ours can hold.
  const huge = luck.pick(['1e999', '-1e999', '9'.repeat(400)]);
  return luck.chance(0.05) ? text.replace(/:(-?\d+)(?=[,}\]])/, `:${huge}`) : text;
}

/** Undefined: it was answered by a stream that has begun. */
async function answerTo(
  { url, adminToken }: FuzzedApp,
  body: string,
  asStream: boolean,
  what: string,
): Promise<Answer | undefined> {
  const leave = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${adminToken}`,
      ...(asStream && { accept: 'text/event-stream' }),
    },
    body,
    signal: AbortSignal.any([leave.signal, AbortSignal.timeout(HANGS_MS)]),
  }).catch(error => assert.fail(`${error}: ${what}`));
  assert.ok(response.status < 500 || response.status === 503, `${response.status}: ${what}`);
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    await response.body!.getReader().read();
    leave.abort();
    return undefined;
  }
  const text = await response.text();
  const answer = parsed(text, what);
  const answers = Array.isArray(answer) ? answer : [answer];
  for (const one of answers)
    assert.ok('data' in one || (one.errors?.length ?? 0) > 0, `neither data nor errors: ${text}: ${what}`);
  return answers.length === 1 ? answers[0] : { errors: answers.flatMap(({ errors }) => errors ?? []) };
}

function parsed(text: string, what: string): Answer | Answer[] {
  try {
    return JSON.parse(text);
  } catch {
    assert.fail(`no JSON: ${text.slice(0, 500)}: ${what}`);
  }
}
