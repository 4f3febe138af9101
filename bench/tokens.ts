// Tokens per second from the provider to the subscribers at 50, 200 and 1,000 streams, how many frames carry them, and
// how long a token is on its way when a thousand streams bring 50 tokens a second each. Beside raw sends of the same
// text over WebSockets by a server that does nothing else.

import { setTimeout as wait } from 'node:timers/promises';
import { type Contestant, openLineup, warmUp } from './gateway/lineup.ts';
import { mediansOf, percentile, table } from './measure/figures.ts';
import type { BenchResult } from './run.ts';

const ROUNDS = 5;
const STREAMS = [50, 200, 1_000];
const TOKENS = 200;
/** Tokens that come at a pace of their own: 20 ms apart. */
const EVERY_MS = 20;
const PACED_STREAMS = 1_000;
const PACED_TOKENS = 100;

interface Figures extends Readonly<Record<string, number>> {
  readonly tokensPerSecond: number;
  readonly framesPerToken: number;
  readonly cpuUsPerToken: number;
}

export async function run(): Promise<BenchResult> {
  const lineup = await openLineup({ ours: [{ name: 'mcplane, durable' }], sockets: 20 });
  try {
    await warmUp(lineup, `tokens=${TOKENS} every=0`);
    const found = new Map<string, Figures[]>();
    const lags = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round += 1)
      for (const contestant of lineup.contestants) {
        for (const streams of STREAMS) {
          const key = `${contestant.name}|${streams}`;
          found.set(key, [...(found.get(key) ?? []), await atOnce(contestant, streams)]);
        }
        lags.set(contestant.name, [...(lags.get(contestant.name) ?? []), await lagOf(contestant)]);
      }
    return report(found, lags);
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
  const tokens = answers.reduce((sum, answer) => sum + answer.tokens, 0);
  const frames = answers.reduce((sum, answer) => sum + answer.frames, 0);
  return {
    tokensPerSecond: tokens / seconds,
    framesPerToken: frames / tokens,
    cpuUsPerToken: ((server.cpuMs() - cpuMs) * 1_000) / tokens,
  };
}

/** The 99th percentile of what whole paced answers take beyond their own time, started evenly over one interval. */
async function lagOf({ caller }: Contestant): Promise<number> {
  const answers = await Promise.all(
    Array.from({ length: PACED_STREAMS }, async (_, index) => {
      await wait((index % EVERY_MS) + Math.floor(index / EVERY_MS) * 2);
      const startMs = performance.now();
      const { firstTokenMs } = await caller.ask(`tokens=${PACED_TOKENS} every=${EVERY_MS}`);
      return performance.now() - startMs - firstTokenMs - (PACED_TOKENS - 1) * EVERY_MS;
    }),
  );
  return percentile(answers, 0.99);
}

function report(
  found: ReadonlyMap<string, readonly Figures[]>,
  lags: ReadonlyMap<string, readonly number[]>,
): BenchResult {
  const figures = [...found].map(([key, rounds]) => {
    const [way, streams] = key.split('|');
    return { way: way!, streams: Number(streams), ...mediansOf(rounds) };
  });
  const peer = (streams: number) =>
    figures.find(each => each.way.startsWith('Portkey') && each.streams === streams);
  const rated = figures.map(each => {
    const other = peer(each.streams);
    return { ...each, toPeer: other && each.tokensPerSecond / other.tokensPerSecond };
  });
  const lag = [...lags].map(([way, rounds]) => ({ way, lagP99Ms: percentile(rounds, 0.5) }));
  const rows = rated.map(each => [
    `${each.streams} streams, ${each.way}`,
    each.toPeer === undefined ? '-' : `${each.toPeer.toFixed(2)} x`,
    each.tokensPerSecond.toFixed(0),
    each.framesPerToken.toFixed(3),
    each.cpuUsPerToken.toFixed(1),
  ]);
  const head = [`${TOKENS} tokens each`, '/ Portkey', 'tokens/s', 'frames/token', 'CPU us/token'];
  const paced = lag.map(({ way, lagP99Ms }) => [way, lagP99Ms.toFixed(1)]);
  const pacedHead = [`${PACED_STREAMS} streams, ${1_000 / EVERY_MS} tokens/s each`, 'lag of the end, p99 ms'];
  const text = [
    `Medians of ${ROUNDS} interleaved rounds.`,
    '',
    table(head, rows),
    '',
    table(pacedHead, paced),
  ];
  return { json: { benchmark: 'tokens', rounds: ROUNDS, figures: rated, lag }, text: text.join('\n') };
}
