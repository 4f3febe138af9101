// Requests that wait: their place in the queue and how long it takes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Store } from '../../src/store/store.ts';
import { type Data, startTestApp } from '../support/app.ts';
import { openTestStore } from '../support/database.ts';
import { seedRequest, startOperations } from '../support/operations.ts';
import { submit } from '../support/requests.ts';
import { gate, startUpstream, text } from '../support/upstream.ts';

const WAITING = '{ requests { nodes { id status queuePosition waitMs createdAt finishedAt } } }';
const CANCEL = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { id } } }';

test('those that wait have a place, the more urgent the further ahead, read for a list at once', async t => {
  const upstream = await startUpstream(t);
  let reads = 0;
  const app = await startTestApp(
    t,
    { OPENAI_BASE_URL: `${upstream.url}/v1`, MCPLANE_MAX_RUNNING_REQUESTS: '1' },
    async cleanup => {
      const store = await openTestStore(cleanup);
      const positions: Store['queue']['positions'] = ids => {
        reads += 1;
        return store.queue.positions(ids);
      };
      return { ...store, queue: { ...store.queue, positions } };
    },
  );
  upstream.enqueue([text('busy '), gate(new Promise<never>(() => {}))]);
  const running = await submit(app, { prompt: 'first' });
  await upstream.nextRequest();
  const usual = await submit(app, { prompt: 'second' });
  const urgent = await submit(app, { prompt: 'third', priority: 100 });
  const seen = async () => {
    const { requests } = await app.ask(WAITING);
    return new Map<string, Data>(requests.nodes.map((node: Data) => [node.id, node]));
  };

  const before = await seen();
  assert.deepEqual(
    [running, usual, urgent].map(id => [before.get(id).status, before.get(id).queuePosition]),
    [
      ['RUNNING', null],
      ['QUEUED', 2],
      ['QUEUED', 1],
    ],
  );
  assert.equal(reads, 1);
  assert.equal(before.get(running).waitMs, 0);

  await app.ask(CANCEL, { id: urgent });
  const after = await seen();
  assert.equal(after.get(usual).queuePosition, 1);
  const { queuePosition, waitMs, createdAt, finishedAt } = after.get(urgent);
  assert.equal(queuePosition, null);
  assert.equal(waitMs, Date.parse(finishedAt) - Date.parse(createdAt));
  assert.ok(after.get(usual).waitMs >= before.get(usual).waitMs);
});

test('the wait ends with the start', async t => {
  const { store, user, ask } = await startOperations(t);
  const anna = await user('anna');
  const createdAt = new Date('2026-11-01T12:00:00Z');
  const after = (ms: number) => new Date(createdAt.getTime() + ms);
  const times = { startedAt: after(1_500), finishedAt: after(9_000) };
  await seedRequest(store, anna.userId, { createdAt, finished: times });
  const { requests } = await ask(anna, WAITING);
  assert.deepEqual(
    requests.nodes.map(({ queuePosition, waitMs }: Data) => [queuePosition, waitMs]),
    [[null, 1_500]],
  );
});
