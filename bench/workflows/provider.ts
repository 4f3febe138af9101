// The bench's provider with a clock: it notes when each call came and when its answer was sent. In the process of the
// benchmark, so that both are read off the same clock.

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerCall } from '../gateway/answer.ts';

export async function startClockedProvider() {
  let calls: { cameMs: number; endedMs: number }[] = [];
  const server = createServer((request, response) => {
    const call = { cameMs: performance.now(), endedMs: Number.NaN };
    if (request.method === 'POST') {
      calls.push(call);
      response.on('finish', () => {
        call.endedMs = performance.now();
      });
    }
    answerCall(request, response);
  });
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reset() {
      calls = [];
    },
    /** From the end of each call to the next one, where they follow each other. */
    gaps: () => calls.slice(1).map(({ cameMs }, index) => cameMs - calls[index]!.endedMs),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
