// Tokens per second from the provider to the subscribers at 50, 200 and 1,000 streams and how many frames carry them;
// how long each token is on its way when a thousand streams bring 50 tokens a second each; and that a token is not held
// back when there is nothing to join it with. Beside raw sends of the same text over WebSockets.

import { setTimeout as wait } from 'node:timers/promises';
import type { Answer } from './gateway/clients.ts';
import { type Contestant, openLineup, warmUp } from './gateway/lineup.ts';
import { mediansOf, percentile, table } from './measure/figures.ts';
import { higher, known, lower, type Ratio } from './measure/ratios.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const ROUNDS = 5;
/** The paced part takes long, and a percentile over so many tokens needs no more. */
const PACED_ROUNDS = 3;
const STREAMS = [50, 200, 1_000];
/** The one that the targets are for. */
const TARGET_STREAMS = 200;
const TOKENS = 200;
/** After as many short ones as elsewhere. */
const WARM_UP_STREAMS = 1_000;
/** Tokens that come at a pace of their own. */
const EVERY_MS = 20;
const PACED_STREAMS = 1_000;
/** All paced streams have begun after this, and none has ended after so much more, in which is measured. */
const RAMP_MS = 2_000;
const STEADY_MS = 3_000;
const IDLE_STREAMS = 5;
const IDLE_TOKENS = 50;
const OURS = 'mcplane, durable';
const RAW = 'raw ws sends';

interface Figures extends Readonly<Record<string, number>> {
  readonly tokensPerSecond: number;
  readonly framesPerToken: number;
  readonly cpuUsPerToken: number;
}

interface Paced extends Readonly<Record<string, number>> {
  readonly lagP50Ms: number;
  readonly lagP99Ms: number;
  /** With a few streams only. */
  readonly idleFramesPerToken: number;
}

export async function run({ rounds: wanted = ROUNDS }: BenchOptions): Promise<BenchResult> {
  const lineup = await openLineup({ ours: [{ name: OURS }], sockets: 20, withRaw: true });
  try {
    await warmUp(lineup, 'tokens=16 every=0');
    await warmUp(lineup, `tokens=${TOKENS} every=0`, WARM_UP_STREAMS);
    const found = new Map<string, Figures[]>();
    const paced = new Map<string, Paced[]>();
    for (let round = 0; round < wanted; round += 1)
      for (const contestant of lineup.contestants) {
        const { name } = contestant;
        for (const streams of STREAMS) {
          const key = `${name}|${streams}`;
          found.set(key, [...(found.get(key) ?? []), await atOnce(contestant, streams)]);
        }
        if (round < PACED_ROUNDS) paced.set(name, [...(paced.get(name) ?? []), await atPace(contestant)]);
      }
    return report(found, paced, wanted);
  } finally {
    await lineup.close();
  }
}

async function atOnce({ server, caller }: Contestant, streams: number): Promise<Figures> {
  const cpuMs = server.cpuMs();
  const startMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: streams }, () => caller.ask(`tokens=${TOKENS} every=0`)),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  const tokens = sumOf(answers, 'tokens');
  return {
    tokensPerSecond: tokens / seconds,
    framesPerToken: sumOf(answers, 'frames') / tokens,
    cpuUsPerToken: ((server.cpuMs() - cpuMs) * 1_000) / tokens,
  };
}

async function atPace({ caller }: Contestant): Promise<Paced> {
  const stepMs = RAMP_MS / PACED_STREAMS;
  const paced = await stagger(caller, { streams: PACED_STREAMS, stepMs, lastsMs: RAMP_MS + STEADY_MS });
  const lagsMs = paced.flatMap((answer, index) => {
    const first = Math.ceil((RAMP_MS - index * stepMs) / EVERY_MS);
    return answer.lagsMs.slice(first, first + STEADY_MS / EVERY_MS);
  });
  const few = { streams: IDLE_STREAMS, stepMs: EVERY_MS / IDLE_STREAMS, lastsMs: IDLE_TOKENS * EVERY_MS };
  const idle = await stagger(caller, few);
  return {
    lagP50Ms: percentile(lagsMs, 0.5),
    lagP99Ms: percentile(lagsMs, 0.99),
    idleFramesPerToken: sumOf(idle, 'frames') / sumOf(idle, 'tokens'),
  };
}

