// What every provider adapter promises, whichever API it speaks. Each adapter's test runs it against the scripted
// upstream; the faults are in provider-faults.ts, aborts and connections in provider-connections.ts.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ProviderAdapter } from '../../src/providers/provider.ts';
import { collect, providerCall } from '../support/provider-calls.ts';
import {
  comment,
  finish,
  gate,
  reasoning,
  type Script,
  startUpstream,
  text,
  type Upstream,
} from '../support/upstream.ts';

export interface ProviderUnderTest {
  readonly name: string;
  create(upstreamUrl: string): ProviderAdapter;
}

export async function startProvider(
  t: TestContext,
  { create }: ProviderUnderTest,
): Promise<{ upstream: Upstream; adapter: ProviderAdapter }> {
  const upstream = await startUpstream(t);
  const adapter = create(upstream.url);
  t.after(() => adapter.close());
  return { upstream, adapter };
}

export function providerContract(provider: ProviderUnderTest): void {
  describe(`${provider.name} as a provider`, () => {
    answers(provider);
    bytes(provider);
  });
}

function answers(provider: ProviderUnderTest): void {
  test('streams an answer: connected, accepted, started, tokens, finished', async t => {
    const { adapter } = await startProvider(t, provider);

    const { events, error } = await collect(adapter);

    assert.equal(error, undefined);
    const [connected, accepted, started, ...rest] = events;
    assert.deepEqual(connected, { type: 'connected' });
    assert.deepEqual(accepted, { type: 'accepted' });
    // Some count the prompt here already; those have tests of their own for it.
    const { inputUsage: _, ...head } = started as Extract<typeof started, { type: 'started' }>;
    assert.deepEqual(head, {
      type: 'started',
      responseId: 'scripted-1',
      servedModel: 'scripted-model',
    });
    const raw =
      rest.at(-1)?.type === 'finished' ? (rest.at(-1) as { reason: { raw: string } }).reason.raw : '';
    // Tokens that come in one piece of the stream are one event.
    const tokens = rest.slice(0, -1).map(event => (event.type === 'token' ? event.text : event.type));
    assert.deepEqual(tokens.join(''), 'echo: Hello there');
    assert.deepEqual(rest.slice(-1), [
      {
        type: 'finished',
        reason: { unified: 'stop', raw },
        usage: {
          inputTokens: 2,
          cachedInputTokens: 0,
          cacheWriteTokens: 0,
          outputTokens: 3,
          estimated: false,
        },
        servedModel: 'scripted-model',
      },
    ]);
    assert.notEqual(raw, '');
  });

  test('says that it is connected before the provider answers', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue({ before: 'never' });
    const leaving = new AbortController();
    const connected = Promise.withResolvers<unknown>();
    const answer = adapter.stream(providerCall(), leaving.signal, connected.resolve);

    assert.deepEqual(await connected.promise, { type: 'connected' });
    leaving.abort();
    await assert.rejects(answer, { name: 'AbortError' });
  });

  test('passes tokens on as they come', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    const go = Promise.withResolvers<void>();
    upstream.enqueue([text('first'), gate(go.promise), text(' second')]);

    let answer = '';
    await adapter.stream(providerCall(), AbortSignal.timeout(5_000), event => {
      if (event.type !== 'token') return;
      answer += event.text;
      go.resolve();
    });

    assert.equal(answer, 'first second');
  });

  for (const reason of ['length', 'content-filter'] as const)
    test(`names the finish reason ${reason}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue([text('cut'), finish({ reason })]);

      const { finished, text: answer } = await collect(adapter);

      assert.deepEqual([answer, finished?.reason.unified], ['cut', reason]);
    });

  test('reports thinking as progress, not as text', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([reasoning('hm'), text('yes')]);

    const { events, text: answer } = await collect(adapter);

    assert.deepEqual(
      events.map(event => event.type),
      ['connected', 'accepted', 'started', 'progress', 'token', 'finished'],
    );
    assert.equal(answer, 'yes');
  });

  test('counts cached input as a part of the input', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([
      text('yes'),
      finish({ usage: { inputTokens: 1_000, cachedInputTokens: 900, outputTokens: 5 } }),
    ]);

    const { finished } = await collect(adapter);

    assert.equal(finished?.usage?.inputTokens, 1_000);
    assert.equal(finished?.usage?.cachedInputTokens, 900);
    assert.equal(finished?.usage?.outputTokens, 5);
  });

  for (const [what, usage] of [
    ['missing', 'none'],
    ['zero', { inputTokens: 0, outputTokens: 0 }],
    ['negative', { inputTokens: -5, outputTokens: -7 }],
    ['absurdly large', { inputTokens: 10, outputTokens: 1e15 }],
  ] as const)
    test(`takes no usage from a report that is ${what}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue([text('an answer'), finish({ usage })]);

      const { finished, text: answer } = await collect(adapter);

      assert.equal(answer, 'an answer');
      assert.deepEqual([finished?.reason.unified, finished?.usage], ['stop', undefined]);
    });

  test('ignores keep-alive comments', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([comment(), text('a'), comment(), comment(''), text('b'), comment()]);

    assert.equal((await collect(adapter)).text, 'ab');
  });

  test('stops at the marker: a second one and text behind it are ignored', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    upstream.enqueue([text('all'), finish(), text(' ghost'), finish()]);

    const { events, text: answer } = await collect(adapter);

    assert.equal(answer, 'all');
    assert.equal(events.filter(event => event.type === 'finished').length, 1);
  });

  test('sends the call without a word about this machine', async t => {
    const { upstream, adapter } = await startProvider(t, provider);

    await collect(adapter);

    const names = Object.keys(upstream.modelCalls[0]!.headers).sort();
    assert.deepEqual(
      names.filter(name => name !== 'anthropic-version'),
      [
        'accept',
        'authorization',
        'connection',
        'content-length',
        'content-type',
        'host',
        'user-agent',
        'x-client-request-id',
      ],
    );
  });
}

