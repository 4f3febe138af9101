// Streamed requests per second and processor time per request: ours durable, without durability and with two workers,
// against the peer and the least proxy. Callers ask again as soon as they are answered.

import { type Contestant, openLineup, warmUp } from './gateway/lineup.ts';
import { mediansOf, table } from './measure/figures.ts';
import { repeat } from './measure/load.ts';
import type { BenchResult } from './run.ts';

const ROUNDS = 5;
const CALLERS = 40;
const REQUESTS = 800;
const PROMPT = 'tokens=16 every=0';

interface Figures extends Readonly<Record<string, number>> {
  readonly perSecond: number;
  readonly cpuUs: number;
}

export async function run(): Promise<BenchResult> {
  const lineup = await openLineup({
    ours: [
      { name: 'mcplane, durable' },
      { name: 'mcplane, not durable', database: 'memory:' },
      { name: 'mcplane, durable, two workers', env: { MCPLANE_WORKERS: '2' } },
    ],
    sockets: 8,
  });
  try {
    await warmUp(lineup, PROMPT);
    const found = new Map<string, Figures[]>(lineup.contestants.map(({ name }) => [name, []]));
    for (let round = 0; round < ROUNDS; round += 1)
      for (const contestant of lineup.contestants)
        found.get(contestant.name)!.push(await measure(contestant));
    return report([...found].map(([name, rounds]) => ({ name, ...mediansOf(rounds) })));
  } finally {
    await lineup.close();
  }
}

async function measure({ server, caller }: Contestant): Promise<Figures> {
  const cpuMs = server.cpuMs();
  const startMs = performance.now();
  await repeat(() => caller.ask(PROMPT), CALLERS, REQUESTS);
  const seconds = (performance.now() - startMs) / 1_000;
  return { perSecond: REQUESTS / seconds, cpuUs: ((server.cpuMs() - cpuMs) * 1_000) / REQUESTS };
}

function report(
  ways: readonly { readonly name: string; readonly perSecond: number; readonly cpuUs: number }[],
): BenchResult {
  const peer = ways.find(({ name }) => name.startsWith('Portkey'));
  const proxy = ways.find(({ name }) => name === 'proxy')!;
  const rated = ways.map(way => ({
    ...way,
    toPeer: peer && way.perSecond / peer.perSecond,
    toProxy: way.perSecond / proxy.perSecond,
  }));
  const rows = rated.map(({ name, perSecond, cpuUs, toPeer, toProxy }) => [
    name,
    toPeer === undefined ? '-' : `${toPeer.toFixed(2)} x`,
    `${toProxy.toFixed(2)} x`,
    perSecond.toFixed(0),
    cpuUs.toFixed(0),
  ]);
  const head = ['streamed requests, 16 tokens each', '/ Portkey', '/ proxy', 'per second', 'CPU us each'];
  const text = `Medians of ${ROUNDS} interleaved rounds, ${CALLERS} callers.\n\n${table(head, rows)}`;
  return { json: { benchmark: 'throughput', rounds: ROUNDS, callers: CALLERS, ways: rated }, text };
}
