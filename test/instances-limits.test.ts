// The limits of callers over several instances: exact while Redis answers, a share for each while it does not, and
// places that come back whatever becomes of those who held them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Answer, BOUNDLESS_CALLERS, type TestApp, until } from './support/app.ts';
import { startInstances } from './support/instances.ts';
import { redisMissing, startRedis } from './support/redis.ts';
import { readStream, SUBMIT, submit } from './support/requests.ts';
import { finish, gate, startUpstream, text } from './support/upstream.ts';

const skip = redisMissing();
/** On a machine that is busy with the test itself nobody shall take its own stalls for those of Redis. */
const PATIENT = { MCPLANE_LIMITS_REDIS_TIMEOUT_MS: '5000' };

const ask = (app: TestApp, input: object = {}): Promise<Answer> =>
  app.send(SUBMIT, { input: { prompt: 'hi', ...input } });
/** `accepted`, or the limit that refused it. */
const outcome = ({ errors }: Answer) =>
  errors ? String(errors[0]!.extensions.limit ?? errors[0]!.extensions.code) : 'accepted';

function countOf(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of outcomes) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}

/** Two instances in front of one provider, which both judge together already. */
async function open(t: TestContext, env: Record<string, string>) {
  const [redis, upstream] = await Promise.all([startRedis(t), startUpstream(t)]);
  const instances = await startInstances(t, {
    OPENAI_BASE_URL: `${upstream.url}/v1`,
    REDIS_URL: redis.url,
    ...BOUNDLESS_CALLERS,
    ...env,
  });
  const { first, second } = instances;
  await Promise.all([first, second].map(app => untilInsured(app, false)));
  return { redis, upstream, ...instances };
}

async function untilInsured(app: TestApp, isInsured: boolean): Promise<void> {
  const wanted = `mcplane_limits_insured ${isInsured ? 1 : 0}\n`;
  const headers = { authorization: `Bearer ${app.adminToken}` };
  await until(
    async () => (await (await fetch(`${app.url}/metrics`, { headers })).text()).includes(wanted),
    `the limits were ${isInsured ? 'judged alone' : 'shared'}`,
  );
}

test('of 500 submissions at once on two instances exactly as many are accepted as the limit says', {
  skip,
}, async t => {
  const { first, second, store } = await open(t, { ...PATIENT, MCPLANE_USER_REQUESTS_PER_MINUTE: '123' });

  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) => ask(index % 2 === 0 ? first : second)),
  );

  assert.deepEqual(countOf(answers.map(outcome)), { accepted: 123, userRequestsPerMinute: 377 });
  assert.equal(await store.requests.count({}, 1_000), 123);
  assert.deepEqual(
    new Set(answers.filter(({ errors }) => errors).map(({ status }) => status)),
    new Set([429]),
  );
});

test('without Redis each instance lets in its share, and nobody is let down meanwhile', { skip }, async t => {
  const { first, second, redis } = await open(t, { MCPLANE_USER_REQUESTS_PER_MINUTE: '100' });
  const both = async (count: number) =>
    (
      await Promise.all(
        Array.from({ length: count }, async (_, index) => {
          const startedMs = performance.now();
          const answer = outcome(await ask(index % 2 ? first : second));
          return { answer, tookMs: performance.now() - startedMs };
        }),
      )
    ).map(({ answer, tookMs }) => {
      longestMs = Math.max(longestMs, tookMs);
      return answer;
    });
  let longestMs = 0;
  const before = await both(20);

  const during = both(40);
  await redis.kill();
  const answers = [...before, ...(await during), ...(await both(20))];
  t.diagnostic(`the longest submission took ${Math.round(longestMs)} ms`);
  await Promise.all([first, second].map(app => untilInsured(app, true)));
  await Promise.all([first, second].map(app => until(async () => (await remaining(app)) <= 50, 'it shares')));
  answers.push(...(await both(60)));

  // Each has let in what Redis and itself allowed, and counts all of it.
  assert.deepEqual(countOf(answers), { accepted: 100, userRequestsPerMinute: 40 });
  await redis.start();
  await Promise.all([first, second].map(app => untilInsured(app, false)));
  assert.equal(outcome(await ask(first)), 'accepted', 'Redis has begun anew');
});

