// What a socket can do to a server: messages, frames, operations, and not reading.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import { type Attack, INSIDE, type World } from './world.ts';

interface Assault {
  readonly socket: WebSocket;
  /** With the code, 1006 when it was cut. */
  readonly closed: Promise<number>;
  /** Resolves when this many messages came, or it closed. */
  received(count: number): Promise<void>;
}

/** Undefined: there is no room for another one. */
async function open(world: World, init = true): Promise<Assault | undefined> {
  const socket = new WebSocket(world.socketUrl, 'graphql-transport-ws');
  let count = 0;
  let waiting: { until: number; wake: () => void } | undefined;
  const closed = new Promise<number>(resolve => socket.on('close', resolve));
  socket.on('message', data => {
    count += 1;
    assert.doesNotMatch(String(data).slice(0, 2_000), INSIDE);
    if (waiting && count >= waiting.until) waiting.wake();
  });
  const isOpen = await new Promise<boolean>(resolve => {
    socket.on('open', () => resolve(true));
    socket.on('error', () => resolve(false));
  });
  if (!isOpen) return undefined;
  const assault: Assault = {
    socket,
    closed,
    received: until =>
      Promise.race([
        count >= until ? undefined : new Promise<void>(wake => (waiting = { until, wake })),
        closed.then(() => {}),
      ]).then(() => {}),
  };
  if (init) {
    socket.send(
      JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${world.token}` } }),
    );
    await assault.received(1);
  }
  return assault;
}

interface Blow {
  /** Codes with which the server may close. */
  readonly codes: readonly number[];
  readonly init?: boolean;
  /** It need not be closed when it was so slow that this many answers came. */
  readonly answers?: number;
  send(socket: WebSocket): void;
}

/** Opens a socket, sends, and waits for what the server does. */
function blow(name: string, { codes, init = true, answers = Infinity, send }: Blow): Attack {
  return {
    name,
    async strike(world) {
      const assault = await open(world, init);
      if (!assault) return;
      send(assault.socket);
      await assault.received(answers + (init ? 1 : 0));
      const isClosed = assault.socket.readyState !== WebSocket.OPEN;
      assault.socket.terminate();
      const code = await assault.closed;
      if (isClosed || answers === Infinity) assert.ok(codes.includes(code), `closed with ${code}`);
    },
  };
}

/** Whoever goes on sending may not get to read the close. */
const FLOODED = [4429, 1006];

const LARGE_PING = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(250_000) } });

/** The connection under a socket. */
function rawOf(socket: WebSocket): NodeJS.WritableStream {
  return (socket as unknown as { _socket: NodeJS.WritableStream })._socket;
}

function subscribe(id: string, query: string): string {
  return JSON.stringify({ type: 'subscribe', id, payload: { query } });
}

function repeat(count: number, work: (index: number) => void): void {
  for (let index = 0; index < count; index += 1) work(index);
}

export const SOCKET_ATTACKS: readonly Attack[] = [
  blow('messages of megabytes', { codes: [1009, 1006], send: socket => socket.send('x'.repeat(4_000_000)) }),
  blow('fragments without end', {
    codes: [1008, 1009, 1006],
    send: socket => repeat(2_000, () => socket.send('x', { fin: false })),
  }),
  blow('frames of garbage', {
    codes: [1002, 1006, 1007, 1009],
    send: socket => rawOf(socket).write(Buffer.alloc(100_000, 0xff)),
  }),
  blow('frames that say they are compressed', {
    codes: [1002, 1006],
    send: socket => rawOf(socket).write(Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0])),
  }),
  blow('floods of pings', {
    codes: FLOODED,
    answers: 2_000,
    send: socket => repeat(2_000, () => socket.send('{"type":"ping"}')),
  }),
  blow('floods of large pings', {
    codes: FLOODED,
    answers: 30,
    send: socket => repeat(30, () => socket.send(LARGE_PING)),
  }),
  blow('floods of large pings of nobody', {
    codes: FLOODED,
    init: false,
    send: socket => repeat(30, () => socket.send(LARGE_PING)),
  }),
  blow('messages of many values', {
    // Each counts as many, and the floods before it have left little of the caller's rate.
    codes: [4400, ...FLOODED],
    send: socket => socket.send(`{"type":"ping","payload":{"a":[${'[],'.repeat(80_000)}1]}}`),
  }),
  {
    name: 'floods of protocol pings',
    async strike(world) {
      const assault = await open(world);
      if (!assault) return;
      repeat(2_000, () => assault.socket.ping());
      assault.socket.send(subscribe('last', '{ viewer { id } }'));
      await assault.received(2);
      assault.socket.terminate();
      await assault.closed;
    },
  },
  {
    name: 'sockets that never sign in',
    width: 150,
    async strike(world) {
      const assault = await open(world, false);
      if (assault) assert.equal(await assault.closed, 4408);
      else await new Promise(resolve => setTimeout(resolve, 100));
    },
  },
  {
    name: 'thousands of subscriptions and their ends',
    async strike(world) {
      const assault = await open(world);
      if (!assault) return;
      repeat(100, index => {
        assault.socket.send(subscribe(`${index}`, 'subscription { providerUpdates { id } }'));
        if (index % 2 === 0) assault.socket.send(JSON.stringify({ type: 'complete', id: `${index}` }));
      });
      assault.socket.send(subscribe('last', '{ viewer { id } }'));
      await assault.received(2);
      assault.socket.terminate();
      await assault.closed;
    },
  },
  {
    name: 'readers that stop reading',
    async strike(world) {
      const assault = await open(world);
      if (!assault) return;
      assault.socket.pause();
      repeat(20, index => {
        assault.socket.send(
          subscribe(`${index}`, '{ __schema { types { name description fields { name description } } } }'),
        );
        assault.socket.send(JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(20_000) } }));
      });
      await Promise.race([assault.closed, new Promise(resolve => setTimeout(resolve, 400))]);
      assault.socket.terminate();
      await assault.closed;
    },
  },
  {
    name: 'upgrades that are none',
    strike: ({ port }, number) =>
      new Promise<void>(resolve => {
        const version =
          number % 2 === 0
            ? '7'
            : '13\r\nSec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99';
        const socket = connect(port, '127.0.0.1', () =>
          socket.write(
            `GET /graphql HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: ${version}\r\n\r\n`,
          ),
        );
        socket.on('data', data => assert.match(String(data), /^HTTP\/1.1 4\d\d /));
        socket.on('error', () => {});
        socket.on('close', () => resolve());
      }),
  },
];
