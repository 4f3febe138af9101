// What the whole gateway does when the way to a provider breaks that had worked: names, connections, TLS.

import assert from 'node:assert/strict';
import dns from 'node:dns';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { type Data, until } from '../support/app.ts';
import { cut, startUpstream, text, type Upstream } from '../support/upstream.ts';
import { ANSWER, OWN, PART } from './fault-row.ts';
import { breakersOf, endpointOf, run, startWith } from './fault-world.ts';

const pem = (name: string) => readFileSync(new URL(`../fixtures/${name}.pem`, import.meta.url));
const certified = (name: string) => ({ key: pem(name), cert: pem(name) });
setDefaultCACertificates([...getCACertificates('default'), pem('tls/authority').toString()]);

type Resolve = (answer: (error: NodeJS.ErrnoException | null, addresses: object[]) => void) => void;

/** What the resolver of the system says to names that only these tests know. */
const names = new Map<string, Resolve>();
const systemLookup = dns.lookup;
dns.lookup = ((host: string, options: object, callback: Parameters<Resolve>[0]) => {
  const resolve = names.get(host);
  if (resolve) setImmediate(resolve, callback);
  else systemLookup(host, options, callback as never);
}) as typeof dns.lookup;
const here: Resolve = answer => answer(null, [{ address: '127.0.0.1', family: 4 }]);
const fails =
  (code: string): Resolve =>
  answer =>
    answer(Object.assign(new Error(`getaddrinfo ${code}`), { code }), []);

interface Breakage {
  readonly name: string;
  /** What breaks the way to it; `host` is the name it is reached by, unless it is reached by address. */
  readonly breaks: (t: TestContext, upstream: Upstream, host: string) => unknown;
  readonly by: 'address' | 'name' | 'TLS';
  readonly alone: string;
  /** With nobody else to ask. */
  readonly attempts: number;
  readonly breaker: 'counted' | 'opened';
  readonly connectMs?: number;
  /** What the administrator is told of the provider. */
  readonly status?: RegExp;
}

const failed = { alone: 'PROVIDER_FAILED', attempts: 2, breaker: 'counted' } as const;
const notFound = { ...failed, by: 'name', attempts: 1, breaker: 'opened' } as const;
const refused = {
  ...failed,
  by: 'TLS',
  attempts: 1,
  breaker: 'opened',
  status: /certificate of .* was refused/,
} as const;
const late = { alone: 'TIMEOUT', attempts: 1, breaker: 'counted', connectMs: 400 } as const;

const BREAKAGES: readonly Breakage[] = [
  {
    name: 'has no name any more',
    breaks: (_t, upstream, host) => forget(upstream, host, fails('ENOTFOUND')),
    ...notFound,
  },
  {
    name: 'has a name server that fails',
    breaks: (_t, upstream, host) => forget(upstream, host, fails('EAI_AGAIN')),
    ...notFound,
  },
  {
    name: 'has a name server that is silent',
    breaks: (_t, upstream, host) => forget(upstream, host, () => {}),
    by: 'name',
    ...late,
  },
  {
    name: 'lets its certificate expire',
    breaks: (_t, upstream) => upstream.present(certified('tls/expired')),
    ...refused,
  },
  {
    name: 'shows the certificate of another host',
    breaks: (_t, upstream) => upstream.present(certified('tls/other-host')),
    ...refused,
  },
  {
    name: 'shows a certificate of its own making',
    breaks: (_t, upstream) => upstream.present(certified('self-signed')),
    ...refused,
  },
  {
    name: 'cuts the TLS handshake',
    breaks: (t, upstream) => replace(t, upstream, socket => socket.once('data', () => socket.destroy())),
    ...failed,
    by: 'TLS',
  },
  {
    name: 'resets the TLS handshake',
    breaks: (t, upstream) =>
      replace(t, upstream, socket => socket.once('data', () => socket.resetAndDestroy())),
    ...failed,
    by: 'TLS',
  },
  {
    name: 'answers the TLS handshake in plain text',
    breaks: (t, upstream) =>
      replace(t, upstream, socket => socket.once('data', () => socket.end('HTTP/1.1 400 \r\n\r\n'))),
    ...failed,
    by: 'TLS',
  },
  {
    name: 'never ends the TLS handshake',
    breaks: (t, upstream) => replace(t, upstream, socket => socket.resume()),
    ...late,
    by: 'TLS',
  },
  {
    name: 'cuts TLS in the middle of its answer',
    breaks: (_t, upstream) => upstream.answerWith(() => [text(PART), cut()]),
    ...failed,
    by: 'TLS',
    alone: 'STREAM_TRUNCATED',
  },
  { name: 'is a black hole', breaks: digBlackHole, ...late, by: 'address' },
];

