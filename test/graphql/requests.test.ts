// Finding requests: by id, by filter, through node; and who sees whose.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, toGlobalId } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import { seedRequest, startOperations } from '../support/operations.ts';

const IDS = 'query ($filter: RequestFilter) { requests(filter: $filter) { totalCount nodes { id } } }';
const NODE = 'query ($id: ID!) { node(id: $id) { __typename id } request(id: $id) { id } }';

test("one's own request is found by its id; a foreign, unknown or malformed one is null", async t => {
  const { store, user, ask, admin } = await startOperations(t);
  const [anna, berta] = [await user('anna'), await user('berta')];
  const id = toGlobalId('request', await seedRequest(store, anna.userId));

  assert.deepEqual(await ask(anna, NODE, { id }), {
    node: { __typename: 'ModelRequest', id },
    request: { id },
  });
  assert.deepEqual(await ask(admin, NODE, { id }), {
    node: { __typename: 'ModelRequest', id },
    request: { id },
  });
  for (const unseen of [toGlobalId('request', newId()), 'req_', 'nonsense', '', '\0', id.toUpperCase()])
    assert.deepEqual(await ask(anna, NODE, { id: unseen }), { node: null, request: null });
  assert.deepEqual(await ask(berta, NODE, { id }), { node: null, request: null });
});

test('users and keys are nodes for themselves and for ADMIN alone', async t => {
  const { user, ask, admin } = await startOperations(t);
  const [anna, berta] = [await user('anna'), await user('berta')];
  const { createApiKey } = await ask(
    anna,
    'mutation { createApiKey(input: { name: "script" }) { secret apiKey { id prefix } } }',
  );
  const userId = toGlobalId('user', anna.userId);
  const keyId = createApiKey.apiKey.id;
  assert.ok(createApiKey.secret.startsWith(createApiKey.apiKey.prefix));

  for (const actor of [anna, admin]) {
    assert.deepEqual((await ask(actor, NODE, { id: userId })).node, { __typename: 'User', id: userId });
    assert.deepEqual((await ask(actor, NODE, { id: keyId })).node, { __typename: 'ApiKey', id: keyId });
  }
  for (const id of [userId, keyId]) assert.equal((await ask(berta, NODE, { id })).node, null);
});

test('a finished request shows what was asked, what came of it, who served it and what it cost', async t => {
  const { store, user, ask } = await startOperations(t);
  const anna = await user('anna');
  const createdAt = new Date('2026-11-01T12:00:00Z');
  const after = (ms: number) => new Date(createdAt.getTime() + ms);
  const usage = {
    inputTokens: 7,
    outputTokens: 5,
    cachedInputTokens: 3,
    cacheWriteTokens: 0,
    estimated: false,
  };
  const id = await seedRequest(store, anna.userId, {
    createdAt,
    spec: { system: 'Be brief.', metadata: { ticket: 12 }, temperature: 0.5, stop: ['END'] },
    finished: {
      startedAt: after(10),
      firstTokenAt: after(250),
      finishedAt: after(1_000),
      overheadMs: 1.5,
      usage,
      costNanoUsd: 1_500n,
      attempts: [
        {
          id: newId(),
          number: 1,
          deploymentId: 'openai/gpt-6-sol',
          providerId: 'openai',
          model: 'gpt-6-sol',
          outcome: 'SUCCEEDED',
          error: undefined,
          fault: undefined,
          providerResponseId: 'resp_1',
          servedModel: 'gpt-6-sol',
          finishReason: 'stop',
          usage,
          costNanoUsd: 1_500n,
          priceSource: 'config',
          startedAt: after(10),
          timeToFirstTokenMs: 239.6,
          durationMs: 990.4,
        },
      ],
    },
  });

  const { request } = await ask(
    anna,
    `query ($id: ID!) { request(id: $id) {
      status prompt system output finishReason metadata temperature stop messages { role content }
      usage { inputTokens outputTokens cachedInputTokens totalTokens estimated } cost
      timeToFirstTokenMs durationMs overheadMs createdAt finishedAt servedModel deploymentId
      provider { id } deployment { id } error { code } attemptCount submittedBy { username }
      attempts { number deploymentId outcome timeToFirstTokenMs durationMs cost priceSource usage { totalTokens } } } }`,
    { id: toGlobalId('request', id) },
  );

  assert.deepEqual(request, {
    status: 'SUCCEEDED',
    prompt: 'Why is the sky blue?',
    system: 'Be brief.',
    output: 'Because of Rayleigh scattering.',
    finishReason: 'stop',
    metadata: { ticket: 12 },
    temperature: 0.5,
    stop: ['END'],
    messages: [{ role: 'USER', content: 'Why is the sky blue?' }],
    usage: { inputTokens: 7, outputTokens: 5, cachedInputTokens: 3, totalTokens: 12, estimated: false },
    cost: '0.0000015',
    timeToFirstTokenMs: 250,
    durationMs: 1_000,
    overheadMs: 1.5,
    createdAt: '2026-11-01T12:00:00.000Z',
    finishedAt: '2026-11-01T12:00:01.000Z',
    servedModel: 'gpt-6-sol',
    deploymentId: 'openai/gpt-6-sol',
    // No such provider is configured any more: the ids stay, the objects are gone.
    provider: null,
    deployment: null,
    error: null,
    attemptCount: 1,
    submittedBy: { username: 'anna' },
    attempts: [
      {
        number: 1,
        deploymentId: 'openai/gpt-6-sol',
        outcome: 'SUCCEEDED',
        timeToFirstTokenMs: 240,
        durationMs: 990,
        cost: '0.0000015',
        priceSource: 'config',
        usage: { totalTokens: 12 },
      },
    ],
  });
});

