// What an idle subscription keeps, on a socket of its own and a hundred to a socket, beside a bare WebSocket and stock
// graphql-ws; what an active stream keeps; how much of what requests allocate grows old; and with `--soak MINUTES` whether
// the memory stays flat under half load.

import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { socketCaller } from './gateway/clients.ts';
import { startServer } from './gateway/processes.ts';
import { table } from './measure/figures.ts';
import { known, lower, type Ratio } from './measure/ratios.ts';
import { type Aged, age } from './memory/aging.ts';
import { type Soaked, soak } from './memory/soak.ts';
import { startBare, startFeed, startFollowed, startRoomy, startStock } from './memory/subjects.ts';
import { collected, type Weighed, weigh } from './memory/weigh.ts';
import type { BenchOptions, BenchResult } from './run.ts';

const COUNTS = [1_000, 5_000, 10_000];
const MOST = 10_000;
const SHARED = 100;
const STREAMS = 1_000;
/** Slow ones: what they keep is measured, not what they do. */
const STREAM_PROMPT = 'tokens=2000 every=200';
const STREAMING_MS = 5_000;

export async function run({ soakMinutes }: BenchOptions): Promise<BenchResult> {
  const provider = await startServer({
    name: 'provider',
    args: [join(import.meta.dirname, 'gateway/upstream.ts')],
  });
  try {
    const feed = () => startFeed(provider.url);
    const followed = () => startFollowed(provider.url);
    const weighed = [
      ...(await weigh(startBare, COUNTS, 1)),
      ...(await weigh(startStock, COUNTS, 1)),
      ...(await weigh(feed, COUNTS, 1)),
      ...(await weigh(followed, [MOST], 1)),
      ...(await weigh(startStock, COUNTS, SHARED)),
      ...(await weigh(feed, COUNTS, SHARED)),
      ...(await weigh(followed, [MOST], SHARED)),
    ];
    const activeKib = await weighStreams(provider.url);
    const aged = await age(provider.url);
    const soaked = soakMinutes > 0 ? await soakOurs(provider.url, soakMinutes) : undefined;
    return report({ weighed, activeKib, aged, soaked });
  } finally {
    await provider.stop();
  }
}

/** KiB for each of many streams that bring tokens: the request, its call, its events and a subscriber. */
async function weighStreams(upstream: string): Promise<number> {
  const server = await startRoomy(upstream);
  const caller = await socketCaller(server, STREAMS / 50);
  try {
    await Promise.all(Array.from({ length: 200 }, () => caller.ask('tokens=16 every=0')));
    const before = await collected(server);
    for (let started = 0; started < STREAMS; started += 1) caller.ask(STREAM_PROMPT).catch(() => {});
    await wait(STREAMING_MS);
    const { rss } = await collected(server);
    return (rss - before.rss) / 1_024 / STREAMS;
  } finally {
    await caller.close();
    await server.stop();
  }
}

async function soakOurs(upstream: string, minutes: number): Promise<Soaked> {
  const server = await startRoomy(upstream);
  const caller = await socketCaller(server, 8);
  try {
    return await soak(server, caller, minutes);
  } finally {
    await caller.close();
    await server.stop();
  }
}

interface Found {
  readonly weighed: readonly Weighed[];
  readonly activeKib: number;
  readonly aged: Aged;
  readonly soaked: Soaked | undefined;
}

function report(found: Found): BenchResult {
  const { weighed, activeKib, aged, soaked } = found;
  const rows = weighed.map(({ name, perSocket, subscriptions, rssKib, heapKib }) => [
    `${name}, ${perSocket} to a socket, ${subscriptions}`,
    rssKib.toFixed(1),
    heapKib.toFixed(1),
  ]);
  const text = [
    'After a collection of garbage.',
    '',
    table(['idle subscriptions', 'RSS KiB each', 'heap KiB each'], rows),
    '',
    `An active stream, ${STREAMS} at a time: ${activeKib.toFixed(1)} KiB.`,
    '',
    `Of ${aged.allocatedKib.toFixed(0)} KiB that a request allocates ${aged.agedKib.toFixed(1)} grow old, at ${aged.perSecond} a second; a minor collection takes ${aged.pauseMs.toFixed(1)} ms.`,
    ...(soaked ? ['', soakText(soaked)] : []),
  ];
  return { json: { benchmark: 'memory', ...found }, text: text.join('\n'), ratios: ratiosOf(found) };
}

function soakText({ minutes, perSecond, samples, rssPercentPerHour, heapPercentPerHour }: Soaked): string {
  const rows = samples.map(({ minute, rssMib, heapMib }) => [
    String(minute),
    rssMib.toFixed(1),
    heapMib.toFixed(1),
  ]);
  return [
    `${minutes} minutes at ${perSecond} streamed requests a second, half of what it can do.`,
    `The second half grows by ${rssPercentPerHour.toFixed(1)} % an hour, its heap by ${heapPercentPerHour.toFixed(1)} %.`,
    '',
    table(['minute', 'RSS MiB', 'heap MiB'], rows),
  ].join('\n');
}

function ratiosOf({ weighed, activeKib, aged, soaked }: Found): Ratio[] {
  const of = (name: string, perSocket: number) =>
    weighed.find(each => each.name === name && each.perSocket === perSocket && each.subscriptions === MOST)!;
  // What the process keeps is what counts, but the same from run to run is only what its heap keeps.
  const idle = ['mcplane, requestFeed', 'mcplane, tokenStream'].flatMap(name =>
    [1, SHARED].flatMap(perSocket => {
      const [ours, stock] = [of(name, perSocket), of('graphql-ws', perSocket)];
      const when = `${name}, ${perSocket} to a socket`;
      return [
        lower(`heap, ${when} / graphql-ws`, ours.heapKib / stock.heapKib),
        lower(`RSS, ${when}`, ours.rssKib, { target: perSocket === 1 ? 30 : 15, unit: 'KiB' }),
      ];
    }),
  );
  return known([
    ...idle,
    lower('active stream', activeKib, { unit: 'KiB' }),
    lower('grows old / allocated', aged.agedKib / aged.allocatedKib),
    soaked && lower('RSS under half load', soaked.rssPercentPerHour, { unit: '%/h' }),
    soaked && lower('heap under half load', soaked.heapPercentPerHour, { unit: '%/h' }),
  ]);
}