function forget(upstream: Upstream, host: string, resolve: Resolve): void {
  names.set(host, resolve);
  upstream.dropConnections();
}

/** Something else at the same address. */
async function replace(
  t: TestContext,
  upstream: Upstream,
  behave: (socket: Socket) => unknown,
): Promise<void> {
  await upstream.close();
  const sockets = new Set<Socket>();
  const server = createServer(socket => {
    sockets.add(socket);
    socket.on('error', () => {});
    behave(socket);
  });
  await once(server.listen(upstream.port, '127.0.0.1'), 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
}

/** Listens and never accepts: once its queue is full, the kernel drops whatever knocks. */
const SLEEPER = `
  const { parentPort, workerData } = require('node:worker_threads');
  require('node:net').createServer().listen({ port: workerData, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage('listening');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });`;

async function digBlackHole(t: TestContext, upstream: Upstream): Promise<void> {
  await upstream.close();
  const worker = new Worker(SLEEPER, { eval: true, workerData: upstream.port });
  await once(worker, 'message');
  let connected = 0;
  const fillers = Array.from({ length: 4 }, () =>
    connect(upstream.port, '127.0.0.1', () => {
      connected += 1;
    }).on('error', () => {}),
  );
  t.after(async () => {
    for (const filler of fillers) filler.destroy();
    await worker.terminate();
  });
  await until(() => connected >= 2, 'the queue of the listener is full');
}

async function startBreakable(t: TestContext, { by, connectMs }: Breakage, index: number) {
  const upstream = await startUpstream(t, by === 'TLS' ? { tls: certified('tls/good') } : {});
  upstream.answerWith(() => [text(OWN)]);
  const host = `provider-${index}.test`;
  if (by === 'name') names.set(host, here);
  const url = by === 'name' ? upstream.url.replace('127.0.0.1', host) : upstream.url;
  const deadlines = connectMs === undefined ? {} : { connectMs };
  const id = `p${index}`;
  const endpoints = [id, `${id}-alone`].map(each => endpointOf('openai', url, { id: each, deadlines }));
  return { upstream, host, id, endpoints };
}

test('the way to a provider breaks', { concurrency: 6 }, async t => {
  const breakables = await Promise.all(BREAKAGES.map((each, index) => startBreakable(t, each, index)));
  const app = await startWith(
    t,
    breakables.flatMap(({ endpoints }) => endpoints),
    breakables.map(({ id }) => id),
  );

  const rows = BREAKAGES.map((breakage, index) =>
    t.test(`that ${breakage.name}: second; alone ${breakage.alone}`, async () => {
      const { upstream, host, id } = breakables[index]!;
      for (const model of [`${id}-then-sound`, `${id}-alone/m`])
        assert.equal((await run(app, model)).request.output, OWN, 'it had worked');
      await breakage.breaks(t, upstream, host);

      const rescued = await run(app, `${id}-then-sound`);
      assert.equal(rescued.request.output, ANSWER);
      assert.deepEqual(rescued.request.attempts.map((attempt: Data) => attempt.outcome).slice(-2), [
        'FAILED',
        'SUCCEEDED',
      ]);
      const [alone, neighbour] = await Promise.all([run(app, `${id}-alone/m`), run(app, 'sound/m')]);
      assert.equal(alone.end, breakage.alone);
      assert.equal(alone.request.attempts.length, breakage.attempts);
      if (breakage.connectMs) assert.match(alone.request.error.message, /^No connection within 400 ms/);
      assert.equal(neighbour.request.output, ANSWER);
      const [breaker] = await breakersOf(app, `${id}-alone/m`);
      assert.equal(breaker, breakage.breaker);
      if (!breakage.status) return;
      const { providers } = await app.ask('{ providers { id status statusReason } }');
      const provider = providers.find((each: Data) => each.id === `${id}-alone`);
      assert.equal(provider.status, 'MISCONFIGURED');
      assert.match(provider.statusReason, breakage.status);
    }),
  );
  await Promise.all(rows);
});
