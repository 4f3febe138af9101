// Deployments, their states and decisions over them, for tests of routing.

import { DEFAULT_DEADLINES, type Deployment } from '../../src/domain/model.ts';
import { type CandidateState, type RouteQuery, route } from '../../src/domain/routing.ts';

export const NOW = Date.parse('2026-11-01T00:00:00Z');

export function deployment(id: string, usdPerMillion: number, change: Partial<Deployment> = {}): Deployment {
  const rate = [{ fromTokens: 0, nanoUsdPerMillion: BigInt(usdPerMillion * 1e9) }];
  const [providerId = '', model = ''] = id.split('/');
  return {
    id,
    providerId,
    model,
    capabilities: {
      contextWindow: 100_000,
      maxOutputTokens: 8_000,
      assistantPrefill: true,
      customTemperature: true,
    },
    quality: 0.5,
    price: { source: 'test', input: rate, output: rate },
    local: false,
    simulated: false,
    aliases: [],
    deadlines: DEFAULT_DEADLINES,
    ...change,
  };
}

export function state(of: Deployment, change: Partial<CandidateState> = {}): CandidateState {
  return {
    deployment: of,
    admits: true,
    unavailable: undefined,
    cooldownUntilMs: undefined,
    timeToFirstTokenMs: undefined,
    msPerOutputToken: undefined,
    successRate: 1,
    inFlight: 0,
    ...change,
  };
}

export const QUERY: RouteQuery = {
  taskType: 'CHAT',
  strategy: 'BALANCED',
  preferLocal: false,
  requestedModel: undefined,
  inputTokens: 100,
  maxOutputTokens: undefined,
};

export const decide = (query: Partial<RouteQuery>, states: readonly CandidateState[], draw = 0.5) =>
  route({ ...QUERY, ...query }, states, NOW, () => draw);

/** How often each deployment is chosen over `count` draws that cover [0, 1) evenly. */
export function chosenOver(
  count: number,
  query: Partial<RouteQuery>,
  states: readonly CandidateState[],
): Record<string, number> {
  const times: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const chosen = decide(query, states, (index + 0.5) / count).chosen ?? 'none';
    times[chosen] = (times[chosen] ?? 0) + 1;
  }
  return times;
}
