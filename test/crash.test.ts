// What survives the end of the process: kill -9, and a stop in good order.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startServerProcess, temporaryDirectory } from './support/server-process.ts';
import { gate, startUpstream, text } from './support/upstream.ts';

const never = new Promise<never>(() => {});

test('kill -9 loses nothing that was accepted: what ran and what waited is run by the next process', async t => {
  const upstream = await startUpstream(t);
  const dataDir = temporaryDirectory(t);
  const env = { OPENAI_BASE_URL: `${upstream.url}/v1`, MCPLANE_MAX_RUNNING_REQUESTS: '1' };
  const before = await startServerProcess(t, dataDir, env);

  upstream.enqueue([text('a whole answer')]);
  const finished = before.client.stream({ prompt: 'finished' });
  await finished.final();
  upstream.enqueue([text('half '), gate(never)], [text('whole')], [text('its turn')]);
  const running = before.client.stream({ prompt: 'running' });
  for await (const event of running.events()) if (event.__typename === 'TokenDelta') break;
  const queued = await before.client.submitRequest({ input: { prompt: 'queued' } });
  before.process.kill('SIGKILL');
  await before.ended;

  const after = await startServerProcess(t, dataDir, env);
  const textOf = async (id: string) => (await after.client.follow(id).final()).text;
  assert.equal(await textOf(await running.requestId()), 'whole');
  assert.equal(await textOf(queued.submitRequest.request.id), 'its turn');
  assert.equal(await textOf(await finished.requestId()), 'a whole answer');
  const { requests } = await after.client.requests({ first: 10 });
  assert.deepEqual(
    requests.edges.map(({ node }) => [node.id, node.status]),
    [
      [queued.submitRequest.request.id, 'SUCCEEDED'],
      [await running.requestId(), 'SUCCEEDED'],
      [await finished.requestId(), 'SUCCEEDED'],
    ],
  );
});

test('SIGTERM lets what runs finish, exits 0, and the answer is there after the restart', async t => {
  const upstream = await startUpstream(t);
  const dataDir = temporaryDirectory(t);
  const env = { OPENAI_BASE_URL: `${upstream.url}/v1` };
  const before = await startServerProcess(t, dataDir, env);
  const go = Promise.withResolvers<void>();
  upstream.enqueue([text('almost '), gate(go.promise), text('done')]);
  const stream = before.client.stream({ prompt: 'finish me' });

  for await (const event of stream.events()) {
    if (event.__typename !== 'TokenDelta' || event.text !== 'almost ') continue;
    before.process.kill('SIGTERM');
    go.resolve();
  }
  assert.equal(await before.ended, 0);

  const after = await startServerProcess(t, dataDir, env);
  assert.equal((await after.client.follow(await stream.requestId()).final()).text, 'almost done');
});

test('a second server on the same data directory is refused and told why', async t => {
  const dataDir = temporaryDirectory(t);
  await startServerProcess(t, dataDir);
  await assert.rejects(startServerProcess(t, dataDir), /in use/);
});