test('every condition of a filter holds, and a list means any of its members', async t => {
  const { store, user, ask, admin } = await startOperations(t);
  const [anna, berta] = [await user('anna'), await user('berta')];
  const days = [1, 2, 3, 4].map(day => new Date(`2026-11-0${day}T00:00:00Z`)) as [Date, Date, Date, Date];
  const failed = {
    status: 'FAILED',
    error: requestError('TIMEOUT', 'Too slow.'),
    output: undefined,
  } as const;
  const seeded = {
    running: await seedRequest(store, anna.userId, { createdAt: days[0] }),
    code: await seedRequest(store, anna.userId, {
      createdAt: days[1],
      spec: { taskType: 'CODE', model: 'gpt-6-sol', messages: [{ role: 'USER', content: '100% of_Things' }] },
      finished: failed,
    }),
    chat: await seedRequest(store, anna.userId, { createdAt: days[2], finished: {} }),
    foreign: await seedRequest(store, berta.userId, { createdAt: days[3], finished: failed }),
  };
  const names = async (actor: typeof anna, filter: object) => {
    const { requests } = await ask(actor, IDS, { filter });
    const found = requests.nodes.map((node: { id: string }) => node.id);
    assert.equal(requests.totalCount, found.length);
    return Object.entries(seeded)
      .filter(([, id]) => found.includes(toGlobalId('request', id)))
      .map(([name]) => name);
  };

  assert.deepEqual(await names(anna, {}), ['running', 'code', 'chat']);
  assert.deepEqual(await names(admin, {}), ['running', 'code', 'chat', 'foreign']);
  assert.deepEqual(await names(admin, { status: 'FAILED' }), ['code', 'foreign']);
  assert.deepEqual(await names(admin, { status: ['RUNNING', 'SUCCEEDED'] }), ['running', 'chat']);
  assert.deepEqual(await names(admin, { status: ['FAILED'], taskType: ['CODE'] }), ['code']);
  assert.deepEqual(await names(admin, { status: [], provider: null }), [
    'running',
    'code',
    'chat',
    'foreign',
  ]);
  assert.deepEqual(await names(admin, { provider: ['openai'] }), ['code', 'chat', 'foreign']);
  assert.deepEqual(await names(admin, { provider: ['elsewhere'] }), []);
  assert.deepEqual(await names(anna, { model: ['gpt-6-sol'] }), ['code', 'chat']);
  assert.deepEqual(await names(admin, { user: toGlobalId('user', berta.userId) }), ['foreign']);
  assert.deepEqual(await names(anna, { text: '100% OF_t' }), ['code']);
  assert.deepEqual(await names(anna, { text: 'rayleigh' }), ['chat']);
  assert.deepEqual(await names(anna, { text: '%' }), ['code']);
  assert.deepEqual(
    await names(admin, { createdAt: { from: days[1].toISOString(), to: days[3].toISOString() } }),
    ['code', 'chat'],
  );
});

test('a filter that cannot be meant is refused', async t => {
  const { user, refuse, admin } = await startOperations(t);
  const anna = await user('anna');
  const bad = [
    { text: '' },
    { text: 'x'.repeat(201) },
    { text: 'a\0b' },
    { user: 'anna' },
    { provider: ['\ud800'] },
    { model: Array(51).fill('m') },
    { createdAt: { from: '2026-11-02T00:00:00Z', to: '2026-11-01T00:00:00Z' } },
    { createdAt: { from: 'yesterday' } },
  ];

  for (const filter of bad)
    assert.equal(await refuse(anna, IDS, { filter }), 'BAD_USER_INPUT', JSON.stringify(filter));
  const foreign = { user: toGlobalId('user', admin.userId) };
  assert.equal(await refuse(anna, IDS, { filter: foreign }), 'FORBIDDEN');
});

test('whoever has no credential is refused by the fields themselves, too', async t => {
  const { refuse } = await startOperations(t);

  assert.equal(await refuse(null, '{ requests { totalCount } }'), 'UNAUTHENTICATED');
  assert.equal(await refuse(null, '{ viewer { id } }'), 'UNAUTHENTICATED');
  assert.equal(
    await refuse(null, 'mutation { submitRequest(input: { prompt: "x" }) { request { id } } }'),
    'UNAUTHENTICATED',
  );
});
