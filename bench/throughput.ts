// Streamed requests per second and processor time per request: ours durable, without durability and with two workers,
// against the peer and the least proxy. Callers ask again as soon as they are answered.

import { type Contestant, openLineup, warmUp } from './gateway/lineup.ts';
import { mediansOf, table } from './measure/figures.ts';
import { repeat } from './measure/load.ts';
import { higher, known, lower, type Ratio } from './measure/ratios.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 5;
const CALLERS = 40;
const REQUESTS = 2_000;
const PROMPT = 'tokens=16 every=0';
const DURABLE = 'mcplane, durable';
const TWO_WORKERS = 'mcplane, durable, two workers';

interface Figures extends Readonly<Record<string, number>> {
  readonly perSecond: number;
  readonly cpuUs: number;
}

export async function run({ rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  const lineup = await openLineup({
    ours: [
      { name: DURABLE },
      { name: `${DURABLE}, two operations`, operations: 2 },
      { name: 'mcplane, not durable', database: 'memory:' },
      { name: TWO_WORKERS, env: { MCPLANE_WORKERS: '2' } },
    ],
    sockets: 8,
  });
  try {
    await warmUp(lineup, PROMPT);
    const found = new Map<string, Figures[]>(lineup.contestants.map(({ name }) => [name, []]));
    for (let round = 0; round < wanted; round += 1)
      for (const contestant of lineup.contestants)
        found.get(contestant.name)!.push(await measure(contestant));
    return report(
      [...found].map(([name, rounds]) => ({ name, ...mediansOf(rounds) })),
      wanted,
    );
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

interface Way {
  readonly name: string;
  readonly perSecond: number;
  readonly cpuUs: number;
}

function report(ways: readonly Way[], rounds: number): BenchResult {
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
  const text = `Medians of ${rounds} interleaved rounds, ${CALLERS} callers.\n\n${table(head, rows)}`;
  const json = { benchmark: 'throughput', rounds, callers: CALLERS, ways: rated };
  return { json, text, ratios: ratiosOf(ways) };
}

function ratiosOf(ways: readonly Way[]): Ratio[] {
  const of = (name: string) => ways.find(way => way.name.startsWith(name));
  const [durable, proxy, peer] = [of(DURABLE)!, of('proxy')!, of('Portkey')];
  return known([
    peer && higher('requests/s / Portkey', durable.perSecond / peer.perSecond, { target: 3 }),
    higher('requests/s / proxy', durable.perSecond / proxy.perSecond),
    higher('two workers / one', of(TWO_WORKERS)!.perSecond / durable.perSecond, { target: 1.8 }),
    lower('CPU of a request / proxy', durable.cpuUs / proxy.cpuUs),
    lower('CPU of a request', durable.cpuUs, { target: 450, unit: 'us' }),
  ]);
}
