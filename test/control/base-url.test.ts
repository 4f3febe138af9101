// Which base URLs administrators may give to a provider, and what they are told of the others.

import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { describe, test } from 'node:test';
import { type BaseUrlPolicy, checkBaseUrl, type Endpoint } from '../../src/control/base-url.ts';
import { createTestClock } from '../support/clock.ts';

const NAMES: Record<string, string[]> = {
  'models.example.com': ['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c'],
  'gpu.internal': ['10.1.2.3'],
  localhost: ['::1', '127.0.0.1'],
  'mixed.example.com': ['93.184.215.14', '192.168.0.7'],
  'metadata.google.internal': ['169.254.169.254'],
};

const lookup: LookupFunction = (hostname, _options, callback) => {
  const addresses = NAMES[hostname]?.map(address => ({ address, family: address.includes(':') ? 6 : 4 }));
  if (addresses) callback(null, addresses);
  else callback(new Error('no such name'), '');
};

/** `ok`, or what the administrator is told. */
async function judge(
  baseUrl: string | undefined,
  endpoint: Partial<Endpoint> = {},
  policy: Partial<BaseUrlPolicy> = {},
) {
  const rules = { httpsOnly: false, allowPrivate: false, lookup, clock: createTestClock(), ...policy };
  try {
    await checkBaseUrl({ kind: 'openai', baseUrl, ...endpoint }, rules);
    return 'ok';
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    assert.equal(code, 'BAD_USER_INPUT');
    return message;
  }
}

const leadsTo = (kind: string) =>
  `baseUrl is refused: it leads to a ${kind} address, where no connection is made`;

describe('a base URL', () => {
  test('on the internet is accepted', async () => {
    assert.equal(await judge('https://models.example.com/v1'), 'ok');
    assert.equal(await judge('https://93.184.215.14:8443/v1'), 'ok');
    assert.equal(await judge('https://[2606:4700::1111]/v1'), 'ok');
    assert.equal(await judge(undefined), 'ok');
  });

  test('is refused where it leads to ourselves, our networks or our credentials, however it is written', async () => {
    const refused = {
      'http://127.0.0.1:11434': 'loopback',
      'http://127.1/': 'loopback',
      'http://2130706433/': 'loopback',
      'http://0x7f000001/': 'loopback',
      'http://0177.0.0.01/': 'loopback',
      'http://①②⑦.⓪.⓪.①/': 'loopback',
      'http://127.0.0.1./': 'loopback',
      'http://[::1]/': 'loopback',
      'http://[::ffff:127.0.0.1]/': 'loopback',
      'http://[::ffff:7f00:1]/': 'loopback',
      'http://[2002:7f00:1::]/': 'loopback',
      'http://[64:ff9b::10.0.0.1]/': 'private',
      'http://localhost:8000/': 'loopback',
      'http://LOCALHOST/': 'loopback',
      'http://gpu.internal/v1': 'private',
      'http://mixed.example.com/v1': 'private',
      'http://192.168.1.1/': 'private',
      'http://100.64.0.1/': 'shared',
      'http://169.254.169.254/latest/meta-data/': 'metadata',
      'http://metadata.google.internal/': 'metadata',
      'http://[fd00:ec2::254]/': 'metadata',
      'http://[fe80::1]/': 'link-local',
      'http://0/': 'unspecified',
      'http://[::]/': 'unspecified',
      'http://224.0.0.1/': 'multicast',
      'http://[ff02::1]/': 'multicast',
      'http://255.255.255.255/': 'reserved',
    };
    const told = await Promise.all(Object.keys(refused).map(url => judge(url)));
    assert.deepEqual(told, Object.values(refused).map(leadsTo));
  });

  test('with credentials, a query or a fragment is refused without being repeated', async () => {
    const credentials = 'baseUrl must not hold credentials; give the key as apiKey';
    assert.equal(await judge('https://user@models.example.com/'), credentials);
    assert.equal(await judge('https://:secret@models.example.com/'), credentials);
    const query = 'baseUrl must not have a query or a fragment';
    assert.equal(await judge('https://models.example.com/?key=secret'), query);
    assert.equal(await judge('https://models.example.com/#secret'), query);
    assert.match(await judge(`https://models.example.com/${'x'.repeat(2_000)}`), /at most 2000 characters$/);
  });

  test('is refused when nobody knows the name, or nobody answers in time', async () => {
    const unknown = 'baseUrl names a host that cannot be found';
    assert.equal(await judge('https://nowhere.example.com/'), unknown);

    const clock = createTestClock();
    const silent = judge('https://models.example.com/', {}, { clock, lookup: () => {} });
    clock.advance(3_000);
    assert.equal(await silent, unknown);
  });

  test('is needed by the kinds that have no official endpoint', async () => {
    assert.equal(await judge(undefined, { kind: 'ollama' }), 'baseUrl is required for ollama');
    assert.equal(await judge(undefined, { kind: 'anthropic' }), 'ok');
  });

  test('must be HTTPS in production, but on own hardware where that is admitted', async () => {
    const production = { httpsOnly: true };
    const told = 'baseUrl must begin with https:// in production, unless allowPrivate is given';
    assert.equal(await judge('http://models.example.com/v1', {}, production), told);
    assert.equal(await judge('https://models.example.com/v1', {}, production), 'ok');
    const admitted = { httpsOnly: true, allowPrivate: true };
    assert.equal(await judge('http://gpu.internal/v1', {}, admitted), told);
    assert.equal(await judge('http://gpu.internal/v1', { allowPrivate: true }, admitted), 'ok');
  });
});

describe('own hardware and own networks', () => {
  test('need the word of the operator and of the administrator', async () => {
    const url = 'http://gpu.internal/v1';
    assert.equal(await judge(url, {}, { allowPrivate: true }), leadsTo('private'));
    assert.equal(
      await judge(url, { allowPrivate: true }),
      'allowPrivate is not admitted here; the operator sets MCPLANE_ALLOW_PRIVATE_PROVIDERS',
    );
    assert.equal(await judge(url, { allowPrivate: true }, { allowPrivate: true }), 'ok');
    assert.equal(await judge('http://localhost:11434', { allowPrivate: true }, { allowPrivate: true }), 'ok');
  });

  test('have nothing to do with what hands out credentials', async () => {
    for (const url of [
      'http://169.254.169.254/',
      'http://metadata.google.internal/',
      'http://[::ffff:a9fe:a9fe]/',
    ])
      assert.equal(await judge(url, { allowPrivate: true }, { allowPrivate: true }), leadsTo('metadata'));
  });
});
