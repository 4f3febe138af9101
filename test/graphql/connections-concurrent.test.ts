// Every connection of the schema, over HTTP, while rows come and go: whoever walks through it meets each row that was
// there and stayed exactly once, and cursors that were tampered with open nothing.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { getNamedType, isObjectType } from 'graphql';
import { newId } from '../../src/domain/ids.ts';
import { parseWorkflow } from '../../src/domain/workflow-input.ts';
import { formatRowCursor } from '../../src/graphql/pagination.ts';
import { schema } from '../../src/graphql/schema.ts';
import { aRequest, aUser } from '../store/samples.ts';
import { ADMIN, BOUNDLESS_CALLERS, startTestApp, type TestApp } from '../support/app.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';

interface Rows {
  /** Adds a row and gives its id. */
  insert(database: TestDatabase): Promise<string>;
  /** Absent: its rows stay for ever. */
  remove?(database: TestDatabase, id: string): Promise<unknown>;
}

const CONNECTIONS: Record<string, Rows> = {
  requests: {
    async insert({ store }) {
      const request = aRequest();
      await store.requests.accept(request);
      return request.id;
    },
    remove: ({ db }, id) => db.deleteFrom('requests').where('id', '=', id).execute(),
  },
  users: {
    async insert({ store }) {
      const user = aUser();
      await store.members.createUser(user, undefined);
      return user.id;
    },
    remove: ({ db }, id) => db.deleteFrom('users').where('id', '=', id).execute(),
  },
  auditEvents: {
    async insert({ store }) {
      const id = newId();
      const act = { id, at: new Date(), action: 'test.act', actorId: undefined, actorName: undefined };
      await store.audit.append({ ...act, subject: undefined, reason: undefined, data: undefined });
      return id;
    },
  },
  'viewer.auditEvents': {
    async insert({ store }) {
      const id = newId();
      const admin = (await store.members.userByName(ADMIN.username))!.user;
      const act = { id, at: new Date(), action: 'test.act', actorId: admin.id, actorName: admin.username };
      await store.audit.append({ ...act, subject: undefined, reason: undefined, data: undefined });
      return id;
    },
  },
  budgets: {
    async insert({ store }) {
      const user = aUser();
      await store.members.createUser(user, undefined);
      const id = newId();
      await store.budgets.set({
        id,
        userId: user.id,
        apiKeyId: undefined,
        period: 'TOTAL',
        limitNanoUsd: 1n,
      });
      return id;
    },
    remove: ({ store }, id) => store.budgets.remove(id),
  },
  workflowDefinitions: {
    async insert({ store }) {
      const id = newId();
      const workflow = parseWorkflow({}, '', BOUNDS);
      const about = { name: id, description: undefined, createdAt: new Date() };
      await store.workflowDefinitions.create({ id, userId: newId(), ...about, shared: false, workflow });
      return id;
    },
    remove: ({ db }, id) => db.deleteFrom('workflow_definitions').where('id', '=', id).execute(),
  },
};

const BOUNDS = {
  maxSteps: 1,
  maxDepth: 1,
  maxItems: 1,
  maxParallel: 1,
  maxDeadlineMs: 1,
  maxSchemaBytes: 1,
  maxTemplateBytes: 1,
};
const OLD_ROWS = 30;

async function start(t: TestContext) {
  let database: TestDatabase | undefined;
  const app = await startTestApp(t, BOUNDLESS_CALLERS, async cleanup => {
    database = await openTestDatabase(cleanup);
    return database.store;
  });
  return { app, database: database! };
}

interface PageArguments {
  readonly first?: number;
  readonly after?: string | undefined;
  readonly last?: number;
  readonly before?: string | undefined;
}

function queryOf(connection: string, selection: string): string {
  const [field, parent] = connection.split('.').reverse();
  const page = `page: ${field}(first: $first, after: $after, last: $last, before: $before) { ${selection} }`;
  return `query ($first: Int, $after: String, $last: Int, $before: String) {
    ${parent ? `parent: ${parent} { ${page} }` : page} }`;
}

async function pageOf({ ask }: TestApp, connection: string, args: PageArguments) {
  const selection =
    'edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';
  const data = await ask(queryOf(connection, selection), args);
  const { edges, pageInfo } = (data.parent ?? data).page;
  const cursors: string[] = edges.map(({ cursor }: { cursor: string }) => cursor);
  assert.deepEqual([pageInfo.startCursor, pageInfo.endCursor], [cursors[0] ?? null, cursors.at(-1) ?? null]);
  return { ids: edges.map(({ node }: { node: { id: string } }) => node.id) as string[], cursors, pageInfo };
}

/** From the newest row to the oldest. */
async function walkForward(app: TestApp, connection: string, size: number): Promise<string[]> {
  const seen: string[] = [];
  for (let after: string | undefined; ; ) {
    const page = await pageOf(app, connection, { first: size, after });
    seen.push(...page.ids);
    if (!page.pageInfo.hasNextPage) return seen;
    after = page.cursors.at(-1);
  }
}

