// A stream of the SDK against a real socket that is cut, refused or left.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { type Client, createClient, type McplaneError, type StreamEvent } from '../../src/sdk/client.ts';
import { startScriptedServer } from './scripted-server.ts';

const REQUEST = { id: 'req_1', status: 'SUCCEEDED' } as never;
const TEXT = Array.from({ length: 40 }, (_, index) => `word${index} `);

/** Cursors are any texts to the SDK. */
const cursorAt = (index: number) => `cursor-${index}`;
const piece = (index: number, text: string) =>
  ({ __typename: 'TokenDelta', cursor: cursorAt(index), requestId: 'req_1', text }) as StreamEvent;
const completed = (index: number) =>
  ({
    __typename: 'StreamCompleted',
    cursor: cursorAt(index),
    requestId: 'req_1',
    request: summary(),
  }) as StreamEvent;

function summary() {
  return {
    ...(REQUEST as object),
    taskType: 'CHAT',
    strategy: 'BALANCED',
    priority: 50,
    preferLocal: false,
    createdAt: new Date(0).toISOString(),
  };
}

const story = [...TEXT.map((text, index) => piece(index, text)), completed(TEXT.length)];

async function textOf(client: Client): Promise<string> {
  let text = '';
  for await (const part of client.stream({ prompt: 'x' })) text += part;
  return text;
}

const server = await startScriptedServer(story);
after(() => server[Symbol.asyncDispose]());

test('a stream that is cut at any byte, again and again, ends with the same text', async () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 6_000 }), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(cuts, async planned => {
      const client = createClient({ url: server.url });
      server.cuts = [...planned];
      let text = '';
      for await (const part of client.follow('req_1')) text += part;
      assert.equal(text, TEXT.join(''));
      await client.dispose();
    }),
    { numRuns: 15 },
  );
});

test('a stream continues behind the cursor that an application kept', async () => {
  const client = createClient({ url: server.url });
  const texts: string[] = [];
  for await (const text of client.follow('req_1', { after: cursorAt(36) })) texts.push(text);
  assert.deepEqual(texts, TEXT.slice(37));
  await client.dispose();
});

test('a submission whose answer was lost is sent again as the same submission', async () => {
  const client = createClient({ url: server.url });
  server.lostAnswers = 1;
  server.submissions.length = 0;
  assert.equal(await client.stream({ prompt: 'x' }).requestId(), 'req_1');
  assert.equal(server.submissions.length, 2);
  assert.equal(server.submissions[0]?.idempotencyKey, server.submissions[1]?.idempotencyKey);
  await client.dispose();
});

test('a refused credential is not tried again', async () => {
  const client = createClient({ url: server.url, token: 'wrong' });
  server.admitting = false;
  server.connections = 0;
  const iterator = client.follow('req_1').events();
  await assert.rejects(
    () => iterator.next(),
    (error: McplaneError) => error.code === 'UNAUTHENTICATED' && !error.retryable,
  );
  assert.equal(server.connections, 1);
  server.admitting = true;
  await client.dispose();
});

test('leaving the loop ends the subscription at the server', async () => {
  await using held = await startScriptedServer(story.slice(0, 3), { hold: true });
  const client = createClient({ url: held.url });
  for await (const _ of client.follow('req_1')) break;
  while (held.openStreams > 0) await turn();
  await client.dispose();
});

test('leaving a stream that waits for its next event ends it, and the waiting', async () => {
  await using held = await startScriptedServer([], { hold: true });
  const client = createClient({ url: held.url });
  const events = client.follow('req_1').events();
  const next = events.next();
  while (held.openStreams === 0) await turn();
  await events.return?.();
  assert.deepEqual(await next, { done: true, value: undefined });
  while (held.openStreams > 0) await turn();
  await client.dispose();
});

test('an abort ends a stream that waits for its next event', async () => {
  await using held = await startScriptedServer([], { hold: true });
  const client = createClient({ url: held.url });
  const controller = new AbortController();
  const next = client.follow('req_1', { signal: controller.signal }).events().next();
  while (held.openStreams === 0) await turn();
  controller.abort();
  await assert.rejects(next, (error: McplaneError) => error.code === 'ABORTED');
  await client.dispose();
});

test('a consumer that falls far behind still gets everything once', async () => {
  const many = [...Array.from({ length: 5_000 }, (_, index) => piece(index, `${index},`)), completed(5_000)];
  await using long = await startScriptedServer(many);
  const client = createClient({ url: long.url });
  const stream = client.follow('req_1');
  let text = '';
  for await (const part of stream) {
    text += part;
    // Once, long enough for the rest to arrive: the socket is read meanwhile, and the client must not keep it all.
    if (part === '0,') while (long.openStreams > 0) await turn();
  }
  assert.equal(
    text,
    many
      .slice(0, -1)
      .map((_, index) => `${index},`)
      .join(''),
  );
  await client.dispose();
});

test('a restart voids what the text iterator handed out, and final() knows the text that holds', async () => {
  const restart = {
    __typename: 'StreamRestarted',
    cursor: 'r',
    requestId: 'req_1',
    attempt: 2,
    reason: 'cut',
    keepThrough: cursorAt(0),
  };
  await using restarted = await startScriptedServer([
    piece(0, 'kept '),
    piece(1, 'void '),
    restart as StreamEvent,
    piece(2, 'new'),
    completed(3),
  ]);
  const client = createClient({ url: restarted.url });
  await assert.rejects(textOf(client), (error: McplaneError) => error.code === 'STREAM_RESTARTED');
  assert.equal((await client.stream({ prompt: 'x' }).final()).text, 'kept new');
  await client.dispose();
});

test('a failed request is an error with its code, and an event for those who read events', async () => {
  const error = { code: 'TIMEOUT', message: 'too late', retryable: true, retryAfterMs: null };
  const failed = { __typename: 'StreamFailed', cursor: 'f', requestId: 'req_1', error, request: summary() };
  await using failing = await startScriptedServer([piece(0, 'a'), failed as StreamEvent]);
  const client = createClient({ url: failing.url });
  await assert.rejects(textOf(client), { code: 'TIMEOUT', requestId: 'req_1', retryable: true });
  const types: string[] = [];
  for await (const event of client.stream({ prompt: 'x' }).events()) types.push(event.__typename);
  assert.deepEqual(types, ['TokenDelta', 'StreamFailed']);
  await client.dispose();
});
