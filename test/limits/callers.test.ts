// What a caller hears of its limits: a refusal that names the limit, says when to come again, and has taken nothing.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Answer, startTestApp, type TestApp, until } from '../support/app.ts';
import { readStream, SUBMIT, submit } from '../support/requests.ts';
import { finish, gate, startUpstream, text } from '../support/upstream.ts';

const ask = (app: TestApp, input: object = {}, token?: string): Promise<Answer> =>
  app.send(SUBMIT, { input: { prompt: 'hi', ...input } }, token);
/** `accepted`, or the limit that refused it. */
const outcome = ({ errors }: Answer) => (errors ? errors[0]!.extensions.limit : 'accepted');

async function withUpstream(t: TestContext, env: Record<string, string>) {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1`, ...env });
  return { upstream, app };
}

test('a submission over the limit of a minute is refused with 429 and the time to wait, and counts for nothing', async t => {
  const app = await startTestApp(t, { MCPLANE_USER_REQUESTS_PER_MINUTE: '2' });
  const other = await app.login('other');
  await ask(app);
  await ask(app);

  const response = await fetch(`${app.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminToken}` },
    body: JSON.stringify({ query: SUBMIT, variables: { input: { prompt: 'hi' } } }),
  });

  const { data, errors } = (await response.json()) as Answer;
  const { retryAfterMs, ...extensions } = errors![0]!.extensions as { retryAfterMs: number };
  assert.equal(response.status, 429);
  assert.equal(response.headers.get('retry-after'), String(Math.ceil(retryAfterMs / 1_000)));
  assert.ok(retryAfterMs > 0 && retryAfterMs <= 61_000, `${retryAfterMs} ms`);
  assert.deepEqual(extensions, { limit: 'userRequestsPerMinute', code: 'RATE_LIMITED', retryable: true });
  assert.equal(data, null);
  assert.equal((await app.ask('{ requests { totalCount } }')).requests.totalCount, 2);
  assert.equal(outcome(await ask(app, {}, other)), 'accepted', 'others are not concerned');
  assert.match(
    (await (
      await fetch(`${app.url}/metrics`, { headers: { authorization: `Bearer ${app.adminToken}` } })
    ).text()) as string,
    /^mcplane_limit_refusals_total\{limit="userRequestsPerMinute"\} 1$/m,
  );
});

test('what was accepted before is found by its key also by one who is over the limit', async t => {
  const app = await startTestApp(t, { MCPLANE_USER_REQUESTS_PER_MINUTE: '1' });
  const first = await ask(app, { idempotencyKey: 'once' });

  const again = await ask(app, { idempotencyKey: 'once' });
  const another = await ask(app, { idempotencyKey: 'twice' });

  assert.equal(again.data.submitRequest.request.id, first.data.submitRequest.request.id);
  assert.equal(outcome(another), 'userRequestsPerMinute');
});

test('tokens are taken as they may be needed and settled as they were used', async t => {
  const { upstream, app } = await withUpstream(t, { MCPLANE_USER_TOKENS_PER_MINUTE: '1000' });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('a'), gate(go.promise), finish({ usage: { inputTokens: 10, outputTokens: 90 } })]);
  const id = await submit(app, { prompt: 'hi', maxOutputTokens: 900 });

  const meanwhile = await ask(app, { maxOutputTokens: 800 });
  go.resolve();
  await readStream(app, id);
  const afterwards = await ask(app, { maxOutputTokens: 800 });

  assert.deepEqual([outcome(meanwhile), outcome(afterwards)], ['userTokensPerMinute', 'accepted']);
});

test('what no waiting would let in is the mistake of whoever asks', async t => {
  const { app } = await withUpstream(t, { MCPLANE_USER_TOKENS_PER_MINUTE: '100' });

  const tooMuch = await ask(app, { maxOutputTokens: 200 });
  const tooLong = await ask(app, { prompt: 'word '.repeat(200) });
  const guessed = await ask(app);

  assert.deepEqual(
    [tooMuch, tooLong].map(({ errors }) => [errors![0]!.extensions.code, errors![0]!.extensions.argument]),
    [
      ['BAD_USER_INPUT', 'maxOutputTokens'],
      ['BAD_USER_INPUT', 'prompt'],
    ],
  );
  assert.equal(outcome(guessed), 'accepted', 'a guess of ours is no reason');
});

test('a request is under way until it has ended, whether it runs or waits', async t => {
  const { upstream, app } = await withUpstream(t, {
    MCPLANE_USER_CONCURRENT_REQUESTS: '2',
    MCPLANE_MAX_RUNNING_REQUESTS: '1',
  });
  const go = Promise.withResolvers<void>();
  upstream.answerWith(() => [text('a'), gate(go.promise)]);
  const running = await submit(app, { prompt: 'running' });
  const waiting = await submit(app, { prompt: 'waiting' });

  assert.equal(outcome(await ask(app)), 'userConcurrentRequests');
  await app.ask(
    'mutation ($input: CancelRequestInput!) { cancelRequest(input: $input) { request { status } } }',
    { input: { requestId: waiting } },
  );
  const next = await ask(app);
  assert.equal(outcome(next), 'accepted', 'the place of the cancelled one');
  assert.equal(outcome(await ask(app)), 'userConcurrentRequests');
  go.resolve();
  await readStream(app, running);
  await readStream(app, next.data.submitRequest.request.id);
  assert.deepEqual([outcome(await ask(app)), outcome(await ask(app))], ['accepted', 'accepted']);
});

test('a submission that comes to nothing gives back what it took', async t => {
  const { upstream, app } = await withUpstream(t, {
    MCPLANE_USER_CONCURRENT_REQUESTS: '3',
    MCPLANE_MAX_RUNNING_REQUESTS: '1',
    MCPLANE_MAX_QUEUED_REQUESTS: '1',
  });
  upstream.answerWith(() => [text('a'), gate(new Promise(() => {}))]);
  await submit(app, { prompt: 'running' });
  await submit(app, { prompt: 'waiting' });

  const codes = [];
  for (let round = 0; round < 4; round++) codes.push((await ask(app)).errors![0]!.extensions.code);

  assert.deepEqual(codes, ['OVERLOADED', 'OVERLOADED', 'OVERLOADED', 'OVERLOADED']);
});

test('an API key and an address have limits beside those of their user', async t => {
  const app = await startTestApp(t, {
    MCPLANE_API_KEY_REQUESTS_PER_MINUTE: '1',
    MCPLANE_ADDRESS_REQUESTS_PER_MINUTE: '4',
  });
  const createKey = async (name: string) =>
    (
      await app.ask('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }', {
        input: { name },
      })
    ).createApiKey.secret as string;
  const [one, two] = [await createKey('one'), await createKey('two')];

  assert.deepEqual(
    [
      outcome(await ask(app, {}, one)),
      outcome(await ask(app, {}, one)),
      outcome(await ask(app, {}, two)),
      outcome(await ask(app)),
      outcome(await ask(app)),
      outcome(await ask(app)),
    ],
    ['accepted', 'apiKeyRequestsPerMinute', 'accepted', 'accepted', 'accepted', 'addressRequestsPerMinute'],
  );
});

test('with every limit at 0 nobody is counted', async t => {
  const { upstream, app } = await withUpstream(t, {
    MCPLANE_USER_REQUESTS_PER_MINUTE: '0',
    MCPLANE_USER_TOKENS_PER_MINUTE: '0',
    MCPLANE_USER_CONCURRENT_REQUESTS: '0',
  });
  upstream.answerWith(() => [text('a'), gate(new Promise(() => {}))]);

  const outcomes = await Promise.all(Array.from({ length: 120 }, () => ask(app)));

  assert.deepEqual(new Set(outcomes.map(outcome)), new Set(['accepted']));
  await until(() => app.app.gateway.load().running === 120, 'all of them run');
});
