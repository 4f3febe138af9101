// What is measured: servers with idle subscriptions, each a process of its own that can be told to collect garbage.

import { join } from 'node:path';
import { type Caller, socketCaller } from '../gateway/clients.ts';
import { type OwnServer, startOurs } from '../gateway/ours.ts';
import { type Server, startServer } from '../gateway/processes.ts';
import type { Subscribing } from './hold.ts';

export interface Subject {
  readonly name: string;
  readonly server: Server;
  readonly token: string;
  /** Undefined: a socket and nothing on it. */
  readonly subscribing: Subscribing | undefined;
  stop(): Promise<void>;
}

export const COLLECTING = ['--expose-gc', '--import', join(import.meta.dirname, 'collect.ts')];
const MANY = String(1_000_000);
const HOUR_MS = String(3_600_000);
const FEED = 'subscription { requestFeed { id status createdAt } }';
const FOLLOW =
  'subscription ($id: ID!) { tokenStream(requestId: $id) { cursor ... on TokenDelta { text } } }';

export async function startBare(): Promise<Subject> {
  return playedBy('bare ws', 'bare.ts', undefined);
}

export async function startStock(): Promise<Subject> {
  return playedBy('graphql-ws', 'stock.ts', { query: 'subscription { silence }' });
}

async function playedBy(
  name: string,
  script: string,
  subscribing: Subscribing | undefined,
): Promise<Subject> {
  const server = await startServer({ name, args: [...COLLECTING, join(import.meta.dirname, script)] });
  return { name, server, token: '', subscribing, stop: () => server.stop() };
}

/** Our server with room for all, and nothing that would end what is idle. */
export function startRoomy(upstream: string, nodeArgs: readonly string[] = COLLECTING): Promise<OwnServer> {
  return startOurs({
    name: 'mcplane',
    upstream,
    nodeArgs,
    env: {
      MCPLANE_MAX_CONNECTIONS: MANY,
      MCPLANE_WS_MAX_SOCKETS: MANY,
      MCPLANE_WS_MAX_SOCKETS_PER_CALLER: MANY,
      MCPLANE_WS_MAX_UNINITIALISED: MANY,
      MCPLANE_DEADLINE_FIRST_TOKEN_MS: HOUR_MS,
      MCPLANE_DEADLINE_IDLE_MS: HOUR_MS,
      MCPLANE_DEADLINE_TOTAL_MS: HOUR_MS,
      MCPLANE_MAX_DEADLINE_MS: HOUR_MS,
      JWT_EXPIRE_MINUTES: '1440',
    },
  });
}

/** What a dashboard holds open: requests as they change, of which there are none. */
export async function startFeed(upstream: string): Promise<Subject> {
  const server = await startRoomy(upstream);
  const { token } = server;
  return {
    name: 'mcplane, requestFeed',
    server,
    token,
    subscribing: { query: FEED },
    stop: () => server.stop(),
  };
}

/** All follow one request whose provider says nothing, so that only the subscriptions grow. */
export async function startFollowed(upstream: string): Promise<Subject> {
  const server = await startRoomy(upstream);
  const caller: Caller = await socketCaller(server);
  const { promise: submitted, resolve } = Promise.withResolvers<string>();
  caller.ask('tokens=1 every=0 after=3000000', resolve).catch(() => {});
  const subscribing = { query: FOLLOW, variables: { id: await submitted } };
  const stop = async () => {
    await caller.close();
    await server.stop();
  };
  return { name: 'mcplane, tokenStream', server, token: server.token, subscribing, stop };
}
