// What an adapter makes of every fault of its provider. Run by each adapter's test. After each fault the adapter must
// serve the next call as if nothing had happened, and must have written nothing to the console.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ProviderWords } from '../../src/providers/provider-error.ts';
import { watchConsole } from '../support/console.ts';
import { collect, faultOf, providerCall } from '../support/provider-calls.ts';
import { cut, finish, startUpstream, status, text } from '../support/upstream.ts';
import { FAULTS } from './fault-scripts.ts';
import { type ProviderUnderTest, startProvider } from './provider.ts';

const RETRY_HINTS: readonly [Record<string, string>, number | undefined][] = [
  [{}, undefined],
  [{ 'retry-after': '7' }, 7_000],
  [{ 'retry-after': '0.5' }, 500],
  [{ 'retry-after-ms': '1500', 'retry-after': '2' }, 1_500],
  [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:10 GMT' }, 0],
  [{ 'retry-after': '86400' }, 86_400_000],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
];

export function providerFaults(provider: ProviderUnderTest): void {
  describe(`${provider.name} when its provider`, () => {
    for (const { title, script, fault, text: kept } of FAULTS)
      test(`${title}: ${fault}`, async t => {
        const { upstream, adapter } = await startProvider(t, provider);
        const printed = watchConsole(t);
        upstream.enqueue(script);

        const { error, finished, text: answer } = await collect(adapter);

        assert.equal(faultOf(error), fault);
        assert.equal(finished, undefined);
        if (kept !== undefined) assert.equal(answer, kept);
        assert.equal(upstream.modelCalls.length, 1, 'one call, no retry');
        assert.deepEqual(printed, []);
        assert.equal((await collect(adapter)).text, 'echo: Hello there');
      });
  });

  describe(`${provider.name} at the edges`, () => {
    test('a refused connection is a connection fault', async t => {
      const upstream = await startUpstream(t);
      await upstream.close();
      const adapter = provider.create(upstream.url);
      t.after(() => adapter.close());

      const { error, events } = await collect(adapter);

      assert.equal(faultOf(error), 'connection');
      assert.deepEqual(events, []);
    });

    test('a redirect is refused, and its target never sees the prompt', async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      const elsewhere = await startUpstream(t);
      upstream.enqueue(status(307, { location: `${elsewhere.url}/v1/chat/completions` }));

      const { error } = await collect(adapter);

      assert.equal(faultOf(error), 'bad-response 307');
      assert.equal(elsewhere.connections, 0);
    });

    for (const [headers, expected] of RETRY_HINTS)
      test(`429 with ${JSON.stringify(headers)} asks for ${expected} ms`, async t => {
        const { upstream, adapter } = await startProvider(t, provider);
        upstream.enqueue(status(429, headers, { error: { message: 'slow down' } }));

        const { error } = await collect(adapter);

        assert.equal((error as { retryAfterMs?: number }).retryAfterMs, expected);
      });

    test('an answer that is complete but for its marker is finished', async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue(
        [text('all of it'), finish({ marker: false })],
        [text('all of it'), finish({ marker: false }), cut()],
      );

      for (let call = 0; call < 2; call++) {
        const { text: answer, finished, error } = await collect(adapter);
        assert.equal(error, undefined);
        assert.deepEqual([answer, finished?.reason.unified], ['all of it', 'stop']);
      }
    });

    test('the words and echoes of the provider stay in the cause, short and without our key', async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      const message = `Incorrect key secret-key for the prompt Hello there ${'x'.repeat(10_000)}`;
      upstream.enqueue(status(401, {}, { error: { type: 'authentication_error', message } }));

      const { error } = await collect(adapter, providerCall());

      assert.ok(error instanceof Error);
      assert.equal(error.message, `${adapter.kind} answered 401`);
      assert.ok(error.cause instanceof ProviderWords);
      assert.ok(error.cause.mentions(/Incorrect key \[redacted\] for the prompt/));
      assert.ok(!error.cause.mentions(/^.{2001}/s));
      // Whoever prints it, however thoroughly, prints nothing of it.
      assert.doesNotMatch(inspect(error, { depth: 9, showHidden: true }), /Incorrect key/);
    });
  });
}