/** Paced streams that begin one after the other, so that their tokens do not fall due at the same moments. */
async function stagger(
  caller: Contestant['caller'],
  { streams, stepMs, lastsMs }: { streams: number; stepMs: number; lastsMs: number },
): Promise<Answer[]> {
  const ask = async (index: number) => {
    await wait(index * stepMs);
    return caller.ask(`tokens=${lastsMs / EVERY_MS} every=${EVERY_MS} stamped`);
  };
  return Promise.all(Array.from({ length: streams }, (_, index) => ask(index)));
}

function sumOf(answers: readonly Answer[], figure: 'tokens' | 'frames'): number {
  return answers.reduce((sum, answer) => sum + answer[figure], 0);
}

interface Way extends Record<'tokensPerSecond' | 'framesPerToken' | 'cpuUsPerToken' | 'streams', number> {
  readonly way: string;
}

interface PacedWay extends Record<'lagP50Ms' | 'lagP99Ms' | 'idleFramesPerToken', number> {
  readonly way: string;
}

function report(
  found: ReadonlyMap<string, readonly Figures[]>,
  paced: ReadonlyMap<string, readonly Paced[]>,
  rounds: number,
): BenchResult {
  const figures = [...found].map(([key, runs]): Way => {
    const [way, streams] = key.split('|');
    return { way: way!, streams: Number(streams), ...mediansOf(runs) };
  });
  const atPace = [...paced].map(([way, runs]): PacedWay => ({ way, ...mediansOf(runs) }));
  const rows = figures.map(each => {
    const peer = figures.find(({ way, streams }) => way.startsWith('Portkey') && streams === each.streams);
    return [
      `${each.streams} streams, ${each.way}`,
      peer ? `${(each.tokensPerSecond / peer.tokensPerSecond).toFixed(2)} x` : '-',
      each.tokensPerSecond.toFixed(0),
      each.framesPerToken.toFixed(3),
      each.cpuUsPerToken.toFixed(1),
    ];
  });
  const head = [`${TOKENS} tokens each`, '/ Portkey', 'tokens/s', 'frames/token', 'CPU us/token'];
  const pacedRows = atPace.map(({ way, lagP50Ms, lagP99Ms, idleFramesPerToken }) => [
    way,
    lagP50Ms.toFixed(1),
    lagP99Ms.toFixed(1),
    idleFramesPerToken.toFixed(2),
  ]);
  const pacedHead = [
    `${PACED_STREAMS} streams, ${1_000 / EVERY_MS} tokens/s each`,
    'lag of a token, p50 ms',
    'p99 ms',
    `frames/token, ${IDLE_STREAMS} streams`,
  ];
  const title = `Medians of ${rounds} interleaved rounds.`;
  return {
    json: { benchmark: 'tokens', rounds, figures, paced: atPace },
    text: [title, table(head, rows), table(pacedHead, pacedRows)].join('\n\n'),
    ratios: ratiosOf(figures, atPace),
  };
}

function ratiosOf(figures: readonly Way[], paced: readonly PacedWay[]): Ratio[] {
  const of = (name: string, streams: number) =>
    figures.find(each => each.way.startsWith(name) && each.streams === streams);
  const ours = paced.find(({ way }) => way === OURS)!;
  const raw = paced.find(({ way }) => way === RAW)!;
  return known([
    ...STREAMS.flatMap(streams => {
      const [mine, peer, ceiling] = [of(OURS, streams)!, of('Portkey', streams), of(RAW, streams)!];
      const when = `at ${streams} streams`;
      const isTarget = streams === TARGET_STREAMS;
      return [
        peer &&
          higher(`tokens/s ${when} / Portkey`, mine.tokensPerSecond / peer.tokensPerSecond, {
            target: isTarget ? 2.5 : undefined,
          }),
        higher(`tokens/s ${when} / raw ws sends`, mine.tokensPerSecond / ceiling.tokensPerSecond),
        lower(`frames per token ${when}`, mine.framesPerToken, { target: 0.1 }),
        lower(`CPU of a token ${when}`, mine.cpuUsPerToken, {
          target: isTarget ? 5 : undefined,
          unit: 'us',
        }),
      ];
    }),
    higher('frames per token when idle', ours.idleFramesPerToken, { target: 0.99 }),
    lower('lag p50 of a token / raw ws sends', ours.lagP50Ms / raw.lagP50Ms),
    lower('lag p99 of a token / raw ws sends', ours.lagP99Ms / raw.lagP99Ms),
    lower('lag p99 of a token', ours.lagP99Ms, { target: 50, unit: 'ms' }),
  ]);
}
