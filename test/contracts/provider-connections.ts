// What every provider adapter promises about connections: an abort closes them at once, an answer that is over gives
// them back, and calls at the same time do not share them.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { collect, providerCall } from '../support/provider-calls.ts';
import { comment, endless, finish, type Script, stall, text, waitMs } from '../support/upstream.ts';
import { type ProviderUnderTest, startProvider } from './provider.ts';

/** Long enough for a busy machine, far below the seconds that a missed close would take. */
const PROMPT_MS = 500;

export function providerConnections(provider: ProviderUnderTest): void {
  describe(`${provider.name} and its connections`, () => {
    cancellation(provider);
    connections(provider);
  });
}

function cancellation(provider: ProviderUnderTest): void {
  const reason = new Error('enough');
  const silent: [string, Script][] = [
    ['before it answers', { before: 'never' }],
    ['before its first token', { steps: [comment(), stall()] }],
    ['mid-stream', { steps: [text('a'), stall()] }],
    [
      'while it sends keep-alives',
      {
        steps: [
          text('a'),
          ...Array(100)
            .fill([comment(), waitMs(20)])
            .flat(),
        ],
      },
    ],
    ['in an endless stream', { steps: [endless(text('more '))] }],
  ];
  for (const [when, script] of silent)
    test(`an abort ends the call and closes the connection ${when}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue(script);
      const controller = new AbortController();
      const answer = collect(adapter, providerCall(), controller.signal);
      const request = await upstream.nextRequest();
      await new Promise(resolve => setImmediate(resolve));

      const abortedAt = performance.now();
      controller.abort(reason);

      assert.equal((await answer).error, reason);
      assert.ok(performance.now() - abortedAt < PROMPT_MS);
      assert.ok((await request.closed) - abortedAt < PROMPT_MS);
    });

  test('an abort before the start opens no connection', async t => {
    const { upstream, adapter } = await startProvider(t, provider);

    const { error, events } = await collect(adapter, providerCall(), AbortSignal.abort(reason));

    assert.deepEqual([error, events, upstream.connections], [reason, [], 0]);
  });
}

function connections(provider: ProviderUnderTest): void {
  test('uses a connection again after a finished answer', async t => {
    const { upstream, adapter } = await startProvider(t, provider);

    for (let call = 0; call < 10; call++) assert.equal((await collect(adapter)).text, 'echo: Hello there');

    // The next call may start while the last bytes of the answer before are still on their way.
    assert.ok(upstream.connections <= 2, `${upstream.connections} connections`);
  });

  test('finishes at the marker and closes a connection that the provider leaves open', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([text('all'), finish(), stall()]);

    const startedAt = performance.now();
    const { text: answer, finished } = await collect(adapter);

    assert.deepEqual([answer, finished?.reason.unified], ['all', 'stop']);
    assert.ok(performance.now() - startedAt < PROMPT_MS);
    assert.ok((await upstream.requests[0]!.closed) - startedAt < 2 * PROMPT_MS);
  });

  test('ten calls at once do not disturb each other', async t => {
    const { adapter } = await startProvider(t, provider);

    const prompts = Array.from({ length: 10 }, (_, index) => `prompt ${index}`);
    const answers = await Promise.all(
      prompts.map(content => collect(adapter, providerCall({ messages: [{ role: 'USER', content }] }))),
    );

    assert.deepEqual(
      answers.map(answer => answer.text),
      prompts.map(prompt => `echo: ${prompt}`),
    );
  });
}
