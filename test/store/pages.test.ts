import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { newId } from '../../src/domain/ids.ts';
import type { ModelRequest } from '../../src/domain/request.ts';
import type { Page, PageQuery, RequestFilter, Store } from '../../src/store/store.ts';
import { onBothStores } from './both-stores.ts';
import { aRequest, aSpec, aUser, makeFinished } from './samples.ts';

/** Ids of new requests, newest first, as pages show them. */
async function acceptMany(store: Store, count: number, userId = newId()): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const request = aRequest({ userId });
    await store.requests.accept(request);
    ids.unshift(request.id);
  }
  return ids;
}

/** What a page must be, said over plain lists: the rule that SQL has to agree with. */
function pageOf(ids: readonly string[], query: PageQuery) {
  const inWindow = ids.filter(
    id =>
      (query.after === undefined || id < query.after) && (query.before === undefined || id > query.before),
  );
  const rows =
    query.first === undefined
      ? inWindow.slice(Math.max(0, inWindow.length - query.last!))
      : inWindow.slice(0, query.first);
  if (rows.length === 0) return { rows };
  return {
    rows,
    hasPreviousPage: ids.some(id => id > rows[0]!),
    hasNextPage: ids.some(id => id < rows.at(-1)!),
  };
}

const idsOf = (page: Page<ModelRequest>) => page.rows.map(row => row.id);

