// The providers and the traffic of the simulation.

import { DEFAULT_DEADLINES, type Deployment } from '../../src/domain/model.ts';
import { createRandom, exponential, logNormal } from './random.ts';

/** A simulated deployment and how it behaves. */
export interface Target {
  readonly deployment: Deployment;
  readonly timeToFirstTokenMs: number;
  readonly msPerOutputToken: number;
  /** Spread of both (log-normal). */
  readonly sigma: number;
  /** Share of the calls that fail with a server error. */
  readonly errorRate: number;
  /** Share of the calls that are refused at once with a 429 without a hint. */
  readonly refusalRate: number;
  /** Calls it serves at once; beyond them everybody becomes slower in proportion. */
  readonly comfortable: number;
  /** Nobody answers from the first to the second instant. */
  readonly outageMs?: readonly [fromMs: number, untilMs: number];
}

interface Character extends Omit<Target, 'deployment'> {
  readonly usd: readonly [input: number, output: number];
  readonly quality: number;
}

export const OUTAGE_MS = [180_000, 240_000] as const;
export const DURATION_MS = 480_000;
const REQUESTS_PER_SECOND = 12;

const CALM = { sigma: 0.35, errorRate: 0.005, refusalRate: 0, comfortable: 60, quality: 0.7 };

/** Two quick and dear ones, two usual ones, a slow replica, a bargain, one that mostly refuses, one that breaks down. */
const CHARACTERS: Record<string, Character> = {
  'swift/large': { ...CALM, timeToFirstTokenMs: 300, msPerOutputToken: 8, usd: [3, 15] },
  'brisk/large': { ...CALM, timeToFirstTokenMs: 380, msPerOutputToken: 9, usd: [2.5, 12], errorRate: 0.03 },
  'usual/medium': { ...CALM, timeToFirstTokenMs: 600, msPerOutputToken: 16, usd: [1, 5] },
  'usual-replica/medium': { ...CALM, timeToFirstTokenMs: 3_000, msPerOutputToken: 60, usd: [1, 5] },
  'bargain/small': {
    ...CALM,
    timeToFirstTokenMs: 900,
    msPerOutputToken: 24,
    usd: [0.15, 0.6],
    errorRate: 0.02,
    quality: 0.6,
  },
  'refusing/medium': {
    ...CALM,
    timeToFirstTokenMs: 300,
    msPerOutputToken: 8,
    usd: [0.1, 0.4],
    refusalRate: 0.97,
  },
  'fragile/large': {
    ...CALM,
    timeToFirstTokenMs: 320,
    msPerOutputToken: 8,
    usd: [1, 4],
    outageMs: OUTAGE_MS,
  },
};

export const TARGETS: readonly Target[] = Object.entries(CHARACTERS).map(
  ([id, { usd, quality, ...rest }]) => {
    const [providerId = '', model = ''] = id.split('/');
    const rate = (dollars: number) => [
      { fromTokens: 0, nanoUsdPerMillion: BigInt(Math.round(dollars * 1e9)) },
    ];
    const price = { source: 'bench', input: rate(usd[0]), output: rate(usd[1]) };
    const capabilities = {
      contextWindow: 128_000,
      maxOutputTokens: 8_192,
      assistantPrefill: true,
      customTemperature: true,
    };
    const deployment = { id, providerId, model, capabilities, quality, price };
    return {
      ...rest,
      deployment: {
        ...deployment,
        local: false,
        simulated: false,
        aliases: [],
        deadlines: DEFAULT_DEADLINES,
      },
    };
  },
);

/** One request as it arrives, the same for every strategy. */
export interface Arrival {
  readonly number: number;
  readonly atMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export function traffic(seed: number): Arrival[] {
  const random = createRandom(seed);
  const arrivals: Arrival[] = [];
  for (let atMs = 0; ; ) {
    atMs += exponential(random, 1_000 / REQUESTS_PER_SECOND);
    if (atMs >= DURATION_MS) return arrivals;
    arrivals.push({
      number: arrivals.length,
      atMs,
      inputTokens: Math.round(Math.min(20_000, logNormal(random, 400, 1))),
      outputTokens: Math.max(1, Math.round(Math.min(2_000, logNormal(random, 200, 0.7)))),
    });
  }
}
