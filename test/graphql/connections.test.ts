// Walks over connections as Relay defines them: every row once, in one order, by any page size, in both directions.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { newId, toGlobalId } from '../../src/domain/ids.ts';
import { formatRowCursor } from '../../src/graphql/pagination.ts';
import { type Operations, seedRequest, startOperations } from '../support/operations.ts';

const PAGE = `query ($first: Int, $after: String, $last: Int, $before: String, $filter: RequestFilter) {
  requests(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
    totalCount
    edges { cursor node { id } }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }`;

interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}
interface PageOfIds {
  readonly ids: string[];
  readonly cursors: string[];
  readonly next: boolean;
  readonly previous: boolean;
}

/** Seven requests of one user, and the ids as pages show them, newest first. */
async function sevenRequests(t: TestContext) {
  const operations = await startOperations(t);
  const user = await operations.user('walker');
  const ids: string[] = [];
  for (let i = 0; i < 7; i++) ids.unshift(await seedRequest(operations.store, user.userId));
  const expected = ids.map(id => toGlobalId('request', id));
  const page = async (args: PageArguments) =>
    toPage((await operations.ask(user, PAGE, { ...args })).requests);
  return { operations, user, ids, expected, page };
}

function toPage({ edges, nodes, pageInfo }: Awaited<ReturnType<Operations['ask']>>): PageOfIds {
  const ids = edges.map((edge: { node: { id: string } }) => edge.node.id);
  const cursors = edges.map((edge: { cursor: string }) => edge.cursor);
  assert.deepEqual(
    nodes.map((node: { id: string }) => node.id),
    ids,
  );
  assert.equal(pageInfo.startCursor, cursors[0] ?? null);
  assert.equal(pageInfo.endCursor, cursors.at(-1) ?? null);
  return { ids, cursors, next: pageInfo.hasNextPage, previous: pageInfo.hasPreviousPage };
}

test('a walk by any page size, in either direction, meets every row once and in the same order', async t => {
  const { page, expected } = await sevenRequests(t);

  for (const size of [1, 2, 3, 6, 7, 8, 100]) {
    const forward: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { ids, cursors, next, previous } = await page({ first: size, after });
      assert.equal(previous, after !== null, `page size ${size}`);
      forward.push(...ids);
      after = cursors.at(-1)!;
      more = next;
    }
    assert.deepEqual(forward, expected, `forward by ${size}`);

    const backward: string[] = [];
    for (let before: string | null = null, more = true; more; ) {
      const { ids, cursors, next, previous } = await page({ last: size, before });
      assert.equal(next, before !== null, `page size ${size}`);
      backward.unshift(...ids);
      before = cursors[0]!;
      more = previous;
    }
    assert.deepEqual(backward, expected, `backward by ${size}`);
  }
});

test('pages at the edges say exactly what lies beyond them', async t => {
  const { page, expected } = await sevenRequests(t);
  const { cursors } = await page({});

  assert.deepEqual(await page({ last: 2 }), { ...pageOf(5, 7), next: false, previous: true });
  assert.deepEqual(await page({ first: 0 }), { ids: [], cursors: [], next: true, previous: false });
  assert.deepEqual(await page({ first: 3, after: cursors[6]! }), {
    ids: [],
    cursors: [],
    next: false,
    previous: true,
  });
  assert.deepEqual(await page({ after: cursors[1]!, before: cursors[5]! }), {
    ...pageOf(2, 5),
    next: true,
    previous: true,
  });
  assert.deepEqual((await page({ after: cursors[5]!, before: cursors[1]! })).ids, []);
  assert.deepEqual(await page({ first: null, last: null, after: null, before: null }), await page({}));

  function pageOf(from: number, to: number) {
    return { ids: expected.slice(from, to), cursors: cursors.slice(from, to) };
  }
});

test('a walk survives rows that come in meanwhile, and gives the old ones once each', async t => {
  const { page, expected, operations, user } = await sevenRequests(t);
  const first = await page({ first: 3 });

  await seedRequest(operations.store, user.userId);
  const second = await page({ first: 3, after: first.cursors.at(-1)! });
  await seedRequest(operations.store, user.userId);
  const third = await page({ first: 3, after: second.cursors.at(-1)! });

  assert.deepEqual([...first.ids, ...second.ids, ...third.ids], expected);
});

test('a cursor whose row is gone still has its place', async t => {
  const { page, ids, expected } = await sevenRequests(t);
  const gone = `${ids[2]!.slice(0, -1)}${ids[2]!.endsWith('0') ? '1' : '0'}`;

  const { ids: rest } = await page({ after: formatRowCursor('requests', gone) });

  assert.deepEqual(
    rest,
    expected.filter((_, index) => ids[index]! < gone),
  );
});

test('page arguments that contradict or exceed are BAD_USER_INPUT', async t => {
  const { operations, user } = await sevenRequests(t);

  for (const args of [
    { first: 1, last: 1 },
    { first: -1 },
    { last: -1 },
    { first: 101 },
    { last: 2 ** 31 - 1 },
  ])
    assert.equal(await operations.refuse(user, PAGE, args), 'BAD_USER_INPUT', JSON.stringify(args));
});

test('what is not a cursor of this connection is BAD_USER_INPUT', async t => {
  const { operations, user, page } = await sevenRequests(t);
  const { cursors } = await page({ first: 1 });
  const cursor = cursors[0]!;
  const junk = [
    '',
    'x',
    '\0',
    '{"id":1}',
    "' or 1=1 --",
    'a'.repeat(100_000),
    `${cursor}=`,
    `${cursor} `,
    formatRowCursor('users', newId()),
    ...[...cursor].map((_, index) => flipOneBit(cursor, index)),
  ];
  assert.ok(cursor.length <= 200);

  for (const after of junk) {
    const { errors } = await operations.run(user, PAGE, { after });
    assert.equal(errors[0]?.extensions.code, 'BAD_USER_INPUT', after.slice(0, 100));
    assert.ok(!errors[0]!.message.includes('select'));
  }
  assert.deepEqual(operations.faults, []);
});

function flipOneBit(cursor: string, index: number): string {
  const bytes = Buffer.from(cursor);
  bytes[index]! ^= 1;
  return bytes.toString();
}

test("a cursor from another's rows opens none of them", async t => {
  const { operations, page } = await sevenRequests(t);
  const other = await operations.user('other');
  const { cursors } = await page({});

  const { requests } = await operations.ask(other, PAGE, { after: cursors[3] });

  assert.deepEqual(requests.edges, []);
  assert.equal(requests.totalCount, 0);
});

test('users and the audit log are connections too', async t => {
  const operations = await startOperations(t);
  await operations.user('anna');
  await operations.user('berta');

  const { users, auditEvents } = await operations.ask(
    operations.admin,
    `{ users(first: 2) { nodes { username role } pageInfo { hasNextPage } }
       auditEvents(first: 1) { edges { cursor node { action actorName } } pageInfo { hasNextPage } } }`,
  );

  assert.deepEqual(users, {
    nodes: [
      { username: 'berta', role: 'USER' },
      { username: 'anna', role: 'USER' },
    ],
    pageInfo: { hasNextPage: true },
  });
  assert.equal(auditEvents.edges.length, 1);
  assert.equal(auditEvents.pageInfo.hasNextPage, true);
});
