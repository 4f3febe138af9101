// An operation that comes again takes a shorter way, without the plugins. It must answer what it answered before, and
// refuse whom it would have refused.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type Data, startTestApp, type TestApp } from '../support/app.ts';
import { startUpstream, status, text } from '../support/upstream.ts';

const SUBMIT = 'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }';

async function submit({ ask }: TestApp, prompt = 'Say hello'): Promise<string> {
  return (await ask(SUBMIT, { input: { prompt } })).submitRequest.request.id;
}

async function eventsOf({ follow }: TestApp, query: string, id: string): Promise<Data[]> {
  const events: Data[] = [];
  for await (const data of follow(query, { id })) events.push(data);
  return events;
}

/** The queries of the SDK, with the fragments that they use. */
function queriesOfTheSdk(): string[] {
  const directory = new URL('../../src/sdk/operations/', import.meta.url).pathname;
  const files = globSync('*.graphql', { cwd: directory }).map(name => readFileSync(directory + name, 'utf8'));
  const fragments = new Map(
    files.flatMap(file => {
      const [, name] = /^fragment (\w+)/.exec(file) ?? [];
      return name ? [[name, file] as const] : [];
    }),
  );
  const withFragments = (file: string): string => {
    const names = [...file.matchAll(/\.\.\.(\w+)/g)]
      .map(([, name]) => name!)
      .filter(name => fragments.has(name));
    return [file, ...new Set(names.map(name => withFragments(fragments.get(name)!)))].join('\n');
  };
  return files.filter(file => file.startsWith('query')).map(withFragments);
}

test('every query of the SDK is answered the second time as the first time', async t => {
  const app = await startTestApp(t);
  const id = await submit(app);
  await eventsOf(app, 'subscription ($id: ID!) { tokenStream(requestId: $id) { cursor } }', id);
  const user = (await app.ask('{ viewer { id } }')).viewer.id;
  const variables = { id, requestId: id, user, step: 'a', input: { prompt: 'Say hello' }, first: 3 };
  // Figures of the moment.
  const settled = (answer: object) =>
    JSON.stringify(answer).replaceAll(
      /"(draw|score|beatAt|at|resetAt|computedAt|decidedAt|explanation|[a-zA-Z]*Ms)":("[^"]*"|[\d.e-]+)/g,
      '""',
    );

  const queries = queriesOfTheSdk();
  assert.ok(queries.length > 5);
  for (const query of queries) {
    const first = await app.send(query, variables);
    const second = await app.send(query, variables);
    assert.equal(first.errors, undefined, query);
    assert.equal(settled(second), settled(first), query);
  }
});

test('what was let in for one role is not let in for another, nor without a credential', async t => {
  const app = await startTestApp(t);
  const user = await app.login('anna');
  const query = '{ metrics { total { requests } } }';
  for (let time = 1; time <= 3; time += 1) {
    assert.equal((await app.send(query)).errors, undefined);
    assert.equal((await app.send(query, {}, user)).errors?.[0]?.extensions.code, 'FORBIDDEN');
    assert.equal((await app.send(query, {}, null)).errors?.[0]?.extensions.code, 'UNAUTHENTICATED');
  }
});

test('what was let in for one API key is not let in for one that is for less, nor the other way round', async t => {
  const app = await startTestApp(t);
  const keyFor = async (...scopes: string[]) => {
    const input = { name: 'a key', ...(scopes.length > 0 && { scopes }) };
    const create = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }';
    return (await app.ask(create, { input })).createApiKey.secret as string;
  };
  const [full, reader, submitter] = [await keyFor(), await keyFor('READ'), await keyFor('SUBMIT')];
  const codeOf = async (query: string, key: string) =>
    (await app.send(query, {}, key)).errors?.[0]?.extensions.code;

  for (const [query, order] of [
    ['{ requests { nodes { id } } }', [full, submitter, reader]],
    ['{ requests { nodes { id status } } }', [submitter, reader, full]],
    ['{ viewer { apiKeys { id } } }', [reader, full, submitter]],
  ] as const)
    for (let time = 1; time <= 3; time += 1)
      for (const key of order) {
        const allowed = key === full || (key === reader && query.includes('requests'));
        assert.equal(await codeOf(query, key), allowed ? undefined : 'FORBIDDEN', query);
      }
});

