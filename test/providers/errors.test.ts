// What providers say when they refuse, in their own words, and the fault each of them is.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { APIError } from 'openai';
import { retryAfterMs, streamError, toProviderError, transportError } from '../../src/providers/errors.ts';
import type { ProviderFault } from '../../src/providers/provider-error.ts';

const context = { provider: 'provider', apiKey: 'secret-key' };

/** As the OpenAI SDK throws it for a body that a server sent. */
const refused = (status: number, body: object | undefined, text?: string) =>
  APIError.generate(status, body, text, new Headers());

describe('a refusal', () => {
  const refusals: [string, unknown, ProviderFault][] = [
    [
      'OpenAI: context',
      refused(400, { error: { code: 'context_length_exceeded', type: 'invalid_request_error' } }),
      'context-length',
    ],
    [
      'vLLM: context, without code',
      refused(400, { error: { message: "This model's maximum context length is 4096 tokens.", code: 400 } }),
      'context-length',
    ],
    [
      'llama.cpp: context',
      refused(400, { error: { type: 'exceed_context_size_error', message: 'the request exceeds …' } }),
      'context-length',
    ],
    [
      'LM Studio: context, as a bare string',
      refused(400, { error: 'Trying to keep the first 9 tokens when context the overflows.' }),
      'context-length',
    ],
    [
      'Ollama: context, as 500',
      refused(500, { error: { code: 'context_length_exceeded' } }),
      'context-length',
    ],
    ['Azure: content', refused(400, { error: { code: 'content_filter' } }), 'content-policy'],
    ['OpenAI: content', refused(400, { error: { code: 'content_policy_violation' } }), 'content-policy'],
    ['OpenAI: flagged prompt', refused(400, { error: { code: 'invalid_prompt' } }), 'content-policy'],
    ['OpenAI: model', refused(400, { error: { code: 'model_not_found' } }), 'unknown-model'],
    ['OpenAI: spent', refused(429, { error: { code: 'insufficient_quota' } }), 'credentials'],
    ['OpenAI: rate', refused(429, { error: { code: 'rate_limit_exceeded' } }), 'rate-limit'],
    ['a parameter', refused(400, { error: { code: 'unsupported_value', param: 'stop' } }), 'bad-request'],
    ['a page', refused(400, undefined, '<html>Bad request</html>'), 'bad-request'],
    ['a teapot', refused(418, undefined, ''), 'bad-request'],
    ['a server with a content error code', refused(503, { error: { code: 'content_filter' } }), 'server'],
  ];
  for (const [who, error, fault] of refusals)
    test(`of ${who} is ${fault}`, () => {
      assert.equal(toProviderError(error, context).fault, fault);
    });

  const advised = (status: number, advice: string, body?: object) =>
    toProviderError(
      APIError.generate(status, body, undefined, new Headers({ 'x-should-retry': advice })),
      context,
    );

  test('may say whether to ask again; what does not say true or false says nothing', () => {
    assert.equal(advised(500, 'false').shouldRetry, false);
    assert.equal(advised(429, ' False ').shouldRetry, false);
    assert.equal(advised(500, 'true').shouldRetry, true);
    assert.equal(advised(500, '1').shouldRetry, undefined);
    assert.equal(toProviderError(refused(500, undefined), context).shouldRetry, undefined);
  });

  test("whose status says little is passing if the provider says so, and the caller's fault is not", () => {
    for (const status of [418, 423, 425, 451]) assert.equal(advised(status, 'true').fault, 'server');
    for (const status of [400, 413, 422]) assert.equal(advised(status, 'true').fault, 'bad-request');
    assert.equal(advised(425, 'false').fault, 'bad-request');
    assert.equal(advised(404, 'true').fault, 'unknown-model');
    assert.equal(advised(401, 'true').fault, 'credentials');
    assert.equal(advised(418, 'true', { error: { code: 'content_filter' } }).fault, 'content-policy');
  });

  test('that cannot be understood at all is a bad response', () => {
    for (const error of [undefined, null, 'text', 42, new TypeError('x'), { status: 'odd' }])
      assert.equal(toProviderError(error, context).fault, 'bad-response');
  });

  test('is passed on as it is when it is a ProviderError, however it was wrapped', () => {
    const original = transportError('provider', { code: 'ECONNREFUSED' }, false);
    const wrapped = new Error('Connection error.', { cause: new Error('again', { cause: original }) });

    assert.equal(toProviderError(wrapped, context), original);
  });
});

describe('an error of the connection', () => {
  const errors: [string, unknown, boolean, ProviderFault][] = [
    ['refused', { code: 'ECONNREFUSED' }, false, 'connection'],
    ['of all addresses', new AggregateError([{ code: 'ECONNREFUSED' }]), false, 'connection'],
    ['name', { code: 'ENOTFOUND' }, false, 'connection'],
    ['expired certificate', { code: 'CERT_HAS_EXPIRED' }, false, 'certificate'],
    ['other host', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, false, 'certificate'],
    ['private authority', { code: 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY' }, false, 'certificate'],
    ['not HTTP', { name: 'HTTPParserError', code: undefined }, false, 'bad-response'],
    ['no HTTP any more', { name: 'HTTPParserError', code: 'HPE_INVALID_CHUNK_SIZE' }, true, 'bad-response'],
    ['too many headers', { code: 'UND_ERR_HEADERS_OVERFLOW' }, false, 'bad-response'],
    ['reset in the answer', { code: 'ECONNRESET' }, true, 'truncated'],
    ['closed in the answer', { code: 'UND_ERR_SOCKET' }, true, 'truncated'],
    ['closed inside a chunk', { name: 'HTTPParserError', code: 'HPE_INVALID_EOF_STATE' }, true, 'truncated'],
    ['unknown', {}, false, 'connection'],
  ];
  for (const [what, error, answered, fault] of errors)
    test(`${what}: ${fault}`, () => {
      assert.equal(transportError('provider', error, answered).fault, fault);
    });
});

describe('an error event', () => {
  const events: [unknown, ProviderFault][] = [
    [{ type: 'overloaded_error', message: 'Overloaded' }, 'server'],
    [{ type: 'api_error', message: 'Internal' }, 'server'],
    [{ type: 'rate_limit_error' }, 'rate-limit'],
    [{ type: 'invalid_request_error' }, 'bad-request'],
    [{ type: 'permission_error' }, 'credentials'],
    [{ type: 'not_found_error' }, 'unknown-model'],
    [{ code: 502, message: 'Provider returned error' }, 'server'],
    [{ code: '429' }, 'rate-limit'],
    ['Context size has been exceeded.', 'context-length'],
    ['something', 'server'],
    [undefined, 'server'],
  ];
  for (const [said, fault] of events)
    test(`${JSON.stringify(said)} is ${fault}`, () => {
      assert.equal(streamError(said, context).fault, fault);
    });
});

describe('the hint when to come back', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const hints: [Record<string, string>, number | undefined][] = [
    [{ 'retry-after': 'Sun, 22 Nov 2026 12:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Sun, 22 Nov 2026 11:00:00 GMT' }, 0],
    [{ 'retry-after': '2026' }, 2_026_000],
    [{ 'retry-after-ms': 'x', 'retry-after': '3' }, 3_000],
    [{ 'retry-after': 'Infinity' }, undefined],
    [{ 'retry-after': '' }, undefined],
  ];
  for (const [headers, expected] of hints)
    test(`${JSON.stringify(headers)} is ${expected} ms`, () => {
      assert.equal(retryAfterMs(new Headers(headers), now), expected);
    });
});
