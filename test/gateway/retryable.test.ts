// Whether it is worth submitting a failed request again: a fact of what happened, which the code alone does not tell.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp, type TestApp } from '../support/app.ts';
import { openTestStore } from '../support/database.ts';
import { readStream, submit } from '../support/requests.ts';
import { cut, type Script, type Step, startUpstream, status, text } from '../support/upstream.ts';

const ERRORS = `query ($id: ID!) {
  request(id: $id) { error { code retryable } attempts { error { code retryable } } }
}`;

const refusal = (code: string) => status(400, {}, { error: { type: 'invalid_request_error', code } });
const ROWS: readonly [string, Script | readonly Step[], string, boolean][] = [
  ['a plain 400', status(400), 'PROVIDER_FAILED', false],
  ['422', status(422), 'PROVIDER_FAILED', false],
  ['a prompt that is too long', refusal('context_length_exceeded'), 'CONTEXT_TOO_LONG', false],
  ['content that is refused', refusal('content_policy_violation'), 'CONTENT_REFUSED', false],
  ['a key that is refused', status(401), 'PROVIDER_FAILED', false],
  ['a model that is unknown', status(404), 'PROVIDER_FAILED', false],
  ['500', status(500), 'PROVIDER_FAILED', true],
  ['429', status(429, { 'retry-after': '86400' }), 'PROVIDER_FAILED', true],
  ['a cut', [text('half an ans'), cut()], 'STREAM_TRUNCATED', true],
];

async function errorsOf(app: TestApp, id: string) {
  const last = (await readStream(app, id)).at(-1);
  const { request } = await app.ask(ERRORS, { id });
  return { told: last.error.retryable, request: request.error, attempt: request.attempts.at(-1)?.error };
}

for (const [what, script, code, retryable] of ROWS)
  test(`after ${what} ${code} is ${retryable ? '' : 'not '}retryable, after a restart too`, async t => {
    const upstream = await startUpstream(t);
    const env = { OPENAI_BASE_URL: `${upstream.url}/v1` };
    const store = await openTestStore(t);
    upstream.answerWith(() => script);
    const expected = { told: retryable, request: { code, retryable }, attempt: { code, retryable } };

    const app = await startTestApp(t, env, async () => store);
    const id = await submit(app, { prompt: 'Hello' });
    assert.deepEqual(await errorsOf(app, id), expected);

    // Another server on the same store knows nothing of the stream: it tells it from the rows.
    const restarted = await startTestApp(t, env, async () => store);
    assert.deepEqual(await errorsOf(restarted, id), expected);
  });

test('a request is worth another try when anybody who was asked may answer later', async t => {
  const [openai, anthropic] = [await startUpstream(t), await startUpstream(t)];
  const env = { OPENAI_BASE_URL: `${openai.url}/v1`, ANTHROPIC_BASE_URL: anthropic.url };
  const app = await startTestApp(t, env);
  // Whoever is asked first is overloaded, the other one does not have the model.
  let first: object | undefined;
  for (const upstream of [openai, anthropic])
    upstream.answerWith(() => {
      first ??= upstream;
      return status(upstream === first ? 503 : 404);
    });

  const { request, attempt } = await errorsOf(app, await submit(app, { prompt: 'Hello' }));

  assert.deepEqual(attempt, { code: 'PROVIDER_FAILED', retryable: false });
  assert.deepEqual(request, { code: 'PROVIDER_FAILED', retryable: true });
});
