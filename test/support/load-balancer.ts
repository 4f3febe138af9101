// What stands in front of several instances: passes connections on to the first that takes them.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface LoadBalancer {
  readonly url: string;
  /**
   * From now on these are tried for each new connection: in this order, and the connections that were open are closed;
   * or, when all are equal, in turn.
   */
  pointTo(targets: readonly Target[], options?: { inTurn?: boolean }): void;
}

interface Target {
  readonly url: string;
}

export async function startLoadBalancer(t: Pick<TestContext, 'after'>): Promise<LoadBalancer> {
  const sockets = new Set<Socket>();
  let targets: readonly Target[] = [];
  /** How far the order is moved on from connection to connection, so that all targets get their share. */
  let stride = 0;
  let turn = 0;

  function keep(socket: Socket): void {
    sockets.add(socket);
    socket.setNoDelay().on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  }

  async function connectToFirst(): Promise<Socket | undefined> {
    turn = (turn + stride) % Math.max(1, targets.length);
    for (const { url } of [...targets.slice(turn), ...targets.slice(0, turn)]) {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      keep(socket);
      const isOpen = await once(socket, 'connect').then(
        () => true,
        () => false,
      );
      if (isOpen) return socket;
    }
    return undefined;
  }

  const server = createServer({ pauseOnConnect: true }, async client => {
    keep(client);
    const target = await connectToFirst();
    if (!target || client.destroyed) {
      client.destroy();
      target?.destroy();
      return;
    }
    client.pipe(target).pipe(client);
    client.on('close', () => target.destroy());
    target.on('close', () => client.destroy());
    client.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const disconnect = () => {
    for (const socket of sockets) socket.destroy();
  };
  t.after(() => {
    disconnect();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    pointTo(next, { inTurn = false } = {}) {
      targets = next;
      stride = inTurn ? 1 : 0;
      if (!inTurn) disconnect();
    },
  };
}
