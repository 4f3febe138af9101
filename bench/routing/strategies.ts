// Our four strategies and the three that others run, as ways to order the deployments for a request. The others get
// the same filters (breakers, cooldowns), so that only the choice is compared.

import {
  type CandidateState,
  type RouteQuery,
  type RoutingStrategy,
  route,
} from '../../src/domain/routing.ts';

export const OURS: readonly RoutingStrategy[] = ['BALANCED', 'COST', 'RELIABILITY', 'PERFORMANCE'];
export const BASELINES = ['round-robin', 'random', 'least-latency'] as const;
export const STRATEGIES = [...OURS, ...BASELINES] as const;
export type Strategy = (typeof STRATEGIES)[number];

export interface Decider {
  /** Ids in the order in which they are tried. */
  order(inputTokens: number, states: readonly CandidateState[], nowMs: number): string[];
}

const QUERY = {
  taskType: 'CHAT',
  preferLocal: false,
  requestedModel: undefined,
  maxOutputTokens: undefined,
} as const;

export function createDecider(strategy: Strategy, random: () => number): Decider {
  const decide = (
    asked: RoutingStrategy,
    inputTokens: number,
    states: readonly CandidateState[],
    nowMs: number,
  ) => {
    const query: RouteQuery = { ...QUERY, strategy: asked, inputTokens };
    return route(query, states, nowMs, random).candidates.map(candidate => candidate.deploymentId);
  };
  let turn = 0;
  return {
    order(inputTokens, states, nowMs) {
      const ours = OURS.find(name => name === strategy);
      if (ours) return decide(ours, inputTokens, states, nowMs);
      const admitted = new Set(decide('BALANCED', inputTokens, states, nowMs));
      const able = states.filter(state => admitted.has(state.deployment.id));
      const shift = (by: number) => [...able.slice(by % able.length), ...able.slice(0, by % able.length)];
      const ordered =
        strategy === 'round-robin'
          ? shift(turn++)
          : strategy === 'random'
            ? able
                .map(state => ({ state, key: random() }))
                .sort((a, b) => a.key - b.key)
                .map(({ state }) => state)
            : [...able].sort((a, b) => latency(a) - latency(b));
      return ordered.map(state => state.deployment.id);
    },
  };
}

/** As the usual implementations have it: what was never measured is 0 and therefore tried. */
function latency({ timeToFirstTokenMs = 0, msPerOutputToken = 0 }: CandidateState): number {
  return timeToFirstTokenMs + 200 * msPerOutputToken;
}