test('variables, domain errors and costs are judged every time', async t => {
  const app = await startTestApp(t, { MCPLANE_QUERY_MAX_COST: '200' });
  await submit(app);
  const page = 'query ($first: Int) { requests(first: $first) { nodes { id status priority } } }';
  const codes: unknown[] = [];
  for (const [query, variables] of [
    [SUBMIT, { input: { prompt: 7 } }],
    [SUBMIT, { input: { prompt: 'x', temperature: 9 } }],
    [SUBMIT, { input: { prompt: 'x', model: 'nobody/has-it' } }],
    [page, { first: 1 }],
    [page, { first: 100 }],
    [page, { first: 1 }],
  ] as const) {
    const { errors } = await app.send(query, variables);
    codes.push(errors?.[0]?.extensions.code);
    assert.ok(!JSON.stringify(errors ?? '').includes('"7"'));
  }

  assert.deepEqual(codes, [
    'BAD_USER_INPUT',
    'BAD_USER_INPUT',
    'BAD_USER_INPUT',
    undefined,
    'QUERY_TOO_COMPLEX',
    undefined,
  ]);
});

test('of two operations in one document each is remembered by its name', async t => {
  const app = await startTestApp(t);
  const document = 'query one { viewer { username } } query two { viewer { role } }';
  const run = async (operationName: string) => {
    const response = await fetch(`${app.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${app.adminToken}` },
      body: JSON.stringify({ query: document, operationName }),
    });
    return (await response.json()) as unknown;
  };

  for (let time = 1; time <= 3; time += 1) {
    assert.deepEqual(await run('one'), { data: { viewer: { username: 'admin' } } });
    assert.deepEqual(await run('two'), { data: { viewer: { role: 'ADMIN' } } });
  }
});

test('directives that depend on variables are looked at every time', async t => {
  const app = await startTestApp(t);
  const user = await app.login('anna');
  const query =
    'query ($all: Boolean!) { viewer { username } metrics @include(if: $all) { total { requests } } }';
  for (const [all, code] of [
    [false, undefined],
    [true, 'FORBIDDEN'],
    [false, undefined],
    [true, 'FORBIDDEN'],
  ] as const)
    assert.equal((await app.send(query, { all }, user)).errors?.[0]?.extensions.code, code);
});

const SELECTIONS: Readonly<Record<string, string>> = {
  plain: '__typename cursor ... on TokenDelta { text }',
  aliases: 'kind: __typename place: cursor requestId ... on TokenDelta { piece: text step }',
  fragments:
    '...Any } } fragment Any on StreamEvent { cursor ... on AttemptStarted { attempt deployment } ...Text ...End } fragment Text on TokenDelta { text } fragment End on StreamFailed { requestId error { code',
  nested:
    '__typename ... on StreamCompleted { request { id status output } } ... on StreamFailed { error { message } request { id } }',
};

for (const [name, selection] of Object.entries(SELECTIONS))
  test(`a token stream is told alike by both ways: ${name}`, async t => {
    const upstream = await startUpstream(t);
    const app = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
    const query = `subscription ($id: ID!) { stream: tokenStream(requestId: $id) { ${selection} } }`;
    upstream.enqueue([text('Hello'), text(' world')]);
    const succeeded = await submit(app);
    const first = await eventsOf(app, query, succeeded);
    upstream.answerWith(() => status(400));
    const failed = await submit(app);
    // Written a little differently, it has never come before.
    const firstFailed = await eventsOf(app, query.replace('{', '{ '), failed);

    assert.ok(first.length >= 3 && firstFailed.length >= 2);
    assert.deepEqual(await eventsOf(app, query, succeeded), first);
    assert.deepEqual(await eventsOf(app, query, failed), firstFailed);
  });
