// What more workers bring. Each may use the same share of a processor: so those who load and serve them, and the
// database, have the rest of the machine, as on machines of their own. Without that they are what limits it.

import { join } from 'node:path';
import { type Caller, socketCaller } from './gateway/clients.ts';
import { WARM_UP_REQUESTS } from './gateway/lineup.ts';
import { type OwnServer, startOurs } from './gateway/ours.ts';
import { startServer } from './gateway/processes.ts';
import { createProcessorShare } from './gateway/processor-share.ts';
import { mediansOf, table } from './measure/figures.ts';
import { repeat } from './measure/load.ts';
import { higher } from './measure/ratios.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 5;
const WORKERS = [1, 2];
/** Of a processor, for each worker. Less is used up by being stopped and going on; more leaves too little for the others. */
const SHARE = 0.35;
const CALLERS_PER_WORKER = 20;
const SOCKETS_PER_WORKER = 8;
const REQUESTS_PER_WORKER = 500;
const PROMPT = 'tokens=16 every=0';

interface Installation {
  readonly workers: number;
  readonly server: OwnServer;
  readonly caller: Caller;
}

type Figures = { readonly [Name in 'perSecond' | 'cpuUs']: number };

export async function run({ rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const provider = await startServer({
    name: 'provider',
    args: [join(import.meta.dirname, 'gateway/upstream.ts')],
  });
  stack.defer(() => provider.stop());
  const installations: Installation[] = [];
  for (const workers of WORKERS) installations.push(await install(workers, provider.url, stack));
  for (const { caller, workers } of installations)
    await repeat(() => caller.ask(PROMPT), CALLERS_PER_WORKER * workers, WARM_UP_REQUESTS * workers);
  const found = new Map<Installation, Figures[]>(installations.map(each => [each, []]));
  for (let round = 0; round < wanted; round += 1)
    for (const each of installations) found.get(each)!.push(await measure(each));
  return report(
    [...found].map(([{ workers }, figures]) => ({ workers, ...mediansOf(figures) })),
    wanted,
  );
}

async function install(
  workers: number,
  upstream: string,
  stack: AsyncDisposableStack,
): Promise<Installation> {
  const share = createProcessorShare(SHARE * workers);
  stack.defer(() => share.close());
  const server = await startOurs({
    name: `${workers} workers`,
    upstream,
    env: { MCPLANE_WORKERS: String(workers) },
    share,
  });
  stack.defer(() => server.stop());
  const caller = await socketCaller(server, SOCKETS_PER_WORKER * workers);
  stack.defer(() => caller.close());
  return { workers, server, caller };
}

async function measure({ workers, server, caller }: Installation): Promise<Figures> {
  const requests = REQUESTS_PER_WORKER * workers;
  const cpuMs = server.cpuMs();
  const startMs = performance.now();
  await repeat(() => caller.ask(PROMPT), CALLERS_PER_WORKER * workers, requests);
  const seconds = (performance.now() - startMs) / 1_000;
  return { perSecond: requests / seconds, cpuUs: ((server.cpuMs() - cpuMs) * 1_000) / requests };
}

function report(ways: readonly (Figures & { readonly workers: number })[], rounds: number): BenchResult {
  const [one] = ways;
  const rows = ways.map(({ workers, perSecond, cpuUs }) => [
    String(workers),
    `${(perSecond / one!.perSecond).toFixed(2)} x`,
    perSecond.toFixed(0),
    cpuUs.toFixed(0),
  ]);
  const head = ['workers', '/ one', 'per second', 'CPU us each'];
  const text = `Medians of ${rounds} interleaved rounds; each worker has ${100 * SHARE} % of a processor.\n\n${table(head, rows)}`;
  const ratios = ways
    .slice(1)
    .map(({ workers, perSecond }) =>
      higher(`${workers} workers / one`, perSecond / one!.perSecond, { target: 1.8 }),
    );
  return { json: { benchmark: 'scaling', rounds, share: SHARE, ways }, text, ratios };
}