const remaining = async (app: TestApp): Promise<number> =>
  (await app.ask('{ viewer { rateLimits { remaining } } }')).viewer.rateLimits[0].remaining;

test('a request that another instance takes over goes on counting, once, until it ends there', {
  skip,
}, async t => {
  const { first, second, upstream, declareDead } = await open(t, {
    ...PATIENT,
    MCPLANE_USER_CONCURRENT_REQUESTS: '2',
  });
  const go = Promise.withResolvers<void>();
  upstream.answerWith(() => [text('a'), gate(go.promise)]);
  const ids = [await submit(first, { prompt: 'one' }), await submit(first, { prompt: 'two' })];
  assert.equal(outcome(await ask(second)), 'userConcurrentRequests');

  await first.freeze();
  await declareDead(first);
  await until(() => second.app.gateway.load().running === 2, 'the second has taken them');
  assert.equal(outcome(await ask(second)), 'userConcurrentRequests');
  first.thaw();
  await until(() => first.ids.length === 2, 'the first has begun anew');

  assert.deepEqual(
    [outcome(await ask(first)), outcome(await ask(second))],
    ['userConcurrentRequests', 'userConcurrentRequests'],
  );
  go.resolve();
  for (const id of ids) await readStream(second, id);
  await until(async () => (await placesLeft(second)) === 2, 'both places are free');
});

async function placesLeft(app: TestApp): Promise<number> {
  const { viewer } = await app.ask('{ viewer { rateLimits { remaining } } }');
  return viewer.rateLimits[2].remaining;
}

test('what waited in the queue is settled by whichever instance runs it', { skip }, async t => {
  const { first, second, upstream } = await open(t, {
    ...PATIENT,
    MCPLANE_USER_TOKENS_PER_MINUTE: '1000',
    MCPLANE_MAX_RUNNING_REQUESTS: '1',
  });
  const usage = { inputTokens: 1, outputTokens: 9 };
  const go = Promise.withResolvers<void>();
  upstream.answerWith(() => [text('a'), gate(go.promise), finish({ usage })]);
  const input = { prompt: 'word', maxOutputTokens: 200 };
  const ids = [];
  for (let round = 0; round < 4; round++) ids.push(await submit(first, input));

  assert.equal(outcome(await ask(second, input)), 'userTokensPerMinute');
  go.resolve();
  for (const id of ids) await readStream(first, id);

  await until(async () => (await tokensLeft(second)) === 1_000 - 4 * 10, 'all four were settled');
});

async function tokensLeft(app: TestApp): Promise<number> {
  const { viewer } = await app.ask('{ viewer { rateLimits { remaining } } }');
  return viewer.rateLimits[1].remaining;
}

test('tokens and places at once are as exact as requests', { skip }, async t => {
  const { first, second, upstream } = await open(t, {
    ...PATIENT,
    MCPLANE_USER_TOKENS_PER_MINUTE: '5000',
    MCPLANE_USER_CONCURRENT_REQUESTS: '30',
  });
  upstream.answerWith(() => [text('a'), gate(new Promise(() => {}))]);
  const many = (count: number, maxOutputTokens: number) =>
    Promise.all(
      Array.from({ length: count }, (_, index) => ask(index % 2 ? first : second, { maxOutputTokens })),
    );

  // The prompt is five tokens.
  const costly = await many(100, 245);
  const cheap = await many(100, 1);

  assert.deepEqual(countOf(costly.map(outcome)), { accepted: 20, userTokensPerMinute: 80 });
  assert.deepEqual(countOf(cheap.map(outcome)), { userTokensPerMinute: 100 });
});
