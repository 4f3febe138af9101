// Operations that nobody thought of, over HTTP: whatever is sent, the answer is GraphQL, tells nothing of the inside, and
// the server goes on. FUZZ_CASES makes the run longer, FUZZ_SEED repeats one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERROR_CODES } from '../../src/domain/errors.ts';
import { schema } from '../../src/graphql/schema.ts';
import { BOUNDLESS_CALLERS, startTestApp } from '../support/app.ts';
import { makeOperation } from './documents.ts';
import { anyValue, CASES, createLuck, damaged, SEED } from './luck.ts';

/** Stacks, files, statements and secrets are of the inside. */
const INSIDE =
  /\bat \S+ \(|\.ts:\d+|node_modules|password_hash|secret_hash|select .* from |insert into|PGlite|SQLSTATE/i;
/** Far above what any operation takes here, also on a busy machine: it hangs. */
const HANGS_MS = 20_000;

test(`any operation is answered as GraphQL does (seed ${SEED}, ${CASES} cases)`, async t => {
  const { url, adminToken, send } = await startTestApp(t, BOUNDLESS_CALLERS);
  const codes = new Map<string, number>();
  for (let number = 0; number < CASES; number += 1) {
    const luck = createLuck(SEED + number);
    const made = makeOperation(schema, luck, luck.pick(['query', 'query', 'mutation']));
    const operation: Record<string, unknown> = { ...made };
    if (luck.chance(0.2)) operation.query = damaged(luck, made.query);
    if (luck.chance(0.1))
      operation[luck.pick(['variables', 'operationName', 'extensions', 'query'])] = anyValue(luck);
    const body = luck.chance(0.05) ? damaged(luck, JSON.stringify(operation)) : JSON.stringify(operation);
    const what = `FUZZ_SEED=${SEED + number} FUZZ_CASES=1: ${body.slice(0, 2_000)}`;

    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${adminToken}` },
      body,
      signal: AbortSignal.timeout(HANGS_MS),
    }).catch(error => assert.fail(`${error}: ${what}`));
    const text = await response.text();

    const answer = JSON.parse(text) as {
      data?: unknown;
      errors?: { message: string; extensions?: { code?: string } }[];
    };
    const errors = answer.errors ?? [];
    for (const { message, extensions } of errors) {
      const code = extensions?.code ?? 'none';
      codes.set(code, (codes.get(code) ?? 0) + 1);
      assert.ok(code in ERROR_CODES && code !== 'INTERNAL', `${code} ${message}: ${what}`);
      assert.doesNotMatch(message, INSIDE, what);
    }
    assert.ok(
      response.status < 500 || response.status === 503,
      `${response.status} ${text.slice(0, 500)}: ${what}`,
    );
    assert.ok('data' in answer || errors.length > 0, `neither data nor errors: ${what}`);
    if (answer.data) codes.set('data', (codes.get('data') ?? 0) + 1);
  }

  t.diagnostic(JSON.stringify(Object.fromEntries(codes)));
  assert.deepEqual((await send('{ viewer { username } }')).data, { viewer: { username: 'admin' } });
});
