// The connection under the adapters: what it refuses, what it calls the ways a connection can fail, and that no answer
// fills memory.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { createHttpClient, transport } from '../../src/providers/http.ts';
import { faultOf, NEVER } from '../support/provider-calls.ts';
import { endless, raw, startUpstream, status, text } from '../support/upstream.ts';

const CERTIFICATE = readFileSync(new URL('../fixtures/self-signed.pem', import.meta.url));

function client(t: { after(close: () => Promise<void>): void }) {
  const http = createHttpClient('provider');
  t.after(() => http.close());
  return http;
}

const thrown = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('the connection to a provider', () => {
  test('is refused with its own fault when the certificate is not trusted', async t => {
    const server = createTlsServer({ key: CERTIFICATE, cert: CERTIFICATE }, (_, response) => response.end());
    await once(server.listen(0, '127.0.0.1'), 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    let connected = false;

    const error = await thrown(
      client(t).send(
        { origin: `https://127.0.0.1:${port}`, path: '/', method: 'GET', headers: [], body: null },
        {
          onConnected() {
            connected = true;
          },
          onHead() {},
          onChunk() {},
        },
        NEVER,
      ).ended,
    );

    assert.equal(faultOf(error), 'certificate');
    assert.match((error as Error).message, /DEPTH_ZERO_SELF_SIGNED_CERT/);
    assert.equal(connected, false);
  });

  test('is a connection fault when the name does not exist', async t => {
    const error = await thrown(client(t).fetch('http://nowhere.invalid/', transport({ signal: NEVER })));

    assert.equal(faultOf(error), 'connection');
  });

  test('sends only headers that a provider needs', async t => {
    const upstream = await startUpstream(t);
    const headers = { 'x-stainless-os': 'Linux', 'x-secret': 'from an environment variable', accept: 'a/b' };

    await client(t).fetch(`${upstream.url}/v1/models`, { headers, ...transport({ signal: NEVER }) });

    assert.deepEqual(Object.keys(upstream.requests[0]!.headers).sort(), ['accept', 'connection', 'host']);
  });

  test('is closed by an abort while it is being made', async t => {
    const controller = new AbortController();
    const reason = new Error('enough');
    // A reserved address that nobody answers for; where the network refuses at once, the abort comes first.
    const answer = thrown(client(t).fetch('http://192.0.2.1/', transport({ signal: controller.signal })));
    controller.abort(reason);

    assert.equal(await answer, reason);
  });
});

describe('the body of an answer', () => {
  test('is given up when a list is larger than any', async t => {
    const upstream = await startUpstream(t);
    upstream.answerPath('/v1/models', { body: Buffer.alloc(17_000_000, 32) });

    const answer = client(t).fetch(`${upstream.url}/v1/models`, transport({ signal: NEVER }));

    assert.equal(faultOf(await thrown(answer)), 'bad-response');
  });

  test('is read in part when an error has a long page', async t => {
    const upstream = await startUpstream(t);
    upstream.answerPath('/v1/models', status(500, {}, 'y'.repeat(5_000_000)));
    const response = await client(t).fetch(`${upstream.url}/v1/models`, transport({ signal: NEVER }));

    const page = await response.text();

    assert.ok(page.startsWith('yyy') && page.length < 1_000_000);
    await upstream.requests[0]!.closed;
  });

  test('ends for the reader when the call is aborted', async t => {
    const upstream = await startUpstream(t);
    upstream.enqueue([text('a'), endless(raw(': more\n\n'))]);
    const controller = new AbortController();
    const reason = new Error('enough');
    const answer = client(t).fetch(`${upstream.url}/v1/messages`, {
      method: 'POST',
      body: '{}',
      ...transport({ signal: controller.signal }),
    });
    const request = await upstream.nextRequest();
    controller.abort(reason);

    assert.equal(await thrown(answer), reason);
    await request.closed;
  });
});
