// A client that opens sockets, subscribes on them, and then does nothing but answer pings.

import WebSocket from 'ws';

export interface Subscribing {
  readonly query: string;
  readonly variables?: object;
}

export interface Holder {
  /** Opens so many sockets more, with so many subscriptions on each. */
  add(sockets: number, perSocket: number, subscribing: Subscribing | undefined): Promise<void>;
  /** Why something did not stay open; empty: all is held. */
  readonly troubles: readonly string[];
  close(): void;
}

const AT_ONCE = 50;

export function createHolder(url: string, token: string): Holder {
  const held: WebSocket[] = [];
  const troubles: string[] = [];

  function open(perSocket: number, subscribing: Subscribing | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
      perMessageDeflate: false,
    });
    held.push(socket);
    socket.on('error', reject);
    socket.on('close', (code, reason) => troubles.push(`closed with ${code} ${reason}`));
    socket.on('open', () => {
      if (!subscribing) return resolve();
      socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    });
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text.includes('"connection_ack"')) {
        for (let id = 1; id <= perSocket; id += 1)
          socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload: subscribing }));
        resolve();
      } else if (/"(error|complete)"|"errors"/.test(text)) troubles.push(text.slice(0, 300));
    });
    return promise;
  }

  return {
    async add(sockets, perSocket, subscribing) {
      for (let opened = 0; opened < sockets; opened += AT_ONCE)
        await Promise.all(
          Array.from({ length: Math.min(AT_ONCE, sockets - opened) }, () => open(perSocket, subscribing)),
        );
    },
    troubles,
    close() {
      for (const socket of held) {
        socket.removeAllListeners('close');
        socket.terminate();
      }
    },
  };
}
