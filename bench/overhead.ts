// Where our own time inside a request goes, by stage, at fixed rates of requests: read from the server's own /metrics
// before and after. Beside it what the provider itself takes to a first token at the same rate, as a yardstick.

import { join } from 'node:path';
import { type Caller, completionsCaller, socketCaller } from './gateway/clients.ts';
import { type OwnServer, startOurs } from './gateway/ours.ts';
import { startServer } from './gateway/processes.ts';
import { mediansOf, percentile, table } from './measure/figures.ts';
import { arrive, repeat } from './measure/load.ts';
import { lower, type Ratio } from './measure/ratios.ts';
import { type Buckets, countedSince, quantileOf, scrapeHistogram } from './measure/scrape.ts';
import { createRandom } from './routing/random.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 3;
const RATES = [50, 200, 500];
const DURATION_MS = 3_000;
const METRIC = 'mcplane_overhead_seconds';
const STAGES = ['accept', 'dispatch', 'first_token', 'delivery', 'finish'];
/** Those that lie between a submission and its first token at the client. */
const BEFORE_FIRST_TOKEN = ['accept', 'dispatch', 'first_token', 'delivery'];
/** The first token comes when its subscriber is there, so that it has a delivery. */
const PROMPT = 'tokens=16 every=0 after=10';
const DIRECT_PROMPT = 'tokens=16 every=0';

// An alias, which unlike an interface can stand for a record of numbers.
type Figures = { readonly [Name in 'p50Ms' | 'p95Ms' | 'p99Ms']: number };

interface Found extends Figures {
  readonly perSecond: number;
  /** `direct`: the provider's own time to a first token. */
  readonly stage: string;
}

export async function run({ seed, rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const provider = await startServer({
    name: 'provider',
    args: [join(import.meta.dirname, 'gateway/upstream.ts')],
  });
  stack.defer(() => provider.stop());
  const ours = await startOurs({ name: 'mcplane, durable', upstream: provider.url });
  stack.defer(() => ours.stop());
  const caller = await socketCaller(ours, 4);
  stack.defer(() => caller.close());
  const direct = completionsCaller(provider.url);
  stack.defer(() => direct.close());
  await repeat(() => caller.ask(PROMPT), 20, 800);
  await repeat(() => direct.ask(DIRECT_PROMPT), 20, 800);
  const found = new Map<string, Figures[]>();
  const keep = (key: string, figures: Figures) => found.set(key, [...(found.get(key) ?? []), figures]);
  for (let round = 0; round < wanted; round += 1)
    for (const perSecond of RATES) {
      const random = createRandom(seed + round);
      keep(`direct|${perSecond}`, await directly(direct, perSecond, random));
      for (const [stage, figures] of await byStage(ours, caller, { perSecond, random }))
        keep(`${stage}|${perSecond}`, figures);
    }
  const figures = [...found].map(([key, rounds]): Found => {
    const [stage, perSecond] = key.split('|');
    return { stage: stage!, perSecond: Number(perSecond), ...mediansOf(rounds) };
  });
  return report(figures, wanted);
}

async function directly(caller: Caller, perSecond: number, random: () => number): Promise<Figures> {
  const times: number[] = [];
  const ask = () => caller.ask(DIRECT_PROMPT).then(({ firstTokenMs }) => times.push(firstTokenMs));
  await arrive(ask, { perSecond, durationMs: DURATION_MS, random });
  return { p50Ms: percentile(times, 0.5), p95Ms: percentile(times, 0.95), p99Ms: percentile(times, 0.99) };
}

async function byStage(
  server: OwnServer,
  caller: Caller,
  { perSecond, random }: { perSecond: number; random: () => number },
): Promise<Map<string, Figures>> {
  const before = await scrapeHistogram(server, METRIC);
  await arrive(() => caller.ask(PROMPT), { perSecond, durationMs: DURATION_MS, random });
  const after = await scrapeHistogram(server, METRIC);
  const stages = STAGES.flatMap((stage): [string, Figures][] => {
    const counted = after.get(stage);
    return counted ? [[stage, figuresOf(countedSince(before.get(stage), counted))]] : [];
  });
  return new Map(stages);
}

function figuresOf(buckets: Buckets): Figures {
  const ms = (share: number) => quantileOf(buckets, share) * 1_000;
  return { p50Ms: ms(0.5), p95Ms: ms(0.95), p99Ms: ms(0.99) };
}

function report(figures: readonly Found[], rounds: number): BenchResult {
  const rows = figures.map(({ stage, perSecond, p50Ms, p95Ms, p99Ms }) => [
    `${perSecond}/s ${stage}`,
    ...[p50Ms, p95Ms, p99Ms].map(value => value.toFixed(3)),
  ]);
  const head = ['our own time, by stage', 'p50 ms', 'p95 ms', 'p99 ms'];
  const text = `Medians of ${rounds} interleaved rounds.\n\n${table(head, rows)}`;
  const ratios = RATES.flatMap(perSecond => ratiosOf(figures.filter(each => each.perSecond === perSecond)));
  return { json: { benchmark: 'overhead', rounds, figures }, text, ratios };
}

function ratiosOf(figures: readonly Found[]): Ratio[] {
  const direct = figures.find(({ stage }) => stage === 'direct')!;
  const ours = figures.filter(({ stage }) => BEFORE_FIRST_TOKEN.includes(stage));
  const ownMs = ours.reduce((sum, { p50Ms }) => sum + p50Ms, 0);
  const when = `at ${direct.perSecond}/s`;
  return [
    lower(`own p50 to the first token ${when} / provider's`, ownMs / direct.p50Ms),
    lower(`own p50 to the first token ${when}`, ownMs, { unit: 'ms' }),
  ];
}
