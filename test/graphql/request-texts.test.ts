// How much text an operation may read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toGlobalId } from '../../src/domain/ids.ts';
import { type Operations, type Outcome, seedRequest, startOperations } from '../support/operations.ts';

const KILOBYTES_100 = 'x'.repeat(100_000);

async function seedLong({ store, admin }: Operations, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const spec = { messages: [{ role: 'USER' as const, content: KILOBYTES_100 }] };
    const id = await seedRequest(store, admin.userId, { spec, finished: { output: KILOBYTES_100 } });
    ids.unshift(toGlobalId('request', id));
  }
  return ids;
}

/** Which of the rows came with their text, and the codes of the others. */
function told({ data, errors }: Awaited<ReturnType<Operations['run']>>) {
  const texts = data.requests.nodes.map((node: { text: string | null }) => node.text?.length ?? 0);
  return { texts, codes: [...new Set(errors.map(({ extensions }) => extensions.code))] };
}

test('rows have their text until it is too much, and the others say why', async t => {
  const operations = await startOperations(t, { maxTextBytes: 250_000 });
  await seedLong(operations, 5);

  for (const field of ['prompt', 'output']) {
    const outcome = await operations.run(operations.admin, `{ requests { nodes { text: ${field} } } }`);
    const { texts, codes } = told(outcome);
    assert.deepEqual(codes, ['QUERY_TOO_COMPLEX']);
    assert.equal(outcome.errors[0]!.extensions.limit, 'textBytes');
    assert.deepEqual(
      texts,
      field === 'prompt' ? [100_000, 100_000, 100_000, 0, 0] : [100_000, 100_000, 0, 0, 0],
    );
  }
  const few = await operations.run(operations.admin, '{ requests(first: 2) { nodes { text: prompt } } }');
  assert.deepEqual(told(few), { texts: [100_000, 100_000], codes: [] });
});

test('the limit is for all fields of an operation together, under whatever names', async t => {
  const operations = await startOperations(t, { maxTextBytes: 250_000 });
  const ids = await seedLong(operations, 5);

  const pages = ['a', 'b', 'c'].map(name => `${name}: requests(first: 2) { nodes { prompt } }`);
  const rows = ids.map((id, index) => `r${index}: request(id: "${id}") { output }`);
  const { data, errors } = await operations.run(operations.admin, `{ ${[...pages, ...rows].join(' ')} }`);

  const bytes = JSON.stringify(data).length;
  assert.ok(bytes < 400_000, `${bytes} bytes`);
  assert.ok(errors.length > 0);
  assert.ok(errors.every(({ extensions }) => extensions.code === 'QUERY_TOO_COMPLEX'));
});

test('one row can be read whatever its length', async t => {
  const operations = await startOperations(t, { maxTextBytes: 1_000 });
  const [id] = await seedLong(operations, 1);

  const { request } = await operations.ask(operations.admin, `{ request(id: "${id}") { output } }`);
  assert.equal(request.output.length, 100_000);
});

test('every event of a subscription has the whole limit', async t => {
  const operations = await startOperations(t, { maxTextBytes: 250_000 });
  const { admin, ask, watch } = operations;
  const feed = await watch(admin, 'subscription { requestFeed(filter: { status: [SUCCEEDED] }) { prompt } }');
  assert.ok(Symbol.asyncIterator in feed);
  for (let count = 0; count < 6; count += 1) {
    const next: Promise<IteratorResult<Outcome>> = feed.next();
    await ask(
      admin,
      'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id } } }',
      {
        input: { prompt: KILOBYTES_100 },
      },
    );
    const { value } = await next;
    assert.equal(value.data.requestFeed.prompt.length, 100_000, `event ${count}`);
  }
  await feed.return(undefined);
});
