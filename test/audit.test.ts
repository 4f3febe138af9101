// What the audit log has of each mutation. The list of mutations is the schema's: a new one fails here until it is known
// what it leaves.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { getNamedType } from 'graphql';
import { schema } from '../src/graphql/schema.ts';
import { ACTS, UNREMEMBERED, type World } from './audit-acts.ts';
import { type Data, startTestApp } from './support/app.ts';
import { startUpstream } from './support/upstream.ts';

const MUTATIONS = schema.getMutationType()!.getFields();

async function startWorld(t: TestContext): Promise<World> {
  const { url: upstreamUrl } = await startUpstream(t, { models: [{ id: 'alpha' }] });
  const env = { MCPLANE_ALLOW_PRIVATE_PROVIDERS: 'true', MCPLANE_SIMULATED: 'on' };
  const app = await startTestApp(t, env);
  const token = await app.login('anna');
  const { id } = (await app.ask('{ viewer { id } }', {}, token)).viewer;
  return {
    ...app,
    anna: { id, token },
    upstreamUrl,
    async mutate(name, input, selection, by) {
      return (await app.ask(documentOf(name, selection), { input }, by))[name];
    },
  };
}

function documentOf(name: string, selection: string): string {
  const [input] = MUTATIONS[name]!.args;
  if (!input) return `mutation { ${name} { ${selection} } }`;
  return `mutation ($input: ${getNamedType(input.type)}!) { ${name}(input: $input) { ${selection} } }`;
}

/** The newest entries, oldest first. Read from the store: reading them through the API is no act, but costs rate. */
async function entriesAfter({ store }: World, sequence: number) {
  const { rows } = await store.audit.page({}, { first: 20 });
  return rows
    .filter(row => row.sequence > sequence)
    .reverse()
    .map(({ actorName, action, subject }) => ({ actor: actorName, action, subject }));
}

async function head({ store }: World): Promise<number> {
  return (await store.audit.head())?.sequence ?? 0;
}

test('it is known of every mutation what it leaves in the audit log', () => {
  const known = [...Object.keys(ACTS), ...Object.keys(UNREMEMBERED)];

  assert.deepEqual(known.sort(), Object.keys(MUTATIONS).sort());
});

test('every act of administration or security leaves its entry, with actor, action and subject', async t => {
  const world = await startWorld(t);

  for (const [name, prepare] of Object.entries(ACTS)) {
    const { variables, by, actor = 'admin', selection, leaves } = await prepare(world);
    const before = await head(world);
    const { data, errors } = await world.send(documentOf(name, selection), { input: variables }, by);
    assert.deepEqual(errors, undefined, name);

    const expected = leaves(data[name]).map(entry => ({ actor, ...entry }));
    assert.deepEqual(await entriesAfter(world, before), expected, name);
  }
});

test('what is refused leaves none, and a failed login its own', async t => {
  const world = await startWorld(t);
  const before = await head(world);
  const mine = await world.login('berta');
  const start = await head(world);
  assert.ok(start > before);

  const refused = async (name: string, input: object, by: string | null, selection: string) => {
    const { errors } = await world.send(documentOf(name, selection), { input }, by);
    return errors?.[0]?.extensions.code;
  };
  const update = { userId: world.anna.id, role: 'ADMIN' };
  assert.equal(await refused('updateUser', update, mine, 'user { id }'), 'FORBIDDEN');
  const breaker = { deploymentId: 'simulated/fast', reason: '' };
  assert.equal(await refused('openBreaker', breaker, world.adminToken, 'provider { id }'), 'BAD_USER_INPUT');
  assert.deepEqual(await entriesAfter(world, start), []);

  const login = { username: 'anna', password: 'the wrong one' };
  assert.equal(await refused('login', login, null, 'token'), 'UNAUTHENTICATED');
  assert.deepEqual(await entriesAfter(world, start), [
    { actor: undefined, action: 'session.refuse', subject: world.anna.id },
  ]);
});

test('one reads what was done to something, by somebody, in a span of time, page by page', async t => {
  const world = await startWorld(t);
  const { anna, ask, mutate } = world;
  const from = new Date();
  for (let limit = 1; limit <= 5; limit++)
    await mutate('setRateLimits', { userId: anna.id, requestsPerMinute: limit }, 'user { id }');
  await mutate('setRateLimits', { apiKeyId: await keyId(world), requestsPerMinute: 1 }, 'user { id }');
  const to = new Date(Date.now() + 1);
  await mutate('setRateLimits', { userId: anna.id, requestsPerMinute: 6 }, 'user { id }');
  const { id: adminId } = (await ask('{ viewer { id } }')).viewer;
  const filter = { action: 'rateLimits.set', actor: adminId, subject: anna.id, at: { from, to } };
  const query = `query ($filter: AuditFilter, $after: String) {
    auditEvents(first: 2, after: $after, filter: $filter) {
      nodes { sequence subject } pageInfo { hasNextPage endCursor } } }`;

  const found: Data[] = [];
  for (let after: string | null = null, more = true; more; ) {
    const page: Data = await ask(query, { filter, after });
    const { nodes, pageInfo } = page.auditEvents;
    found.push(...nodes);
    after = pageInfo.endCursor;
    more = pageInfo.hasNextPage;
  }

  assert.equal(found.length, 5);
  assert.ok(found.every(({ subject }) => subject === anna.id));
  assert.deepEqual(
    found.map(({ sequence }) => sequence),
    found.map(({ sequence }) => sequence).sort((a, b) => b - a),
  );
  const none = { ...filter, at: { to: from } };
  assert.deepEqual((await ask(query, { filter: none })).auditEvents.nodes, []);
  for (const wrong of [
    { subject: '\0' },
    { action: '\ud800' },
    { at: { from: to, to: from } },
    { actor: 'x' },
  ]) {
    const { errors } = await world.send(query, { filter: wrong });
    assert.equal(errors?.[0]?.extensions.code, 'BAD_USER_INPUT', JSON.stringify(wrong));
  }
});

async function keyId({ mutate, anna }: World): Promise<string> {
  return (await mutate('createApiKey', { name: 'k', userId: anna.id }, 'apiKey { id }')).apiKey.id;
}
