// What callers see of a provider that comes back, over real sockets: its traffic returns by a probe, a probe that fails
// costs them nothing, and when every breaker is open one of them is tried and the others hear when to come back.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Data, startTestApp, type TestApp, until } from '../support/app.ts';
import { REQUEST, readStream, SUBMIT, submit, textOf } from '../support/requests.ts';
import { startUpstream, status, text } from '../support/upstream.ts';

/** `anthropic` answers with its name; `openai` fails until it is told otherwise. */
async function startTwo(t: TestContext, env: Record<string, string>) {
  const [openai, anthropic] = [await startUpstream(t), await startUpstream(t)];
  openai.answerWith(() => status(500));
  anthropic.answerWith(() => [text('anthropic')]);
  const urls = { OPENAI_BASE_URL: `${openai.url}/v1`, ANTHROPIC_BASE_URL: anthropic.url };
  const app = await startTestApp(t, { ...urls, MCPLANE_BREAKER_CONSECUTIVE_FAILURES: '1', ...env });
  return { app, openai, anthropic };
}

async function breakersOf(app: TestApp): Promise<Record<string, string>> {
  const { providers } = await app.ask('{ providers { id deployments { breaker { state } } } }');
  return Object.fromEntries(
    providers.flatMap(({ id, deployments }: Data) => deployments.map((one: Data) => [id, one.breaker.state])),
  );
}

const ask = async (app: TestApp, input: object = {}) => {
  const id = await submit(app, { prompt: 'Hello', ...input });
  const events = await readStream(app, id);
  return { id, text: textOf(events), last: events.at(-1)! };
};

test('a provider that recovered gets its traffic back, and nobody noticed that it was away', async t => {
  const { app, openai } = await startTwo(t, {
    MCPLANE_BREAKER_OPEN_FOR_MS: '50',
    MCPLANE_BREAKER_MAX_OPEN_FOR_MS: '50',
  });
  const answers: string[] = [];
  const one = async () => answers.push((await ask(app)).text);
  await until(async () => {
    await one();
    return openai.modelCalls.length >= 3;
  }, 'probes that fail are made again and again');
  assert.deepEqual(new Set(answers), new Set(['anthropic']));

  openai.answerWith(() => [text('openai')]);
  await until(async () => {
    await one();
    return (await breakersOf(app)).openai === 'CLOSED';
  }, 'probes closed it');

  assert.deepEqual(new Set(answers), new Set(['anthropic', 'openai']));
});

test('with every breaker open exactly one of many requests is tried; the others hear when to come back', async t => {
  const { app, openai, anthropic } = await startTwo(t, {
    MCPLANE_BREAKER_OPEN_FOR_MS: '600000',
    MCPLANE_BREAKER_MAX_OPEN_FOR_MS: '600000',
  });
  anthropic.answerWith(() => status(500));
  assert.equal((await ask(app)).last.__typename, 'StreamFailed');
  assert.deepEqual(await breakersOf(app), { openai: 'OPEN', anthropic: 'OPEN' });
  const before = openai.modelCalls.length + anthropic.modelCalls.length;

  const ends = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const { data, errors } = await app.send(SUBMIT, { input: { prompt: 'Hello' } });
      if (errors) return errors[0]!.extensions;
      return (await readStream(app, data.submitRequest.request.id)).at(-1)!.error;
    }),
  );

  assert.equal(openai.modelCalls.length + anthropic.modelCalls.length, before + 1);
  for (const { code, retryAfterMs } of ends) {
    assert.equal(code, 'NO_ROUTE');
    assert.ok(retryAfterMs > 300_000 && retryAfterMs <= 600_000, `${retryAfterMs}`);
  }
});

test('a last resort that answers is an answer like any other, and the decision says what it was', async t => {
  const { app, openai, anthropic } = await startTwo(t, {
    MCPLANE_BREAKER_OPEN_FOR_MS: '600000',
    MCPLANE_BREAKER_MAX_OPEN_FOR_MS: '600000',
    MCPLANE_BREAKER_SUCCESSES_TO_CLOSE: '1',
  });
  anthropic.answerWith(() => status(500));
  await ask(app);
  openai.answerWith(() => [text('back')]);
  anthropic.answerWith(() => [text('back')]);

  const { id, text: answer } = await ask(app);

  assert.equal(answer, 'back');
  const { request } = await app.ask(REQUEST, { id });
  assert.equal(request.attempts.length, 1);
  assert.match(request.routing.explanation, /only: nobody can serve this now/);
  assert.deepEqual(Object.values(await breakersOf(app)).sort(), ['CLOSED', 'OPEN']);
});
