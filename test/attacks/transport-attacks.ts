// Connections, bytes and paths made to hurt.

import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { type Attack, judged, type World } from './world.ts';

const BOMB = gzipSync(Buffer.alloc(50_000_000));

/** Opens a connection and writes; resolves with what came back when the server closed it, or after a while. */
function exchange({ port }: World, bytes: string | Buffer, patienceMs = 3_000): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => void socket.write(bytes));
    let answer = '';
    socket.on('data', data => {
      if (answer.length < 100_000) answer += data.toString('latin1');
    });
    socket.on('error', () => {});
    const timer = setTimeout(() => socket.destroy(), patienceMs);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}

/** The same, and holds the answer to the rules; no answer is fine where a connection was cut. */
async function judgedExchange(
  world: World,
  bytes: string | Buffer,
  statuses: readonly number[],
): Promise<void> {
  const text = await exchange(world, bytes);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
  if (status === 0) return;
  judged({ status, text: text.slice(0, 16_000) });
  assert.ok(statuses.includes(status), `${status} ${text.slice(0, 300)}`);
}

function head(world: World, ...more: string[]): string {
  const lines = ['POST /graphql HTTP/1.1', 'Host: x', 'Content-Type: application/json'];
  return [...lines, `Authorization: Bearer ${world.token}`, ...more, '', ''].join('\r\n');
}

function unread(world: World, request: string): Socket {
  const socket = connect(world.port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  socket.write(request);
  return socket;
}

const PATHS = [
  '/.env',
  '/.git/config',
  '/../../etc/passwd',
  '/%2e%2e/etc/passwd',
  '//x/graphql',
  '/src/main.ts',
  '/graphql%00',
];
const SMUGGLED = [
  'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
  'Transfer-Encoding: nonsense\r\n\r\nhello',
  'Transfer-Encoding: chunked\r\n\r\nZZ\r\nhello\r\n',
];

export const TRANSPORT_ATTACKS: readonly Attack[] = [
  {
    name: 'bodies of tens of megabytes, by length',
    strike: world =>
      judgedExchange(world, `${head(world, 'Content-Length: 50000000')}${'x'.repeat(2_000_000)}`, [413, 429]),
  },
  {
    name: 'bodies of tens of megabytes, in chunks',
    strike: world =>
      judgedExchange(
        world,
        head(world, 'Transfer-Encoding: chunked') + `10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(40),
        [413, 429],
      ),
  },
  {
    name: 'compressed bombs',
    strike: async world => {
      const response = await fetch(`${world.url}/graphql`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          authorization: `Bearer ${world.token}`,
        },
        body: BOMB,
      });
      judged({ status: response.status, text: await response.text() });
      assert.equal(response.status, 415);
    },
  },
  {
    name: 'hundreds of slow headers',
    width: 150,
    strike: world => judgedExchange(world, 'POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ', [408]),
  },
  {
    name: 'hundreds of slow bodies',
    width: 150,
    strike: world =>
      judgedExchange(
        world,
        `${head(world, 'Content-Length: 900000')}{"query":"${'x'.repeat(100_000)}`,
        [408, 429],
      ),
  },
  {
    name: 'request smuggling',
    strike: (world, number) =>
      judgedExchange(world, head(world).slice(0, -2) + SMUGGLED[number % SMUGGLED.length], [400]),
  },
  {
    name: 'paths that are none',
    strike: (world, number) =>
      judgedExchange(
        world,
        `GET ${PATHS[number % PATHS.length]} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
        [404],
      ),
  },
  {
    name: 'bursts of cheap queries on dozens of connections',
    width: 40,
    strike: async world => {
      const { status } = await world.send({ query: '{ viewer { id } }' });
      assert.ok([200, 429].includes(status));
    },
  },
  {
    name: 'pages over and over',
    strike: async (world, number) => {
      const [path, accept] = number % 2 === 0 ? ['/graphql', 'text/html'] : ['/setup', '*/*'];
      const response = await fetch(`${world.url}${path}`, {
        headers: { accept, 'accept-encoding': 'identity' },
      });
      judged({ status: response.status, text: response.status === 200 ? '' : await response.text() });
      await response.body?.cancel().catch(() => {});
    },
  },
  {
    name: 'pages that nobody reads',
    strike: async world => {
      const sockets = Array.from({ length: 10 }, () =>
        unread(world, 'GET /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n'),
      );
      await new Promise(resolve => setTimeout(resolve, 300));
      for (const socket of sockets) socket.destroy();
    },
  },
];
