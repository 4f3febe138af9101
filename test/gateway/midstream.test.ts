// What a subscriber sees when an answer breaks off in the middle: a continuation, or an announced new beginning.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Data, startTestApp } from '../support/app.ts';
import { REQUEST, readStream, submit, textOf } from '../support/requests.ts';
import { cut, startUpstream, status, text } from '../support/upstream.ts';

/** Takes an assistant's beginning of an answer and goes on from it; see model-data.ts. */
const PREFILL_MODEL = 'claude-haiku-4-5';

/** One provider, `openai`, whose model takes no prefill. */
async function openaiOnly(t: TestContext) {
  const upstream = await startUpstream(t);
  return { upstream, app: await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` }) };
}

/** One provider, `anthropic`, whose model takes a prefill. */
async function anthropicOnly(t: TestContext) {
  const upstream = await startUpstream(t, { models: [{ id: PREFILL_MODEL }] });
  return { upstream, app: await startTestApp(t, { ANTHROPIC_BASE_URL: upstream.url }) };
}

/** What a client has in the end that obeys the events. */
function shownBy(events: readonly Data[]): string {
  let shown = '';
  for (const event of events) {
    if (event.__typename === 'StreamRestarted') shown = '';
    shown += event.text ?? '';
  }
  return shown;
}

const kinds = (events: readonly Data[]) =>
  events.map(event => event.__typename).filter(name => name !== 'TokenDelta');

test('an answer that is begun again the same way goes on where it broke off, unseen', async t => {
  const { upstream, app } = await openaiOnly(t);
  upstream.enqueue([text('The capital of '), cut()], [text('The capi'), text('tal of France is Paris.')]);

  const id = await submit(app, { prompt: 'Capital?' });
  const events = await readStream(app, id);
  assert.equal(textOf(events), 'The capital of France is Paris.');
  assert.deepEqual(kinds(events), ['AttemptStarted', 'AttemptStarted', 'StreamCompleted']);
  const { request } = await app.ask(REQUEST, { id });
  assert.equal(request.output, 'The capital of France is Paris.');
  assert.deepEqual(
    request.attempts.map((attempt: Data) => [attempt.outcome, attempt.error?.code]),
    [
      ['FAILED', 'STREAM_TRUNCATED'],
      ['SUCCEEDED', undefined],
    ],
  );
});

test('an answer that is begun otherwise is announced, and the new one is whole', async t => {
  const { upstream, app } = await openaiOnly(t);
  upstream.enqueue([text('The capital is '), cut()], [text('Its capital'), text(' is Paris.')]);

  const id = await submit(app, { prompt: 'Capital?' });
  const events = await readStream(app, id);
  assert.equal(shownBy(events), 'Its capital is Paris.');
  assert.deepEqual(kinds(events), ['AttemptStarted', 'AttemptStarted', 'StreamRestarted', 'StreamCompleted']);
  assert.deepEqual(events.at(-1).request, { status: 'SUCCEEDED', output: 'Its capital is Paris.' });
});

test('a subscriber that left before the new beginning and returns after the end is told to begin anew', async t => {
  const { upstream, app } = await openaiOnly(t);
  upstream.enqueue([text('The capital is '), cut()], [text('Its capital is Paris.')]);
  const id = await submit(app, { prompt: 'Capital?' });
  const live = await readStream(app, id);
  const early = live.find(event => event.text === 'The capital is ').cursor;

  // The log is still there; then the same from the store alone.
  for (const request of [
    app,
    await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` }, async () => app.store),
  ]) {
    const rest = await readStream(request, id, early);
    assert.ok(kinds(rest).includes('StreamRestarted'));
    assert.equal(shownBy(rest), 'Its capital is Paris.');
  }
});

test('a model that takes a prefill goes on from what was sent', async t => {
  const { upstream, app } = await anthropicOnly(t);
  upstream.enqueue([text('One, two, '), cut()], [text('three.')]);

  const id = await submit(app, { prompt: 'Count' });
  const events = await readStream(app, id);
  assert.equal(textOf(events), 'One, two, three.');
  assert.ok(!kinds(events).includes('StreamRestarted'));
  const messages = upstream.modelCalls[1]?.body.messages;
  assert.equal(messages.at(-1).role, 'assistant');
  assert.match(JSON.stringify(messages.at(-1).content), /One, two,/);
});

test('a prefill that is refused is hidden, and the answer begins anew', async t => {
  const { upstream, app } = await anthropicOnly(t);
  upstream.enqueue([text('One, two, '), cut()], status(400), [text('One, two, three.')]);

  const id = await submit(app, { prompt: 'Count' });
  const events = await readStream(app, id);
  assert.equal(textOf(events), 'One, two, three.');
  assert.equal(events.at(-1).__typename, 'StreamCompleted');
  assert.equal(upstream.modelCalls[2]?.body.messages.at(-1).role, 'user');
});

test('a buffered request shows nothing but the whole answer', async t => {
  const { upstream, app } = await openaiOnly(t);
  upstream.enqueue([text('The capital is '), cut()], [text('Its capital'), text(' is Paris.')]);

  const id = await submit(app, { prompt: 'Capital?', buffered: true });
  const events = await readStream(app, id);
  assert.deepEqual(
    events.filter(event => event.text).map(event => event.text),
    ['Its capital is Paris.'],
  );
  assert.ok(!kinds(events).includes('StreamRestarted'));
});

test('the ledger has what every attempt cost, the one that broke off too', async t => {
  const { upstream, app } = await anthropicOnly(t);
  upstream.enqueue([text('One, two, '), cut()], [text('three.')]);
  const id = await submit(app, { prompt: 'Count' });
  await readStream(app, id);

  const { request } = await app.ask(REQUEST, { id });
  const costs = request.attempts.map((attempt: Data) => Number(attempt.cost));
  assert.ok(costs.every((cost: number) => cost > 0));
  assert.ok(Math.abs(Number(request.cost) - costs[0] - costs[1]) < 1e-9);
  assert.equal(request.usage.estimated, true);
});
