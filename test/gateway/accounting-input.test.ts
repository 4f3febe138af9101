// What is booked for calls of a provider that counts the prompt before it answers: its own count of the input, whatever
// becomes of the answer.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp, until } from '../support/app.ts';
import { readStream, submit } from '../support/requests.ts';
import { cut, errorEvent, raw, type Step, stall, startUpstream, text } from '../support/upstream.ts';

const LEDGER = `query ($id: ID!) {
  request(id: $id) { attempts { outcome usage { inputTokens cachedInputTokens outputTokens estimated } } }
}`;
const RESET =
  'mutation { resetBreaker(input: { providerId: "anthropic", reason: "the next row" }) { provider { id } } }';
const CANCEL = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }';

const usage = { input_tokens: 700, cache_read_input_tokens: 300, output_tokens: 1 };
const event = (type: string, fields: object) =>
  raw(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
const counted = event('message_start', { message: { id: 'msg_1', model: 'served', usage } });
const uncounted = event('message_start', { message: { id: 'msg_1', model: 'served' } });
/** The text has eight bytes. */
const said = text('It is 42');
const booked = (outputTokens: number, inputTokens = 1_000, cachedInputTokens = 300) => ({
  inputTokens,
  cachedInputTokens,
  outputTokens,
  estimated: true,
});

test('a call that breaks off is booked with the input that its provider counted', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { ANTHROPIC_BASE_URL: upstream.url });
  const rows: [Step[], object | null][] = [
    [[counted, said, cut()], booked(2)],
    [[counted, cut()], booked(0)],
    [[counted, said, errorEvent('overloaded_error')], booked(2)],
    [[uncounted, said, cut()], booked(2, 9, 0)],
    // The provider itself says that it did not do the work.
    [[counted, errorEvent('overloaded_error')], null],
  ];
  for (const [script, expected] of rows) {
    upstream.answerWith(() => script);
    const id = await submit(app, { prompt: 'What is the answer?' });
    await readStream(app, id);
    const { attempts } = (await app.ask(LEDGER, { id })).request;
    assert.deepEqual(attempts[0], { outcome: 'FAILED', usage: expected });
    await app.ask(RESET);
  }
});

test('so is a call that its caller cancels', async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { ANTHROPIC_BASE_URL: upstream.url });
  upstream.enqueue([counted, said, stall()]);
  const id = await submit(app, { prompt: 'What is the answer?' });
  const QUERY = 'query ($id: ID!) { request(id: $id) { output firstTokenAt } }';
  await until(async () => (await app.ask(QUERY, { id })).request.firstTokenAt, 'it has begun to answer');

  await app.ask(CANCEL, { id });

  const { attempts } = (await app.ask(LEDGER, { id })).request;
  assert.deepEqual(attempts, [{ outcome: 'CANCELLED', usage: booked(2) }]);
});
