// What a gateway adds to the time to the first token, at fixed rates of requests. Ours submits durably and follows on
// one WebSocket; the others stream Chat Completions. All in front of the same provider, one after the other in each
// round. The peer's reader waits 25 ms before it hands on a first piece.

import { type Contestant, openLineup, warmUp } from './gateway/lineup.ts';
import { mediansOf, percentile, table } from './measure/figures.ts';
import { arrive } from './measure/load.ts';
import { createRandom } from './routing/random.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 5;
const RATES = [50, 200, 500];
const DURATION_MS = 2_000;
const PROMPT = 'tokens=16 every=0';

interface Figures extends Readonly<Record<string, number>> {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export async function run({ seed }: BenchOptions): Promise<BenchResult> {
  const lineup = await openLineup({ ours: [{ name: 'mcplane, durable' }], sockets: 1 });
  try {
    await warmUp(lineup, PROMPT);
    const found = new Map<string, Figures[]>();
    const random = createRandom(seed);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const perSecond of RATES)
        for (const contestant of lineup.contestants) {
          const key = `${contestant.name}|${perSecond}`;
          found.set(key, [...(found.get(key) ?? []), await measure(contestant, perSecond, random)]);
        }
    return report(
      lineup.contestants.map(({ name }) => name),
      found,
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

function report(names: readonly string[], found: ReadonlyMap<string, readonly Figures[]>): BenchResult {
  const figures = RATES.map(perSecond => {
    const of = (name: string) => mediansOf(found.get(`${name}|${perSecond}`)!);
    const direct = of('direct');
    const added = (name: string): Figures => {
      const { p50Ms, p95Ms, p99Ms } = of(name);
      return {
        p50Ms: p50Ms - direct.p50Ms,
        p95Ms: p95Ms - direct.p95Ms,
        p99Ms: p99Ms - direct.p99Ms,
      };
    };
    const others = names.filter(name => name !== 'direct');
    const ways = others.map(name => {
      const mine = added(name);
      const proxy = added('proxy');
      return {
        name,
        added: mine,
        p50ToProxy: mine.p50Ms / proxy.p50Ms,
        p99ToProxy: mine.p99Ms / proxy.p99Ms,
      };
    });
    return { perSecond, direct, ways };
  });
  const rows = figures.flatMap(({ perSecond, ways }) =>
    ways.map(({ name, added, p50ToProxy, p99ToProxy }) => [
      `${perSecond}/s ${name}`,
      `${p50ToProxy.toFixed(1)} x`,
      `${p99ToProxy.toFixed(1)} x`,
      ...[added.p50Ms, added.p95Ms, added.p99Ms].map(value => value.toFixed(2)),
    ]),
  );
  const head = ['added time to first token', 'p50/proxy', 'p99/proxy', 'p50 ms', 'p95 ms', 'p99 ms'];
  const text = `Medians of ${ROUNDS} interleaved rounds.\n\n${table(head, rows)}`;
  return { json: { benchmark: 'ttft', rounds: ROUNDS, figures }, text };
}
