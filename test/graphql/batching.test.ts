// A page costs a handful of statements, however many rows it has.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createStore } from '../../src/store/create-store.ts';
import type { Store } from '../../src/store/store.ts';
import { type Cleanup, openTestDatabase } from '../support/database.ts';
import { seedRequest, startOperations } from '../support/operations.ts';

const EVERYTHING = `query ($first: Int!) { requests(first: $first) { nodes {
  prompt output system metadata messages { content } routing { explanation } attempts { number }
  submittedBy { username role } provider { id } deployment { breaker { state } } } } }`;

async function openCountingStore(t: Cleanup, statements: unknown[]): Promise<Store> {
  const { store, db } = await openTestDatabase(t);
  const counting = db.withPlugin({
    transformQuery({ node }) {
      statements.push(node.kind);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  return createStore({ db: counting, info: store.info, close: store.close });
}

test('a page of 50 requests with everything that hangs on them takes as many statements as a page of 2', async t => {
  const statements: unknown[] = [];
  const { store, ask, admin, user } = await startOperations(t, {
    maxQueryCost: 100_000,
    openStore: cleanup => openCountingStore(cleanup, statements),
  });
  const owners = [await user('anna'), await user('berta'), await user('clara')];
  for (let i = 0; i < 50; i++) await seedRequest(store, owners[i % 3]!.userId, { finished: {} });

  const count = async (first: number) => {
    statements.length = 0;
    const { requests } = await ask(admin, EVERYTHING, { first });
    assert.equal(requests.nodes.length, first);
    assert.equal(requests.nodes[0].output, 'Because of Rayleigh scattering.');
    assert.equal(requests.nodes[0].submittedBy.username, 'berta');
    return statements.length;
  };

  // From the second time on the audit log knows that this administrator reads what others asked.
  await count(50);
  // The page, prompts, bodies, attempts, users.
  assert.equal(await count(2), 5);
  assert.equal(await count(50), 5);
});

test('the histories of all breakers are read in one statement', async t => {
  const statements: unknown[] = [];
  const { ask, admin } = await startOperations(t, {
    openStore: cleanup => openCountingStore(cleanup, statements),
  });

  statements.length = 0;
  const { providers } = await ask(
    admin,
    '{ providers { deployments { id breaker { state history(first: 5) { from to cause } } } } }',
  );

  assert.ok(providers.flatMap((provider: { deployments: unknown[] }) => provider.deployments).length > 1);
  assert.equal(statements.length, 1);
});
