// Nobody reads or cancels another's request, on whatever way through the schema; an administrator may, and the audit log
// tells it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toGlobalId } from '../../src/domain/ids.ts';
import { type Data, startTestApp, type TestApp } from '../support/app.ts';
import { readStream, submit } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';

/** Every way on which an id of a request is handed in, and what is answered when there is none. */
const WAYS: Readonly<Record<string, { readonly query: string; readonly none: unknown }>> = {
  request: { query: 'query ($id: ID!) { request(id: $id) { id output prompt } }', none: { request: null } },
  node: { query: 'query ($id: ID!) { node(id: $id) { id } }', none: { node: null } },
  'node, its type alone': {
    query: 'query ($id: ID!) { node(id: $id) { __typename } }',
    none: { node: null },
  },
  'node, by fragments and aliases': {
    query: `query ($id: ID!) { a: node(id: $id) { ...Any } b: node(id: $id) { ... on ModelRequest { c: output } } }
      fragment Any on Node { ... on ModelRequest { text: prompt } }`,
    none: { a: null, b: null },
  },
  cancelRequest: {
    query: 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { output } } }',
    none: 'NOT_FOUND There is no such request.',
  },
};

async function answerOf({ send }: TestApp, query: string, id: string, token: string): Promise<unknown> {
  const { data, errors } = await send(query, { id }, token);
  return errors ? `${errors[0]!.extensions.code} ${errors[0]!.message}` : data;
}

const UNKNOWN = `req_${'0'.repeat(32)}`;

test("another's request is answered on every way like one that does not exist", async t => {
  const app = await startTestApp(t);
  const [anna, berta] = [await app.login('anna'), await app.login('berta')];
  const id = await submit(app, { prompt: 'A secret' }, anna);
  await readStream(app, id);

  for (const [name, { query, none }] of Object.entries(WAYS)) {
    assert.deepEqual(await answerOf(app, query, id, berta), none, name);
    assert.deepEqual(await answerOf(app, query, UNKNOWN, berta), none, name);
  }
  const stream = app.follow(
    'subscription ($id: ID!) { tokenStream(requestId: $id) { cursor } }',
    { id },
    berta,
  );
  await assert.rejects(stream.next(), /There is no such request/);
  const { requests } = await app.ask('{ requests { totalCount nodes { id } } }', {}, berta);
  assert.deepEqual(requests, { totalCount: 0, nodes: [] });
  const own = await app.ask(WAYS.request!.query, { id }, anna);
  assert.equal(own.request.prompt, 'A secret');
});

test('ids of every kind of node give a stranger nothing, and an administrator all', async t => {
  const app = await startTestApp(t);
  const [anna, berta] = [await app.login('anna'), await app.login('berta')];
  const { viewer } = await app.ask('{ viewer { id } }', {}, anna);
  const create = 'mutation { createApiKey(input: { name: "hers" }) { apiKey { id } } }';
  const { createApiKey } = await app.ask(create, {}, anna);
  const keep = `mutation { createWorkflow(input: { name: "hers", workflow: { steps: [{ id: "a", prompt: "a" }] } }) {
    definition { id } } }`;
  const { createWorkflow } = await app.ask(keep, {}, anna);
  const ids = {
    ModelRequest: await submit(app, { prompt: 'Why?' }, anna),
    User: viewer.id,
    ApiKey: createApiKey.apiKey.id,
    WorkflowDefinition: createWorkflow.definition.id,
  };
  const query = 'query ($id: ID!) { node(id: $id) { __typename id } }';

  for (const [__typename, id] of Object.entries(ids)) {
    assert.deepEqual(await app.ask(query, { id }, berta), { node: null }, __typename);
    for (const token of [anna, app.adminToken])
      assert.deepEqual(await app.ask(query, { id }, token), { node: { __typename, id } });
  }
  const { viewer: sessions } = await app.ask('{ viewer { sessions { id } } }', {}, anna);
  for (const id of [sessions.sessions[0].id, 'att_00000000000000000000000000000000', 'nonsense', ''])
    assert.deepEqual(await app.ask(query, { id }, app.adminToken), { node: null }, 'no node at all');
});

test('what an administrator reads of others is in the audit log, once, and what is their own is not', async t => {
  const app = await startTestApp(t);
  const anna = await app.login('anna');
  const foreign = [await submit(app, { prompt: 'One' }, anna), await submit(app, { prompt: 'Two' }, anna)];
  const own = await submit(app, { prompt: 'Mine' });
  for (const id of [...foreign, own]) await app.ask(WAYS.request!.query, { id }, anna);
  const readings = async () =>
    (
      await app.ask(
        '{ auditEvents(filter: { action: "request.read" }) { nodes { actorName subject data } } }',
      )
    ).auditEvents.nodes;
  const { viewer } = await app.ask('{ viewer { id } }', {}, anna);
  const annaId = (await app.app.members.authenticate(anna))!.userId;
  assert.equal(viewer.id, toGlobalId('user', annaId));

  await app.ask('{ requests { nodes { id status cost } } }');
  assert.deepEqual(await readings(), [], 'figures are not what was said');
  await app.ask('{ requests { nodes { prompt output } } dashboard { recentRequests { prompt } } }');
  for (const query of Object.values(WAYS)) await answerOf(app, query.query, foreign[0]!, app.adminToken);

  const told = (await readings()).sort((one: Data, two: Data) => (one.subject < two.subject ? -1 : 1));
  assert.deepEqual(
    told,
    foreign.sort().map(subject => ({ actorName: 'admin', subject, data: { userId: annaId } })),
  );
});

test('following another’s stream is reading too', async t => {
  const app = await startTestApp(t);
  const id = await submit(app, { prompt: 'Why?' }, await app.login('anna'));

  await readStream(app, id);

  const { auditEvents } = await app.ask('{ auditEvents(first: 1) { nodes { action subject } } }');
  assert.deepEqual(auditEvents.nodes, [{ action: 'request.read', subject: id }]);
});

test("an administrator's cancel of another's request is in the audit log, one's own is not", async t => {
  const upstream = await startUpstream(t);
  const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  const anna = await app.login('anna');
  const never = new Promise<void>(() => {});
  upstream.answerWith(() => [text('half '), gate(never)]);
  const cancel = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }';
  const cancelled = async (owner: string, by: string) => {
    const id = await submit(app, { prompt: 'Why?' }, owner);
    const { cancelRequest } = await app.ask(cancel, { id }, by);
    assert.equal(cancelRequest.request.status, 'CANCELLED');
    return id;
  };

  const hers = await cancelled(anna, app.adminToken);
  await cancelled(anna, anna);
  await cancelled(app.adminToken, app.adminToken);
  await app.ask(cancel, { id: hers });

  const { auditEvents } = await app.ask(
    '{ auditEvents(filter: { action: "request.cancel" }) { nodes { actorName subject } } }',
  );
  assert.deepEqual(auditEvents.nodes, [{ actorName: 'admin', subject: hers }]);
});
