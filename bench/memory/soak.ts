// Half of what the server can do, for a long time: does its memory stay where it is?

import type { Caller } from '../gateway/clients.ts';
import type { Server } from '../gateway/processes.ts';
import { arrive, repeat } from '../measure/load.ts';
import { createRandom } from '../routing/random.ts';
import { collected } from './weigh.ts';

export interface Soaked {
  readonly minutes: number;
  readonly perSecond: number;
  /** MiB once a minute, with garbage and, of the heap, without. */
  readonly samples: readonly { readonly minute: number; readonly rssMib: number; readonly heapMib: number }[];
  /** Of the straight line through the second half of the samples, in percent of their mean an hour. */
  readonly rssPercentPerHour: number;
  readonly heapPercentPerHour: number;
}

const PROMPT = 'tokens=16 every=0';
const MIB = 1_048_576;
const PROBE_REQUESTS = 3_000;

export async function soak(server: Server, caller: Caller, minutes: number): Promise<Soaked> {
  const startMs = performance.now();
  await repeat(() => caller.ask(PROMPT), 40, PROBE_REQUESTS);
  const perSecond = Math.round(PROBE_REQUESTS / ((performance.now() - startMs) / 1_000) / 2);
  const random = createRandom(1);
  const samples: { minute: number; rssMib: number; heapMib: number }[] = [];
  for (let minute = 1; minute <= minutes; minute += 1) {
    await arrive(() => caller.ask(PROMPT), { perSecond, durationMs: 60_000, random });
    const rss = server.rssBytes();
    const { heapUsed } = await collected(server);
    samples.push({ minute, rssMib: rss / MIB, heapMib: heapUsed / MIB });
    console.error(`minute ${minute}: ${(rss / MIB).toFixed(1)} MiB, heap ${(heapUsed / MIB).toFixed(1)} MiB`);
  }
  return {
    minutes,
    perSecond,
    samples,
    rssPercentPerHour: trend(samples.map(({ minute, rssMib }) => [minute, rssMib])),
    heapPercentPerHour: trend(samples.map(({ minute, heapMib }) => [minute, heapMib])),
  };
}

/** Least squares over the second half: in the first one caches and pools still fill. */
function trend(all: readonly (readonly [minute: number, value: number])[]): number {
  const points = all.slice(Math.floor(all.length / 2));
  const mean = (place: 0 | 1) => points.reduce((sum, point) => sum + point[place], 0) / points.length;
  const [meanMinute, meanValue] = [mean(0), mean(1)];
  let [above, below] = [0, 0];
  for (const [minute, value] of points) {
    above += (minute - meanMinute) * (value - meanValue);
    below += (minute - meanMinute) ** 2;
  }
  return below === 0 ? Number.NaN : ((above / below) * 60 * 100) / meanValue;
}
