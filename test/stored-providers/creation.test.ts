// Providers that an administrator makes while the server runs, and where they may be.

import assert from 'node:assert/strict';
import type { LookupFunction } from 'node:net';
import { describe, test } from 'node:test';
import { startTestApp } from '../support/app.ts';
import { openTestStore } from '../support/database.ts';
import { REQUEST, readStream, submit } from '../support/requests.ts';
import { startUpstream } from '../support/upstream.ts';
import { answerOf, CREATE, KEY, modelsOf, refusal, start } from './setup.ts';

describe('a provider that is created', () => {
  test('is asked for its models at once, and serves', async t => {
    const app = await start(t);
    const provider = await app.create();
    assert.deepEqual(
      { ...provider, deployments: modelsOf(provider) },
      {
        id: 'vllm',
        kind: 'openai',
        source: 'STORED',
        origin: app.upstream.url,
        keyHint: '…abcd',
        status: 'AVAILABLE',
        statusReason: null,
        local: false,
        deployments: ['vllm/alpha', 'vllm/beta'],
      },
    );
    assert.equal(await answerOf(app, 'vllm/alpha'), 'echo: Hello');
    assert.equal(app.upstream.modelCalls[0]?.headers.authorization, `Bearer ${KEY}`);
  });

  test('may say of its models what the configuration file may say', async t => {
    const app = await start(t);
    const provider = await app.create({
      models: [
        {
          model: 'gamma',
          aliases: ['swift'],
          tags: ['eu'],
          weight: 2,
          contextWindow: 1_000,
          price: { input: 1.5, output: 2 },
        },
      ],
      onlyModels: true,
      local: true,
      api: 'chat',
      deadlines: { firstTokenMs: 5_000 },
    });
    assert.deepEqual(provider.deployments, [{ id: 'vllm/gamma', local: true, price: { input: '1.5' } }]);
    assert.equal(provider.local, true);
    const gamma = app.app.catalog.deployment('vllm/gamma');
    assert.equal(gamma?.deadlines.firstTokenMs, 5_000);
    assert.deepEqual([gamma?.weight, gamma?.tags, gamma?.capabilities.contextWindow], [2, ['eu'], 1_000]);
    assert.equal(await answerOf(app, 'swift'), 'echo: Hello');
  });

  test('needs an id of its own', async t => {
    const app = await start(t, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
    await app.create();
    const taken = await refusal(app, CREATE, app.input);
    assert.deepEqual(taken, ['CONFLICT', 'There is a provider vllm already. Choose another id.']);
    const configured = await refusal(app, CREATE, { ...app.input, id: 'openai' });
    assert.deepEqual(configured, [
      'CONFLICT',
      'The provider openai comes from environment variables. Change them and restart the server.',
    ]);
    assert.match(String((await refusal(app, CREATE, { ...app.input, id: 'simulated' }))[1]), /is built in/);
  });

  test('is refused with the argument that is wrong, and without its value', async t => {
    const app = await start(t);
    const wrong = [
      [{ id: 'no spaces' }, 'id must be letters, digits, dots, dashes and underscores'],
      [{ kind: 'simulated' }, 'kind must be one of openai, anthropic, ollama, lmstudio'],
      [{ baseUrl: 'ftp://sk-1@x' }, 'baseUrl must be an address that begins with http:// or https://'],
      [{ apiKey: 'two words' }, 'apiKey must be 1 to 1000 visible ASCII characters'],
      [{ apiKey: '' }, 'apiKey must be 1 to 1000 visible ASCII characters'],
      [{ api: 'soap' }, 'api must be one of responses, chat'],
      [{ models: [{ model: 'm', weight: -1 }] }, 'models.0.weight must be a number from 0 to 1000'],
      [{ deadlines: { idleMs: 0 } }, 'deadlines.idleMs must be a whole number from 1 to 86400000'],
      [{ models: Array.from({ length: 501 }, () => ({ model: 'm' })) }, 'models must be at most 500 models'],
    ] as const;
    for (const [change, told] of wrong)
      assert.deepEqual(await refusal(app, CREATE, { ...app.input, ...change }), ['BAD_USER_INPUT', told]);
    assert.deepEqual(await app.store.storedProviders.revisions(), []);
    assert.equal(app.upstream.connections, 0);
  });

  test('is one of a bounded number', async t => {
    const app = await start(t, { MCPLANE_MAX_STORED_PROVIDERS: '1' });
    await app.create();
    const [code, message] = await refusal(app, CREATE, { ...app.input, id: 'another' });
    assert.equal(code, 'CONFLICT');
    assert.match(String(message), /There are 1 stored providers, and no more are admitted/);
  });

  test('goes without a key where none is given', async t => {
    const app = await start(t);
    const { keyHint } = await app.create({ apiKey: undefined });
    assert.equal(keyHint, null);
    await answerOf(app, 'vllm/alpha');
    assert.equal('authorization' in app.upstream.modelCalls[0]!.headers, false);
  });
});

describe('where a provider may be', () => {
  const names: LookupFunction = (_hostname, _options, callback) => callback(null, answers.shift()!);
  const answers: { address: string; family: number }[][] = [];

  test('is nothing of ours, unless operator and administrator say so', async t => {
    const app = await start(t, { MCPLANE_ALLOW_PRIVATE_PROVIDERS: 'false' });
    const { allowPrivate: _, ...input } = app.input;
    assert.deepEqual(await refusal(app, CREATE, input), [
      'BAD_USER_INPUT',
      'baseUrl is refused: it leads to a loopback address, where no connection is made',
    ]);
    assert.match(
      String((await refusal(app, CREATE, app.input))[1]),
      /^allowPrivate is not admitted here; the operator sets MCPLANE_ALLOW_PRIVATE_PROVIDERS/,
    );
    assert.equal(app.upstream.connections, 0);
  });

  test('is looked at again at every connection: a name that leads elsewhere by then gains nothing', async t => {
    const upstream = await startUpstream(t);
    const app = await startTestApp(t, {}, openTestStore, { lookup: names });
    // Public when it is judged; then ours, when its models are asked for.
    answers.push([{ address: '93.184.215.14', family: 4 }], [{ address: '127.0.0.1', family: 4 }]);
    const baseUrl = `http://rebound.example.com:${upstream.port}/v1`;
    const { createProvider } = await app.ask(CREATE, {
      input: { id: 'evil', kind: 'openai', baseUrl, apiKey: KEY },
    });

    const { status, statusReason } = createProvider.provider;
    assert.equal(status, 'MISCONFIGURED');
    assert.match(statusReason, /^http:\/\/rebound\.example\.com:\d+: it leads to a loopback address/);
    assert.deepEqual([answers.length, upstream.connections], [0, 0]);
  });

  test('is not where a redirect leads, and what the other side says is not told', async t => {
    const app = await start(t);
    const headers = { location: 'http://169.254.169.254/', 'content-type': 'text/plain' };
    app.upstream.answerPath('/v1/models', { status: 302, headers, body: 'internal page' });
    const { status, statusReason } = await app.create({ models: [{ model: 'alpha' }] });
    assert.deepEqual([status, statusReason], ['DEGRADED', 'its model list failed: bad-response (302)']);

    app.upstream.answerWith(() => ({ status: 302, headers, body: 'internal page' }));
    const id = await submit(app, { prompt: 'Hello', model: 'vllm/alpha' });
    await readStream(app, id);
    const { request } = await app.ask(REQUEST, { id });
    assert.equal(request.error.code, 'BAD_RESPONSE');
    assert.doesNotMatch(JSON.stringify(request), /internal page|169\.254/);
  });
});
