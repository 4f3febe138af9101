// Who is compared: the provider asked directly, the least proxy, the peer, and our server, all in front of the same
// provider, each with a client of its own; where delivery counts also a server that only sends.

import { join } from 'node:path';
import { repeat } from '../measure/load.ts';
import { type Caller, completionsCaller, rawCaller, socketCaller } from './clients.ts';
import { type OwnOptions, startOurs } from './ours.ts';
import { startPeer } from './peer.ts';
import { type Server, startServer } from './processes.ts';

export interface Contestant {
  readonly name: string;
  readonly server: Server;
  readonly caller: Caller;
}

export interface Lineup {
  readonly contestants: readonly Contestant[];
  close(): Promise<void>;
}

export interface OurWay extends Omit<OwnOptions, 'upstream'> {
  /** In how many operations its client submits and follows; default: one. */
  readonly operations?: 1 | 2;
}

export interface LineupOptions {
  /** Our server, once for each of these. */
  readonly ours: readonly OurWay[];
  /** Sockets that our clients share. */
  readonly sockets: number;
  /** The server that only sends, too. */
  readonly withRaw?: boolean;
}

export async function openLineup({ ours, sockets, withRaw }: LineupOptions): Promise<Lineup> {
  await using stack = new AsyncDisposableStack();
  const contestants: Contestant[] = [];
  const enter = (server: Server, caller: Caller) => {
    stack.defer(() => server.stop());
    stack.defer(() => caller.close());
    contestants.push({ name: server.name, server, caller });
  };
  const script = (name: string) => join(import.meta.dirname, `${name}.ts`);
  const provider = await startServer({ name: 'direct', args: [script('upstream')] });
  enter(provider, completionsCaller(provider.url));
  if (withRaw) {
    const raw = await startServer({ name: 'raw ws sends', args: [script('raw')] });
    enter(raw, await rawCaller(raw, sockets));
  }
  const proxy = await startServer({ name: 'proxy', args: [script('proxy'), provider.url] });
  enter(proxy, completionsCaller(proxy.url));
  const peer = await startPeer();
  const route = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${provider.url}/v1` };
  if (peer) enter(peer, completionsCaller(peer.url, route));
  for (const { operations, ...options } of ours) {
    const server = await startOurs({ ...options, upstream: provider.url });
    enter(server, await socketCaller(server, sockets, operations));
  }
  const opened = stack.move();
  return { contestants, close: () => opened.disposeAsync() };
}

/**
 * What is called once in a request, V8 compiles with all its means after some ten thousand calls, and then again what
 * that showed to be wrong. Servers run for days, and are measured as they are then.
 */
export const WARM_UP_REQUESTS = 20_000;

/** Connections, compiled code, caches. */
export async function warmUp(
  { contestants }: Lineup,
  prompt: string,
  requests = WARM_UP_REQUESTS,
): Promise<void> {
  for (const { caller } of contestants) await repeat(() => caller.ask(prompt), 40, requests);
}
