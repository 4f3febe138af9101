// A network between a client and a server of TCP: it can be cut, and it can swallow everything without a word.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface TcpProxy {
  readonly port: number;
  /** From now on nothing gets through, in neither direction, and nobody is told: a black hole. */
  freeze(): void;
  /** What was sent meanwhile arrives, as after a network that came back. */
  thaw(): void;
}

/** Passes connections on to a port of this machine until the test ends. */
export async function startProxy(t: Pick<TestContext, 'after'>, target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;

  const server = createServer({ pauseOnConnect: true }, near => {
    const far = connect(target, '127.0.0.1');
    far.pause();
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near] as const])
      from
        .on('data', bytes => to.write(bytes))
        .on('error', () => {})
        .on('close', () => {
          to.destroy();
          pairs.delete(pair);
        });
    if (!frozen) for (const socket of pair) socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of [...pairs].flat()) socket.destroy();
  });

  return {
    port: (server.address() as { port: number }).port,
    freeze() {
      frozen = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
  };
}
