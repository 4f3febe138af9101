// A subscriber that is cut off anywhere and comes back reads exactly what one that never left reads.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { createClient } from '../src/sdk/client.ts';
import { startTestApp } from './support/app.ts';
import { startUpstream, text, waitMs } from './support/upstream.ts';

const WORDS = Array.from({ length: 60 }, (_, index) => `word${index}-ä🙂 `);

/** Passes bytes on, and cuts each connection from the server's side after the next number of bytes in the list. */
async function startCuttingProxy(t: TestContext, port: number) {
  const cuts: number[] = [];
  let made = 0;
  const sockets = new Set<Socket>();
  const server = createServer(client => {
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on('error', () => {})
        .on('close', () => {
          client.destroy();
          upstream.destroy();
        });
    }
    const budget = cuts.shift() ?? Infinity;
    let passed = 0;
    client.pipe(upstream);
    upstream.on('data', (bytes: Buffer) => {
      const part = bytes.subarray(0, Math.max(0, budget - passed));
      passed += bytes.length;
      client.write(part, () => {
        if (passed < budget) return;
        made += 1;
        client.destroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, cuts, cutsMade: () => made };
}

test('a stream cut after any number of bytes ends with the same text', async t => {
  const upstream = await startUpstream(t);
  const { url, adminToken, app } = await startTestApp(t, { OPENAI_BASE_URL: `${upstream.url}/v1` });
  const proxy = await startCuttingProxy(t, app.port);
  upstream.answerWith(() => WORDS.flatMap(word => [text(word), waitMs(1)]));
  const direct = createClient({ url, token: adminToken });
  t.after(() => direct.dispose());

  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 300, max: 9_000 }), { minLength: 1, maxLength: 4 }),
      async cuts => {
        const { submitRequest } = await direct.submitRequest({ input: { prompt: 'Talk' } });
        proxy.cuts.splice(0, Infinity, ...cuts);
        const client = createClient({ url: `http://127.0.0.1:${proxy.port}`, token: adminToken });
        const { text: seen } = await client.follow(submitRequest.request.id).final();
        assert.equal(seen, WORDS.join(''));
        await client.dispose();
      },
    ),
    { numRuns: 12 },
  );
  assert.ok(proxy.cutsMade() > 0);
});
