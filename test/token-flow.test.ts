// A token's way from the provider to the subscriber, end to end: read this first.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestApp } from './support/app.ts';
import { gate, startUpstream, text } from './support/upstream.ts';

const SUBMIT = `mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id status } } }`;
const STREAM = `subscription ($id: ID!, $after: String) {
  tokenStream(requestId: $id, after: $after) {
    __typename
    cursor
    ... on AttemptStarted { attempt deployment }
    ... on TokenDelta { text }
    ... on StreamCompleted { request { status output } }
  }
}`;

test('a token travels from the provider through attempt, log and subscription to the client', async t => {
  const upstream = await startUpstream(t);
  const { ask, follow } = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });

  // The provider holds its second half back until the client has shown that it saw the first.
  const seen = Promise.withResolvers<void>();
  upstream.enqueue([text('Hello'), gate(seen.promise), text(' world')]);
  const { request } = (await ask(SUBMIT, { input: { prompt: 'Say hello' } })).submitRequest;
  assert.equal(request.status, 'RUNNING');

  const events = [];
  for await (const { tokenStream } of follow(STREAM, { id: request.id })) {
    events.push(tokenStream);
    if (tokenStream.text === 'Hello') seen.resolve();
  }

  assert.deepEqual(
    events.map(event => event.text ?? event.__typename),
    ['AttemptStarted', 'Hello', ' world', 'StreamCompleted'],
  );
  assert.deepEqual(events.at(-1).request, { status: 'SUCCEEDED', output: 'Hello world' });
  assert.equal(upstream.modelCalls.length, 1);
});

test('a subscriber that returns with its last cursor reads on where it was, also after the end', async t => {
  const upstream = await startUpstream(t);
  const { ask, follow } = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  const cut = Promise.withResolvers<void>();
  upstream.enqueue([text('one '), gate(cut.promise), text('two '), text('three')]);
  const { request } = (await ask(SUBMIT, { input: { prompt: 'Count' } })).submitRequest;

  let cursor: string | undefined;
  for await (const { tokenStream } of follow(STREAM, { id: request.id })) {
    cursor = tokenStream.cursor;
    if (tokenStream.text) break;
  }
  cut.resolve();

  const rest = [];
  for await (const { tokenStream } of follow(STREAM, { id: request.id, after: cursor }))
    rest.push(tokenStream);
  assert.equal(rest.map(event => event.text ?? '').join(''), 'two three');
  assert.equal(rest.at(-1).__typename, 'StreamCompleted');
});

test('ten subscribers cost one provider call and read the same text', async t => {
  const upstream = await startUpstream(t);
  const { ask, follow } = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  const go = Promise.withResolvers<void>();
  upstream.enqueue([gate(go.promise), text('shared '), text('answer')]);
  const { request } = (await ask(SUBMIT, { input: { prompt: 'Share' } })).submitRequest;

  const texts = Array.from({ length: 10 }, async () => {
    let all = '';
    for await (const { tokenStream } of follow(STREAM, { id: request.id })) {
      if (tokenStream.__typename === 'AttemptStarted') go.resolve();
      all += tokenStream.text ?? '';
    }
    return all;
  });
  assert.deepEqual(new Set(await Promise.all(texts)), new Set(['shared answer']));
  assert.equal(upstream.modelCalls.length, 1);
});
