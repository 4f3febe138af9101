// How much of what requests allocate grows old: copied into the old generation, where it stays until the next major
// collection, wanted or not. It is what minor collections spend their time on, and a pause for all who are being served.

import { socketCaller } from '../gateway/clients.ts';
import { WARM_UP_REQUESTS } from '../gateway/lineup.ts';
import { arrive, repeat } from '../measure/load.ts';
import { createRandom } from '../routing/random.ts';
import { startRoomy } from './subjects.ts';

export interface Aged {
  readonly perSecond: number;
  /** Of each request. */
  readonly allocatedKib: number;
  readonly agedKib: number;
  /** Of a minor collection, on average. */
  readonly pauseMs: number;
}

const PROMPT = 'tokens=16 every=0';
const PER_SECOND = 200;
const DURATION_MS = 15_000;

export async function age(upstream: string): Promise<Aged> {
  const server = await startRoomy(upstream, ['--trace-gc-nvp']);
  const caller = await socketCaller(server, 8);
  try {
    await repeat(() => caller.ask(PROMPT), 40, WARM_UP_REQUESTS);
    const collections: string[] = [];
    server.listen(line => {
      if (line.includes(' gc=s ')) collections.push(line);
    });
    let requests = 0;
    const ask = () => {
      requests += 1;
      return caller.ask(PROMPT);
    };
    await arrive(ask, { perSecond: PER_SECOND, durationMs: DURATION_MS, random: createRandom(1) });
    const sumOf = (name: string) =>
      collections.reduce((sum, line) => sum + Number(new RegExp(` ${name}=([\\d.]+)`).exec(line)?.[1]), 0);
    return {
      perSecond: PER_SECOND,
      allocatedKib: sumOf('allocated') / 1_024 / requests,
      agedKib: sumOf('promoted') / 1_024 / requests,
      pauseMs: sumOf('pause') / collections.length,
    };
  } finally {
    await caller.close();
    await server.stop();
  }
}
