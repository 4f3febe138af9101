// Connections to addresses that came through the API: the one that was looked at is the one that is connected to, and
// whoever must not be reached is not even greeted.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { AddressRefusedError } from '../../src/domain/addresses.ts';
import { createHttpClient, transport } from '../../src/providers/http.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { loadAdapters } from '../../src/providers/registry.ts';
import { collect, faultOf, NEVER } from '../support/provider-calls.ts';
import { startUpstream, status } from '../support/upstream.ts';

const CERTIFICATE = readFileSync(new URL('../fixtures/self-signed.pem', import.meta.url));
const PUBLIC = '93.184.215.14';

/** A name service in the test's hand: each lookup is answered with the next of these, the last one over and over. */
function names(...answers: string[][]) {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _options, callback) => {
    const addresses = answers[Math.min(asked.push(hostname), answers.length) - 1]!;
    process.nextTick(
      callback,
      null,
      addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { asked, lookup };
}

function client(t: TestContext, allowPrivate: boolean, lookup?: LookupFunction) {
  const http = createHttpClient('provider', { allowPrivate, lookup });
  t.after(() => http.close());
  return (url: string) => http.fetch(url, transport({ signal: NEVER }));
}

async function refusal(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => assert.fail('it was answered'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProviderError);
  assert.ok(error.cause instanceof AddressRefusedError, String(error.cause));
  return `${faultOf(error)}: ${error.message}, ${error.cause.kind}`;
}

describe('a guarded connection', () => {
  test('is made to the address that was looked at, by one lookup', async t => {
    const upstream = await startUpstream(t);
    // Only the test's name service knows the name.
    const { asked, lookup } = names(['127.0.0.1'], [PUBLIC]);

    const response = await client(t, true, lookup)(`http://models.invalid:${upstream.port}/v1/models`);

    assert.equal(response.status, 200);
    assert.deepEqual(asked, ['models.invalid']);
    assert.equal(upstream.requests[0]?.headers.host, `models.invalid:${upstream.port}`);
  });

  test('is not made when the name leads elsewhere since it was checked', async t => {
    const upstream = await startUpstream(t);
    const { asked, lookup } = names(['127.0.0.1']);
    const fetch = client(t, false, lookup);

    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://rebound.invalid:${upstream.port}/v1/models`;
      assert.equal(
        await refusal(fetch(url)),
        'connection: no connection to provider (ERR_ADDRESS_REFUSED), loopback',
      );
    }
    assert.deepEqual([asked.length, upstream.connections], [2, 0]);
  });

  test('is not made when one of the addresses of a name is refused', async t => {
    const upstream = await startUpstream(t);
    const { lookup } = names([PUBLIC, '::ffff:127.0.0.1']);

    const said = await refusal(client(t, false, lookup)(`http://mixed.invalid:${upstream.port}/`));

    assert.match(said, /loopback$/);
    assert.equal(upstream.connections, 0);
  });

  test('is not made to a refused address that needs no lookup, however it is written', async t => {
    const upstream = await startUpstream(t);
    const { asked, lookup } = names([PUBLIC]);
    const fetch = client(t, false, lookup);

    for (const host of ['127.0.0.1', '2130706433', '0x7f.1', '017700000001', '[::1]', '[::ffff:7f00:1]'])
      assert.match(await refusal(fetch(`http://${host}:${upstream.port}/`)), /loopback$/, host);

    assert.deepEqual([asked, upstream.connections], [[], 0]);
  });

  test('is not made to what hands out credentials, even where private addresses are allowed', async t => {
    const fetch = client(t, true, names(['169.254.169.254']).lookup);

    assert.match(await refusal(fetch('http://169.254.169.254/latest/meta-data/')), /metadata$/);
    assert.match(await refusal(fetch('http://innocent.invalid/')), /metadata$/);
  });

  test('does not follow a redirect to where it may not go', async t => {
    const upstream = await startUpstream(t);
    upstream.answerPath('/v1/models', status(307, { location: 'http://169.254.169.254/latest/' }));

    const error = await client(t, true)(`${upstream.url}/v1/models`).catch((thrown: unknown) => thrown);

    assert.equal(faultOf(error), 'bad-response 307');
    assert.equal(upstream.requests.length, 1);
  });

  test('checks the certificate against the name and not against the address', async t => {
    const upstream = await startUpstream(t, { tls: { key: CERTIFICATE, cert: CERTIFICATE } });
    const { lookup } = names(['127.0.0.1']);

    const error = await client(
      t,
      true,
      lookup,
    )(`https://models.invalid:${upstream.port}/`).catch((thrown: unknown) => thrown);

    assert.equal(faultOf(error), 'certificate');
  });

  test('is what every adapter makes that is given a policy', async t => {
    const upstream = await startUpstream(t);
    const kinds = ['openai', 'anthropic', 'ollama', 'lmstudio'] as const;
    const createAdapter = await loadAdapters(kinds);
    const { lookup } = names(['10.0.0.1']);

    for (const kind of kinds) {
      const baseUrl = `http://rebound.invalid:${upstream.port}`;
      const addresses = { allowPrivate: false, lookup };
      const adapter = createAdapter({ kind, baseUrl, apiKey: 'key', api: undefined, addresses });
      t.after(() => adapter.close());
      assert.match(await refusal(adapter.listModels(NEVER)), /ERR_ADDRESS_REFUSED.*private/, kind);
      const { error } = await collect(adapter);
      assert.match(await refusal(Promise.reject(error)), /ERR_ADDRESS_REFUSED.*private/, kind);
    }
    assert.equal(upstream.connections, 0);
  });
});