function bytes(provider: ProviderUnderTest): void {
  const sentence = ['Grüße', ' an', ' die', ' 😀🏳️‍🌈', ' 世界', '\n\nline\u2028two', ' "quoted"'];
  const variants: [string, Partial<Script>][] = [
    ['one byte at a time', { bytesPerWrite: 1 }],
    ['seven bytes at a time', { bytesPerWrite: 7 }],
    ['with CRLF', { rewrite: events => events.replaceAll('\n', '\r\n') }],
    [
      'with CRLF, one byte at a time',
      { bytesPerWrite: 1, rewrite: events => events.replaceAll('\n', '\r\n') },
    ],
    ['without a space after the colon', { rewrite: events => events.replaceAll(/^(\w+): /gm, '$1:') }],
    ['with fields that nobody knows', { rewrite: events => `id: 7\nretry: 10\nfoo: bar\n${events}` }],
    ['under a wrong content type', { headers: { 'content-type': 'text/html' } }],
  ];
  for (const [how, variant] of variants)
    test(`reads the same text ${how}`, async t => {
      const { upstream, adapter } = await startProvider(t, provider);
      upstream.enqueue({ ...variant, steps: sentence.map(text) });

      const { text: answer, finished } = await collect(adapter);

      assert.equal(answer, sentence.join(''));
      assert.equal(finished?.usage?.estimated, false);
    });

  test('reads the same text behind a byte order mark', async t => {
    const { upstream, adapter } = await startProvider(t, provider);
    let mark = '\uFEFF';
    const rewrite = (events: string) => {
      const marked = mark + events;
      mark = '';
      return marked;
    };
    upstream.enqueue({ rewrite, bytesPerWrite: 2, steps: sentence.map(text) });

    assert.equal((await collect(adapter)).text, sentence.join(''));
  });
}
