// How much a server grows by each idle subscription.

import { setTimeout as wait } from 'node:timers/promises';
import type { Server } from '../gateway/processes.ts';
import { createHolder } from './hold.ts';
import type { Subject } from './subjects.ts';

export interface Usage {
  readonly rss: number;
  readonly heapUsed: number;
  readonly external: number;
}

/** After its garbage is collected. */
export async function collected(server: Server): Promise<Usage> {
  const line = server.says(/^collected (\{.*\})$/);
  process.kill(server.pid, 'SIGUSR2');
  return JSON.parse((await line)[1]!);
}

export interface Weighed {
  readonly name: string;
  readonly perSocket: number;
  readonly subscriptions: number;
  /** KiB for each subscription: of the process, and of its JavaScript heap. */
  readonly rssKib: number;
  readonly heapKib: number;
}

const KIB = 1_024;
/** Opened and closed again before the first look: code is compiled, and pools have their size. */
const WARM_UP = 300;
/** What is under way when all are open: acknowledgements, first pulls. */
const SETTLE_MS = 1_500;

/** At each of the counts in turn, all on the same server. */
export async function weigh(
  start: () => Promise<Subject>,
  counts: readonly number[],
  perSocket: number,
): Promise<Weighed[]> {
  const subject = await start();
  const { name, server, token, subscribing } = subject;
  const holder = createHolder(server.url, token);
  try {
    const warm = createHolder(server.url, token);
    await warm.add(WARM_UP / perSocket, perSocket, subscribing);
    await wait(SETTLE_MS);
    warm.close();
    await wait(SETTLE_MS);
    const before = await collected(server);
    const found: Weighed[] = [];
    let open = 0;
    for (const count of counts) {
      await holder.add((count - open) / perSocket, perSocket, subscribing);
      open = count;
      await wait(SETTLE_MS);
      if (holder.troubles.length > 0) throw new Error(`${name} did not hold: ${holder.troubles[0]}`);
      const { rss, heapUsed } = await collected(server);
      const each = (bytes: number) => bytes / KIB / count;
      found.push({
        name,
        perSocket,
        subscriptions: count,
        rssKib: each(rss - before.rss),
        heapKib: each(heapUsed - before.heapUsed),
      });
    }
    return found;
  } finally {
    holder.close();
    await subject.stop();
  }
}