/** From the oldest row to the newest of these; newer ones come in faster than one can walk. */
async function walkBackward(
  app: TestApp,
  connection: string,
  { size, newest }: { size: number; newest: string },
): Promise<string[]> {
  const seen: string[] = [];
  for (let before: string | undefined; ; ) {
    const page = await pageOf(app, connection, { last: size, before });
    seen.unshift(...page.ids);
    if (!page.pageInfo.hasPreviousPage || page.ids.some(id => id > newest)) return seen;
    before = page.cursors[0];
  }
}

test('every connection of the schema has its rows in this file', () => {
  const types = Object.values(schema.getTypeMap()).filter(isObjectType);
  const fields = types.flatMap(type =>
    Object.values(type.getFields()).filter(field => getNamedType(field.type).name.endsWith('Connection')),
  );
  const known = Object.keys(CONNECTIONS).map(name => name.split('.').at(-1));
  assert.deepEqual(fields.map(({ name }) => name).sort(), known.sort());
});

for (const [connection, rows] of Object.entries(CONNECTIONS)) {
  test(`${connection}: walks in both directions meet each old row once while rows come and go`, async t => {
    const { app, database } = await start(t);
    for (let count = 0; count < OLD_ROWS; count += 1) await rows.insert(database);
    const old = await walkForward(app, connection, 100);
    assert.ok(old.length >= OLD_ROWS);

    const writers = startWriters(rows, database, old);
    const walks = await Promise.all([
      ...[1, 4, 100].map(size => walkForward(app, connection, size)),
      ...[2, 100].map(size => walkBackward(app, connection, { size, newest: old[0]! })),
    ]);
    const { inserted, removed } = await writers.stop();

    t.diagnostic(`${inserted} rows came, ${removed.size} old ones went`);
    assert.ok(inserted > 5);
    const stayed = old.filter(id => !removed.has(id));
    for (const seen of walks) {
      assert.equal(new Set(seen).size, seen.length, 'no row twice');
      assert.deepEqual([...seen].sort().reverse(), seen, 'newest first');
      assert.deepEqual(
        seen.filter(id => stayed.includes(id)),
        stayed,
      );
    }
  });

  test(`${connection}: a cursor that was tampered with, or made for something else, is BAD_USER_INPUT`, async t => {
    const { app, database } = await start(t);
    for (let count = 0; count < 3; count += 1) await rows.insert(database);
    const { cursors } = await pageOf(app, connection, { first: 2 });
    const cursor = cursors[0]!;
    assert.ok(cursor.length <= 200);
    const field = connection.split('.').at(-1)!;
    const others = Object.keys(CONNECTIONS).filter(name => !name.endsWith(field));

    const tampered = [
      ...[...cursor].map((_, index) => withBitFlipped(cursor, index, 1 << (index % 6))),
      ...others.map(name => formatRowCursor(name as 'requests', newId())),
      ...['', ' ', '\0', 'null', '0', '{"id":1}', "' or 1=1 --", '../../etc/passwd', 'ÿ', '😀'],
      ...[`${cursor}=`, ` ${cursor}`, `${cursor}\0`, cursor.slice(1), cursor.repeat(2), 'a'.repeat(100_000)],
      Buffer.from(`1.${newId()}' or 1=1 --.00000000`).toString('base64url'),
    ];
    for (const [index, bad] of tampered.entries()) {
      const { errors } = await app.send(
        queryOf(connection, 'nodes { id }'),
        index % 2 === 0 ? { first: 1, after: bad } : { last: 1, before: bad },
      );
      assert.equal(errors?.[0]?.extensions.code, 'BAD_USER_INPUT', JSON.stringify(bad.slice(0, 100)));
      assert.match(errors![0]!.message, new RegExp(`^(after|before) is not a cursor of ${field}$`));
    }
    assert.equal((await pageOf(app, connection, { first: 1, after: cursor })).cursors[0], cursors[1]);
  });
}

function withBitFlipped(cursor: string, index: number, bit: number): string {
  const bytes = Buffer.from(cursor);
  bytes[index]! ^= bit;
  return bytes.toString('latin1');
}

/** Insert rows without a pause, and take away every third old one and some of the new. */
function startWriters(rows: Rows, database: TestDatabase, old: readonly string[]) {
  const inner = (globalId: string) =>
    globalId.replace(/^\w+_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const removed = new Set<string>();
  const doomed = old.filter((_, index) => index % 3 === 1);
  let inserted = 0;
  let isStopped = false;
  const insert = async () => {
    while (!isStopped) {
      const id = await rows.insert(database);
      inserted += 1;
      if (inserted % 4 === 0) await rows.remove?.(database, id);
      // The embedded database runs in this process, and would let nobody else to it.
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  const remove = async () => {
    for (let globalId = doomed.pop(); globalId && rows.remove && !isStopped; globalId = doomed.pop()) {
      removed.add(globalId);
      await rows.remove(database, inner(globalId));
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  const work = Promise.all([insert(), insert(), remove()]);
  return {
    async stop() {
      isStopped = true;
      await work;
      return { inserted, removed };
    },
  };
}
