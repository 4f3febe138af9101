// What an operation may cost, and that nothing of an operation over the limit runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toGlobalId } from '../../src/domain/ids.ts';
import { startTestApp } from '../support/app.ts';
import { seedRequest, startOperations } from '../support/operations.ts';

const PAGE =
  'query ($first: Int, $last: Int) { requests(first: $first, last: $last) { nodes { id status } } }';

test('a page costs its size times its rows, and the message says so', async t => {
  const { admin, ask, run } = await startOperations(t, { maxQueryCost: 100 });

  await ask(admin, PAGE, { first: 40 });
  const { data, errors } = await run(admin, PAGE, { first: 60 });

  assert.equal(data, null);
  assert.deepEqual(errors[0]!.extensions, {
    limit: 'cost',
    cost: 121,
    maximum: 100,
    code: 'QUERY_TOO_COMPLEX',
    retryable: false,
  });
});

test('the same document is judged anew with other variables', async t => {
  const { admin, ask, refuse } = await startOperations(t, { maxQueryCost: 100 });

  for (let i = 0; i < 2; i++) {
    await ask(admin, PAGE, { first: 1 });
    assert.equal(await refuse(admin, PAGE, { first: 100 }), 'QUERY_TOO_COMPLEX');
    assert.equal(await refuse(admin, PAGE, { last: 100 }), 'QUERY_TOO_COMPLEX');
  }
});

test('a page size that makes no sense cannot make a query cheap', async t => {
  const { admin, refuse } = await startOperations(t, { maxQueryCost: 100 });

  for (const first of [-1, -(2 ** 31), 2 ** 31 - 1])
    assert.equal(await refuse(admin, PAGE, { first }), 'QUERY_TOO_COMPLEX');
});

test('an operation that costs more than others counts as several, once', async t => {
  const { send } = await startTestApp(t, {
    MCPLANE_RATE_LIMIT_PER_SECOND: '1',
    MCPLANE_RATE_LIMIT_BURST: '10',
  });
  const codeOf = async (query: string) => (await send(query)).errors?.[0]?.extensions.code;
  const page = 'requests(first: 100) { nodes { id status cost priority createdAt } }';

  assert.equal(await codeOf(`{ a: ${page} b: ${page} }`), undefined);
  assert.equal(await codeOf('{ viewer { id } }'), undefined);
  assert.equal(await codeOf(`{ ${page} }`), undefined);
  assert.equal(await codeOf('{ viewer { id } }'), undefined);
  assert.equal(await codeOf('{ viewer { id } }'), 'RATE_LIMITED');
});

test('looking for text costs nearly half of what an operation may', async t => {
  const { admin, ask, refuse } = await startOperations(t);
  const search = (name: string) => `${name}: requests(filter: { text: "x" }) { nodes { id } }`;

  await ask(admin, `{ ${search('a')} ${search('b')} }`);
  assert.equal(await refuse(admin, `{ ${['a', 'b', 'c'].map(search).join(' ')} }`), 'QUERY_TOO_COMPLEX');
});

test('the default limit admits a full page of rows with their details, not many of them', async t => {
  const { admin, ask, run } = await startOperations(t);
  const rich = 'id status prompt output cost createdAt usage { totalTokens } attempts { number cost }';

  await ask(admin, `{ requests(first: 100) { edges { cursor node { ${rich} } } pageInfo { endCursor } } }`);
  const pages = ['a', 'b', 'c', 'd'].map(name => `${name}: requests(first: 100) { nodes { ${rich} } }`);
  const { errors } = await run(admin, `{ ${pages.join(' ')} }`);
  assert.deepEqual(
    errors.map(error => error.extensions.code),
    ['QUERY_TOO_COMPLEX'],
  );
});

test('no mutation of an operation that is over the limit runs', async t => {
  const { admin, run, store } = await startOperations(t, { maxQueryCost: 10 });
  const submissions = Array.from(
    { length: 6 },
    (_, i) => `s${i}: submitRequest(input: { prompt: "x" }) { request { id } }`,
  );

  const { data, errors } = await run(admin, `mutation { ${submissions.join(' ')} }`);

  assert.equal(data, null);
  assert.equal(errors[0]!.extensions.code, 'QUERY_TOO_COMPLEX');
  assert.equal(await store.requests.count({}, 10), 0);
});

test('a subscription over the limit is refused before its source starts', async t => {
  const { admin, watch, store } = await startOperations(t, { maxQueryCost: 5 });
  const id = toGlobalId('request', await seedRequest(store, admin.userId));

  const refused = await watch(
    admin,
    `subscription ($id: ID!) { tokenStream(requestId: $id) { cursor requestId
      ... on StreamCompleted { request { id status prompt output cost createdAt } } } }`,
    { id },
  );

  assert.ok(!(Symbol.asyncIterator in refused), 'the source has started');
  assert.equal(refused.errors[0]!.extensions.code, 'QUERY_TOO_COMPLEX');
});
