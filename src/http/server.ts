// The HTTP server: its timeouts, which path goes where, and how it stops. Bytes in, bytes out; what an operation
// means is decided behind the pipeline.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../lib/clock.ts';
import { type Authenticator, createAddressReader } from './authentication.ts';
import { limitConnections } from './connection-limit.ts';
import { createGate, principalOf } from './gate.ts';
import type { HttpLimits } from './limits.ts';
import { createOriginPolicy } from './origin.ts';
import { createPipeline, type PipelineDeps } from './pipeline.ts';
import { SecuredResponse } from './response.ts';
import { createRoutes, type RouteDeps } from './routes.ts';
import { createSocketServer, type SocketServer } from './websocket.ts';

export interface HttpServerDeps extends Omit<PipelineDeps, 'charge'>, Pick<RouteDeps, 'health' | 'metrics'> {
  readonly members: PipelineDeps['members'] & RouteDeps['members'];
  readonly authenticator: Authenticator;
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Origins whose pages may call the API, besides its own. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Addresses or networks whose `X-Forwarded-For` counts. */
  readonly trustedProxies?: readonly string[] | undefined;
  /** Addresses or networks that may have any number of connections, besides those proxies. */
  readonly unlimitedAddresses?: readonly string[] | undefined;
  /** Hears of what is refused because of a limit, by its name among the settings. */
  readonly meter?: { refused(limit: string): void } | undefined;
  readonly metricsPublic?: boolean | undefined;
  readonly clock?: typeof systemClock | undefined;
}

export interface HttpServer {
  /** Rejects with the system's error (EADDRINUSE, EACCES) when the address cannot be had. */
  listen(): Promise<{ url: string; port: number }>;
  /** Unready at once; new operations are refused with SHUTTING_DOWN, running ones go on. */
  drain(): void;
  /** Drains, waits for what runs, at most `graceMs`, then ends event streams and sockets and closes the port. */
  close(graceMs: number): Promise<void>;
  readonly openSockets: number;
  /** On sockets and event streams. */
  readonly openSubscriptions: number;
}

export function createHttpServer(deps: HttpServerDeps): HttpServer {
  const { limits, log, clock = systemClock } = deps;
  const onRefused = (limit: string) => deps.meter?.refused(limit);
  const gate = createGate(limits, clock, onRefused);
  const pipeline = createPipeline({
    ...deps,
    charge: (actor, address, operations) => gate.charge(principalOf(actor, address), operations),
  });
  const origins = createOriginPolicy(deps.corsOrigins ?? []);
  const addressOf = createAddressReader(deps.trustedProxies ?? []);
  const shared = { pipeline, gate, limits, origins, addressOf, clock, log };
  const routes = createRoutes({
    ...shared,
    members: deps.members,
    health: deps.health,
    metrics: deps.metrics,
    metricsPublic: deps.metricsPublic ?? false,
    async authenticate(authorization) {
      // A bad credential is answered like none: the same refusal, whatever is wrong with it.
      const credential = await deps.authenticator.authenticate(authorization);
      return credential.kind === 'actor' ? credential.actor : null;
    },
  });
  const sockets = createSocketServer({
    ...shared,
    authenticateSocket: deps.authenticator.authenticateSocket,
    members: deps.members,
  });
  const server = openServer(limits, routes.handle, sockets);
  const exempt = [...(deps.trustedProxies ?? []), ...(deps.unlimitedAddresses ?? [])];
  limitConnections(server, { limits, exempt, onRefused });

  return {
    listen: () => listen(server, deps.host, deps.port),
    drain: () => gate.drain(),
    async close(graceMs) {
      gate.drain();
      await within(gate.idle(), graceMs);
      await stop(server, sockets, routes.cutStreams);
    },
    get openSockets() {
      return sockets.socketCount;
    },
    get openSubscriptions() {
      return sockets.subscriptionCount + routes.streamCount;
    },
  };

  async function within(work: Promise<void>, timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<void>();
    const cancel = clock.after(timeoutMs, late.resolve);
    await Promise.race([work, late.promise]);
    cancel();
  }
}

function openServer(
  limits: HttpLimits,
  handle: (request: IncomingMessage, response: SecuredResponse) => void,
  sockets: SocketServer,
): Server {
  const server = createServer(
    {
      ServerResponse: SecuredResponse,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      // The default of 30 s would make both timeouts that late.
      connectionsCheckingInterval: Math.min(1_000, limits.headersTimeoutMs),
      // Some clients offer h2c with each request; they are to get their answer, not a refusal of the upgrade.
      shouldUpgradeCallback: request => request.headers.upgrade?.toLowerCase() === 'websocket',
    },
    handle,
  );
  // A client that takes nothing of its answer for so long gets no more of it.
  server.timeout = limits.slowReaderMs;
  server.on('upgrade', sockets.upgrade);
  return server;
}

async function listen(server: Server, host: string, port: number): Promise<{ url: string; port: number }> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  server.off('error', reject);
  const { port: bound } = server.address() as AddressInfo;
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return { url: `http://${name.includes(':') ? `[${name}]` : name}:${bound}`, port: bound };
}

async function stop(server: Server, sockets: SocketServer, cutStreams: () => void): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>(resolve => server.close(() => resolve()));
  cutStreams();
  await sockets.close();
  server.closeAllConnections();
  await closed;
}
