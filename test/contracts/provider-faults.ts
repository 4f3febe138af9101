// Every fault a provider can have, and the one name it gets. Run by each adapter's test. After each fault the adapter
// must serve the next call as if nothing had happened, and must have written nothing to the console.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { watchConsole } from '../support/console.ts';
import { collect, faultOf, providerCall } from '../support/provider-calls.ts';
import {
  cut,
  errorEvent,
  finish,
  malformed,
  raw,
  type Script,
  type Step,
  stall,
  startUpstream,
  status,
  text,
  withoutEnd,
} from '../support/upstream.ts';
import { type ProviderUnderTest, startProvider } from './provider.ts';

interface Fault {
  readonly title: string;
  readonly script: Script | readonly Step[];
  /** As `faultOf` prints it. */
  readonly fault: string;
  /** The text that had come, and must not be lost. */
  readonly text?: string;
}

const PAGE = '<!doctype html><html><body><h1>Bad gateway</h1></body></html>';
const MEGABYTE = 'x'.repeat(1_000_000);

const CONNECTION: readonly Fault[] = [
  { title: 'resets the connection before its headers', script: { before: 'reset' }, fault: 'connection' },
  { title: 'closes the connection before its headers', script: { before: 'close' }, fault: 'connection' },
  { title: 'is cut mid-stream', script: [text('Hel'), cut()], fault: 'truncated', text: 'Hel' },
  { title: 'is reset mid-stream', script: [text('Hel'), cut('reset')], fault: 'truncated' },
  {
    title: 'is cut inside a line',
    script: [text('Hel'), raw('data: {"choi'), cut()],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'ends without a marker',
    script: [text('Hel'), withoutEnd()],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'ends inside a line',
    script: [text('Hel'), raw('data: {"choi'), withoutEnd()],
    fault: 'truncated',
    text: 'Hel',
  },
  {
    title: 'sends less than its content length',
    script: { headers: { 'content-length': '5000' }, body: ': nothing yet\n\n', closes: true },
    fault: 'truncated',
  },
];

const STATUSES: readonly Fault[] = (
  [
    [400, 'bad-request'],
    [401, 'credentials'],
    [402, 'credentials'],
    [403, 'credentials'],
    [404, 'unknown-model'],
    [408, 'server'],
    [409, 'server'],
    [413, 'bad-request'],
    [422, 'bad-request'],
    [429, 'rate-limit'],
    [500, 'server'],
    [502, 'server'],
    [503, 'server'],
    [504, 'server'],
    [529, 'server'],
  ] as const
).flatMap(([code, fault]) => [
  {
    title: `answers ${code}`,
    script: status(code, {}, { error: { type: 'some_error', message: 'no' } }),
    fault: `${fault} ${code}`,
  },
  {
    title: `answers ${code} with a page`,
    script: status(code, { 'content-type': 'text/html' }, PAGE),
    fault: `${fault} ${code}`,
  },
]);

const BAD_RESPONSES: readonly Fault[] = [
  {
    title: 'sends a page',
    script: status(200, { 'content-type': 'text/html' }, PAGE),
    fault: 'bad-response',
  },
  {
    title: 'sends other JSON',
    script: status(200, {}, { object: 'chat.completion', choices: [] }),
    fault: 'bad-response',
  },
  { title: 'sends an empty body', script: status(200), fault: 'bad-response' },
  { title: 'sends only the end marker', script: [finish({ usage: 'none' })], fault: 'bad-response' },
  {
    title: 'sends only the end marker and usage without output',
    script: [finish({ usage: { inputTokens: 5, outputTokens: 0 } })],
    fault: 'bad-response',
  },
  {
    title: 'sends a malformed event',
    script: [text('Hel'), malformed(), text('lo')],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'sends an event that is no object',
    script: [text('Hel'), raw('data: 42\n\n'), text('lo')],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'sends an event of 2 MB',
    script: [text('Hel'), text(MEGABYTE + MEGABYTE)],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'sends a line without end that is no event',
    script: [text('Hel'), raw(`nonsense ${MEGABYTE}${MEGABYTE}`), stall()],
    fault: 'bad-response',
    text: 'Hel',
  },
  {
    title: 'compresses its answer unasked',
    script: { headers: { 'content-encoding': 'gzip' }, steps: [text('bomb')] },
    fault: 'bad-response',
    text: '',
  },
];

const ERROR_EVENTS: readonly Fault[] = [
  { title: 'opens with an overload', script: [errorEvent('overloaded_error')], fault: 'server' },
  {
    title: 'is overloaded mid-stream',
    script: [text('Hel'), errorEvent('overloaded_error')],
    fault: 'server',
    text: 'Hel',
  },
  {
    title: 'fails mid-stream',
    script: [text('Hel'), errorEvent('server_error')],
    fault: 'server',
    text: 'Hel',
  },
  { title: 'limits the rate mid-stream', script: [errorEvent('rate_limit_error')], fault: 'rate-limit' },
  {
    title: 'finds the call wrong mid-stream',
    script: [errorEvent('invalid_request_error')],
    fault: 'bad-request',
  },
  {
    title: 'finds the prompt too long mid-stream',
    script: [errorEvent('invalid_request_error', 'prompt is too long: 9 tokens > 8 maximum')],
    fault: 'context-length',
  },
  { title: 'refuses the key mid-stream', script: [errorEvent('authentication_error')], fault: 'credentials' },
  { title: 'has an error nobody knows', script: [errorEvent('gremlins')], fault: 'server' },
];

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
    for (const { title, script, fault, text: kept } of [
      ...CONNECTION,
      ...STATUSES,
      ...BAD_RESPONSES,
      ...ERROR_EVENTS,
    ])
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
      assert.ok(error.cause instanceof Error);
      assert.match(error.cause.message, /Incorrect key \[redacted\] for the prompt/);
      assert.ok(error.cause.message.length <= 2_000);
    });
  });
}
