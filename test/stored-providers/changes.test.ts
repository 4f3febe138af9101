// Providers that an administrator changes and deletes while the server runs.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REQUEST, readStream, SUBMIT, submit, textOf } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';
import { answerOf, DELETE, KEY, modelsOf, OTHER_KEY, refusal, start, UPDATE } from './setup.ts';

describe('a provider that is changed', () => {
  test('is another from then on, and keeps what was not mentioned', async t => {
    const app = await start(t);
    await app.create({ models: [{ model: 'gamma' }] });
    const changed = await app.update({ onlyModels: true, local: true });
    assert.deepEqual([modelsOf(changed), changed.local, changed.keyHint], [['vllm/gamma'], true, '…abcd']);

    const rekeyed = await app.update({ apiKey: OTHER_KEY });
    assert.deepEqual([modelsOf(rekeyed), rekeyed.keyHint], [['vllm/gamma'], '…wxyz']);
    await answerOf(app, 'vllm/gamma');
    assert.equal(app.upstream.modelCalls[0]?.headers.authorization, `Bearer ${OTHER_KEY}`);
  });

  test('finishes what runs there as it began', async t => {
    const app = await start(t);
    await app.create();
    const go = Promise.withResolvers<void>();
    app.upstream.enqueue([text('begun before, '), gate(go.promise), text('finished after')]);
    const id = await submit(app, { prompt: 'Hello', model: 'vllm/alpha' });
    await app.upstream.nextRequest();
    await app.upstream.nextRequest();
    await app.update({ apiKey: OTHER_KEY });
    await app.ask(DELETE, { input: { providerId: 'vllm' } });
    go.resolve();
    assert.equal(textOf(await readStream(app, id)), 'begun before, finished after');
    const { request } = await app.ask(REQUEST, { id });
    assert.equal(request.status, 'SUCCEEDED');
  });

  test('loses its key when it moves to another origin, unless a new one comes with it', async t => {
    const app = await start(t);
    const elsewhere = await startUpstream(t);
    await app.create();
    const samePlace = await app.update({ baseUrl: `${app.upstream.url}/v1/` });
    assert.equal(samePlace.keyHint, '…abcd');

    const moved = await app.update({ baseUrl: `${elsewhere.url}/v1` });
    assert.equal(moved.keyHint, null);
    assert.deepEqual(await app.store.storedProviders.keys(), []);
    const rekeyed = await app.update({ baseUrl: `${app.upstream.url}/v1`, apiKey: OTHER_KEY });
    assert.equal(rekeyed.keyHint, '…wxyz');
    const sent = JSON.stringify(elsewhere.requests.map(({ headers }) => headers));
    assert.doesNotMatch(sent, /sk-/);
  });

  test('drops its key when it is told to', async t => {
    const app = await start(t);
    await app.create();
    assert.equal((await app.update({ dropKey: true })).keyHint, null);
    assert.equal((await app.update({ apiKey: KEY })).keyHint, '…abcd');
    assert.deepEqual(
      (await app.store.storedProviders.keys()).map(({ key }) => key.version),
      [2],
    );
  });

  test('must exist, be stored, and really change', async t => {
    const app = await start(t, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' });
    await app.create();
    const refused = async (input: object) => (await refusal(app, UPDATE, input))[0];
    assert.equal(await refused({ providerId: 'nobody', local: true }), 'NOT_FOUND');
    assert.equal(await refused({ providerId: 'openai', local: true }), 'CONFLICT');
    assert.equal(await refused({ providerId: 'vllm' }), 'BAD_USER_INPUT');
    assert.equal(await refused({ providerId: 'vllm', baseUrl: null }), 'BAD_USER_INPUT');
    assert.equal(await refused({ providerId: 'vllm', apiKey: KEY, dropKey: true }), 'BAD_USER_INPUT');
    assert.equal(await refused({ providerId: 'vllm', baseUrl: 'http://169.254.169.254' }), 'BAD_USER_INPUT');
    assert.equal(await refused({ providerId: 'vllm', allowPrivate: false }), 'BAD_USER_INPUT');
  });

  test('by two at once is changed by one of them', async t => {
    const app = await start(t);
    await app.create();
    const answers = await Promise.all(
      ['a', 'b', 'c'].map(model => app.send(UPDATE, { input: { providerId: 'vllm', models: [{ model }] } })),
    );
    const codes = answers.flatMap(({ errors }) => errors?.[0]?.extensions.code ?? 'done');
    assert.ok(codes.includes('done'));
    assert.deepEqual(
      [...new Set(codes)].filter(code => code !== 'done' && code !== 'CONFLICT'),
      [],
    );
  });
});

describe('a provider that is deleted', () => {
  test('is gone with its key', async t => {
    const app = await start(t);
    await app.create();
    assert.deepEqual(await app.ask(DELETE, { input: { providerId: 'vllm' } }), {
      deleteProvider: { providerId: 'vllm' },
    });
    const { providers } = await app.ask('{ providers { id } }');
    assert.deepEqual(providers, [{ id: 'ollama' }, { id: 'lmstudio' }, { id: 'simulated' }]);
    assert.deepEqual(await app.store.storedProviders.keys(), []);
    const { errors } = await app.send(SUBMIT, { input: { prompt: 'Hello', model: 'vllm/alpha' } });
    assert.equal(errors?.[0]?.extensions.code, 'BAD_USER_INPUT');
    assert.equal((await refusal(app, DELETE, { providerId: 'vllm' }))[0], 'NOT_FOUND');
    assert.equal((await refusal(app, DELETE, { providerId: 'ollama' }))[0], 'CONFLICT');
  });

  test('may be made again', async t => {
    const app = await start(t);
    await app.create();
    await app.ask(DELETE, { input: { providerId: 'vllm' } });
    assert.equal((await app.create({ apiKey: OTHER_KEY })).keyHint, '…wxyz');
  });
});

test('every change is in the audit log, and no key is', async t => {
  const app = await start(t);
  const elsewhere = await startUpstream(t);
  await app.create();
  await app.update({ baseUrl: `${elsewhere.url}/secret-path/v1`, models: [{ model: 'm' }] });
  await app.update({ apiKey: OTHER_KEY });
  await app.ask(DELETE, { input: { providerId: 'vllm' } });
  const { auditEvents } = await app.ask(
    '{ auditEvents(first: 4) { nodes { action actorName subject data } } }',
  );
  const of = (upstream: { url: string }, models: string[], keyVersion?: number) => ({
    kind: 'openai',
    origin: upstream.url,
    models,
    allowPrivate: true,
    ...(keyVersion && { keyVersion }),
  });
  const by = { actorName: 'admin', subject: 'vllm' };
  assert.deepEqual(auditEvents.nodes.reverse(), [
    { action: 'provider.create', ...by, data: of(app.upstream, [], 1) },
    {
      action: 'provider.update',
      ...by,
      data: {
        changed: ['baseUrl', 'models'],
        key: 'dropped',
        before: of(app.upstream, [], 1),
        after: of(elsewhere, ['m']),
      },
    },
    {
      action: 'provider.update',
      ...by,
      data: { changed: [], key: 'set', before: of(elsewhere, ['m']), after: of(elsewhere, ['m'], 2) },
    },
    { action: 'provider.delete', ...by, data: { before: of(elsewhere, ['m'], 2) } },
  ]);
});
