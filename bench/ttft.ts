// What a gateway adds to the time to the first token, at fixed rates of requests. Ours submits durably and follows on
// WebSockets that the callers share, several because one takes 200 submissions at a time; the others stream Chat
// Completions. All in front of the same provider, one after the other in each round. The peer's reader waits 25 ms
// before it hands on a first piece.

import { type Contestant, openLineup, warmUp } from './gateway/lineup.ts';
import { mediansOf, percentile, table } from './measure/figures.ts';
import { arrive } from './measure/load.ts';
import { known, lower, type Ratio } from './measure/ratios.ts';
import { createRandom } from './routing/random.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 5;
const RATES = [50, 200, 500];
/** The rate that the targets are for. */
const TARGET_RATE = 200;
const DURATION_MS = 2_000;
const NOISE_MS = 0.05;
const OURS = 'mcplane, durable';
const PROMPT = 'tokens=16 every=0';

interface Figures extends Readonly<Record<string, number>> {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export async function run({ seed, rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  const lineup = await openLineup({
    ours: [{ name: OURS }, { name: `${OURS}, two operations`, operations: 2 }],
    sockets: 8,
  });
  try {
    await warmUp(lineup, PROMPT);
    const found = new Map<string, Figures[]>();
    const random = createRandom(seed);
    for (let round = 0; round < wanted; round += 1)
      for (const perSecond of RATES)
        for (const contestant of lineup.contestants) {
          const key = `${contestant.name}|${perSecond}`;
          found.set(key, [...(found.get(key) ?? []), await measure(contestant, perSecond, random)]);
        }
    return report(
      lineup.contestants.map(({ name }) => name),
      found,
      wanted,
    );
  } finally {
    await lineup.close();
  }
}

/** Requests at random moments; the time of one begins when it was due. */
async function measure(
  { caller }: Contestant,
  perSecond: number,
  random: ReturnType<typeof createRandom>,
): Promise<Figures> {
  const times: number[] = [];
  const ask = (dueMs: number) => {
    const lateMs = performance.now() - dueMs;
    return caller.ask(PROMPT).then(({ firstTokenMs }) => times.push(lateMs + firstTokenMs));
  };
  await arrive(ask, { perSecond, durationMs: DURATION_MS, random });
  return { p50Ms: percentile(times, 0.5), p95Ms: percentile(times, 0.95), p99Ms: percentile(times, 0.99) };
}

interface Found {
  readonly perSecond: number;
  readonly direct: Figures;
  readonly ways: readonly { readonly name: string; readonly added: Figures }[];
}

function report(
  names: readonly string[],
  found: ReadonlyMap<string, readonly Figures[]>,
  rounds: number,
): BenchResult {
  const figures = RATES.map((perSecond): Found => {
    const of = (name: string) => mediansOf(found.get(`${name}|${perSecond}`)!);
    const direct = of('direct');
    const others = names.filter(name => name !== 'direct');
    const ways = others.map(name => {
      const { p50Ms, p95Ms, p99Ms } = of(name);
      const added = {
        p50Ms: p50Ms - direct.p50Ms,
        p95Ms: p95Ms - direct.p95Ms,
        p99Ms: p99Ms - direct.p99Ms,
      };
      return { name, added };
    });
    return { perSecond, direct, ways };
  });
  const rows = figures.flatMap(({ perSecond, ways }) => {
    const proxy = addedBy('proxy', ways)!;
    return ways.map(({ name, added }) => [
      `${perSecond}/s ${name}`,
      ...(['p50Ms', 'p99Ms'] as const).map(which => {
        const times = timesAsMuch(added, proxy, which);
        return times === undefined ? '-' : `${times.toFixed(1)} x`;
      }),
      ...[added.p50Ms, added.p95Ms, added.p99Ms].map(value => value.toFixed(2)),
    ]);
  });
  const head = ['added time to first token', 'p50/proxy', 'p99/proxy', 'p50 ms', 'p95 ms', 'p99 ms'];
  const text = `Medians of ${rounds} interleaved rounds.\n\n${table(head, rows)}`;
  return { json: { benchmark: 'ttft', rounds, figures }, text, ratios: figures.flatMap(ratiosOf) };
}

function addedBy(name: string, ways: Found['ways']): Figures | undefined {
  return ways.find(way => way.name.startsWith(name))?.added;
}

function ratiosOf({ perSecond, ways }: Found): Ratio[] {
  const [ours, proxy, peer] = [addedBy(OURS, ways)!, addedBy('proxy', ways)!, addedBy('Portkey', ways)];
  const to = (name: string, base: Figures | undefined, which: 'p50Ms' | 'p99Ms', bound?: number) => {
    const times = base && timesAsMuch(ours, base, which);
    if (times === undefined) return undefined;
    const target = perSecond === TARGET_RATE ? bound : undefined;
    return lower(`added ${which.slice(0, 3)} at ${perSecond}/s / ${name}`, times, { target });
  };
  return known([
    to('proxy', proxy, 'p50Ms', 1.5),
    to('proxy', proxy, 'p99Ms', 1.5),
    to('Portkey', peer, 'p50Ms'),
    to('Portkey', peer, 'p99Ms', 0.1),
  ]);
}

/** Undefined when the other adds so little that it drowns in the noise of the direct call. */
function timesAsMuch(mine: Figures, base: Figures, which: 'p50Ms' | 'p99Ms'): number | undefined {
  return base[which] < NOISE_MS ? undefined : mine[which] / base[which];
}