onBothStores(open => {
  test('any page of any window is what the list says, and knows what lies on both sides', async t => {
    const { store } = await open(t);
    const userId = newId();
    const ids = await acceptMany(store, 9, userId);
    await acceptMany(store, 2);
    const anywhere = fc.option(fc.constantFrom(...ids, newId(0), newId()), { nil: undefined });
    const query = fc.record({
      after: anywhere,
      before: anywhere,
      size: fc.integer({ min: 0, max: 11 }),
      forward: fc.boolean(),
    });

    await fc.assert(
      fc.asyncProperty(query, async ({ after, before, size, forward }) => {
        const asked = { after, before, ...(forward ? { first: size } : { last: size }) };
        const page = await store.requests.page({ userId }, asked);
        const expected = pageOf(ids, asked);
        assert.deepEqual(idsOf(page), expected.rows);
        if (expected.hasNextPage === undefined) return;
        assert.equal(page.hasNextPage, expected.hasNextPage);
        assert.equal(page.hasPreviousPage, expected.hasPreviousPage);
      }),
      { numRuns: 120 },
    );
  });

  test('an empty page knows its place', async t => {
    const { store } = await open(t);
    const [newest, , oldest] = await acceptMany(store, 3);
    const sides = async (query: PageQuery) => {
      const page = await store.requests.page({}, query);
      assert.deepEqual(page.rows, []);
      return { before: page.hasPreviousPage, behind: page.hasNextPage };
    };

    assert.deepEqual(await sides({ first: 5, after: oldest }), { before: true, behind: false });
    assert.deepEqual(await sides({ last: 5, before: newest }), { before: false, behind: true });
    assert.deepEqual(await sides({ first: 0 }), { before: false, behind: true });
    assert.deepEqual(await sides({ last: 0 }), { before: true, behind: false });
    assert.deepEqual(await sides({ first: 5, after: oldest, before: newest }), {
      before: true,
      behind: false,
    });
  });

  test('behind or before the only row there is nothing but that row', async t => {
    const { store } = await open(t);
    const [only] = await acceptMany(store, 1);

    assert.deepEqual(await store.requests.page({}, { first: 5, after: only }), {
      rows: [],
      hasPreviousPage: true,
      hasNextPage: false,
    });
    assert.deepEqual(await store.requests.page({}, { last: 5, before: only }), {
      rows: [],
      hasPreviousPage: false,
      hasNextPage: true,
    });
  });

  test('walks in both directions see every old row once, whatever comes in meanwhile', async t => {
    const { store } = await open(t);

    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.boolean(), async (size, forward) => {
        const userId = newId();
        const ids = await acceptMany(store, 7, userId);
        const seen: string[] = [];
        let cursor: string | undefined;
        for (let more = true; more; ) {
          const page = await store.requests.page(
            { userId },
            forward ? { first: size, after: cursor } : { last: size, before: cursor },
          );
          if (forward) seen.push(...idsOf(page));
          else seen.unshift(...idsOf(page));
          cursor = page.rows.at(forward ? -1 : 0)?.id;
          more = forward ? page.hasNextPage : page.hasPreviousPage && !seen.includes(ids[0]!);
          await acceptMany(store, 1, userId);
        }
        assert.deepEqual(
          seen.filter(id => ids.includes(id)),
          ids,
        );
        assert.equal(new Set(seen).size, seen.length);
      }),
      { numRuns: 12 },
    );
  });

  test('the walk goes on when the row under the cursor is deleted', async t => {
    const { store, db } = await open(t);
    const ids = await acceptMany(store, 5);
    const first = await store.requests.page({}, { first: 2 });
    await db.deleteFrom('requests').where('id', '=', ids[1]!).execute();

    const second = await store.requests.page({}, { first: 2, after: first.rows[1]!.id });

    assert.deepEqual(idsOf(second), ids.slice(2, 4));
    assert.equal(second.hasPreviousPage, true);
  });

  test('every condition of a filter narrows the list, and all of them hold together', async t => {
    const { store } = await open(t);
    const userId = newId();
    const old = await makeFinished(store, {
      request: { userId, createdAt: new Date('2026-01-01T00:00:00Z'), spec: aSpec({ taskType: 'CODE' }) },
      end: { providerId: 'anthropic', servedModel: 'claude', deploymentId: 'anthropic/claude' },
    });
    const recent = await makeFinished(store, { request: { createdAt: new Date('2026-01-02T00:00:00Z') } });
    const waiting = aRequest({
      status: 'QUEUED',
      createdAt: new Date('2026-01-03T00:00:00Z'),
      spec: aSpec({ model: 'fast' }),
    });
    await store.requests.accept(waiting);
    const found = async (filter: RequestFilter) => {
      const ids = idsOf(await store.requests.page(filter, { first: 10 }));
      assert.equal(await store.requests.count(filter, 10), ids.length);
      return ids;
    };

    assert.deepEqual(await found({}), [waiting.id, recent.id, old.id]);
    assert.deepEqual(await found({ userId }), [old.id]);
    assert.deepEqual(await found({ status: ['QUEUED', 'FAILED'] }), [waiting.id]);
    assert.deepEqual(await found({ status: [] }), []);
    assert.deepEqual(await found({ taskType: ['CODE', 'TRANSFORM'] }), [old.id]);
    assert.deepEqual(await found({ providerId: ['anthropic'] }), [old.id]);
    assert.deepEqual(await found({ model: ['claude', 'fast'] }), [waiting.id, old.id]);
    assert.deepEqual(await found({ model: ['anthropic/claude'] }), [old.id]);
    assert.deepEqual(await found({ createdFrom: new Date('2026-01-02T00:00:00Z') }), [waiting.id, recent.id]);
    assert.deepEqual(await found({ createdTo: new Date('2026-01-02T00:00:00Z') }), [old.id]);
    assert.deepEqual(await found({ userId, status: ['FAILED'] }), []);
  });

  test('text is found in prompt and answer in any case, and is only text', async t => {
    const { store } = await open(t);
    const prompt = await makeFinished(store, {
      request: { spec: aSpec({ prompt: 'Äpfel kosten 100% mehr' }) },
      end: { output: 'ja' },
    });
    const answer = await makeFinished(store, {
      request: { spec: aSpec({ prompt: 'path?' }) },
      end: { output: String.raw`C:\temp\a_b` },
    });
    const found = async (text: string) => idsOf(await store.requests.page({ text }, { first: 10 }));

    assert.deepEqual(await found('äPFEL'), [prompt.id]);
    assert.deepEqual(await found('TEMP'), [answer.id]);
    assert.deepEqual(await found('100%'), [prompt.id]);
    assert.deepEqual(await found('%'), [prompt.id]);
    assert.deepEqual(await found('a_b'), [answer.id]);
    assert.deepEqual(await found('_'), [answer.id]);
    assert.deepEqual(await found(String.raw`:\t`), [answer.id]);
    assert.deepEqual(await found("' or true; drop table requests; --"), []);
    assert.deepEqual(await found('\0'), []);
  });

  test('a count stops at its limit', async t => {
    const { store } = await open(t);
    await acceptMany(store, 4);

    assert.equal(await store.requests.count({}, 3), 3);
    assert.equal(await store.requests.count({}, 4), 4);
    assert.equal(await store.requests.count({}, 5), 4);
  });

  test('ids that are unknown or malformed are simply not there', async t => {
    const { store } = await open(t);
    const [id] = await acceptMany(store, 1);
    const asked = ['not an id', id!, newId(), id!];

    const rows = await store.requests.byIds(asked);

    assert.deepEqual(
      rows.map(row => row?.id),
      [undefined, id, undefined, id],
    );
    assert.equal((await store.requests.bodiesByIds(asked))[1]?.output, undefined);
    assert.deepEqual(await store.requests.attemptsByIds(asked), [[], [], [], []]);
    assert.deepEqual(await store.requests.byIds([]), []);
  });

  test('users are listed newest first', async t => {
    const { store } = await open(t);
    const users = [aUser(), aUser(), aUser()];
    for (const user of users) await store.members.createUser(user, undefined);

    const page = await store.members.usersPage({ first: 2 });

    assert.deepEqual(page.rows, [users[2], users[1]]);
    assert.equal(page.hasNextPage, true);
  });
});
