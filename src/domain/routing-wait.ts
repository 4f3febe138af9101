// When nobody can serve at this moment: how long until somebody may, and who is asked all the same. An open breaker may
// be wrong by now, so the one with the least time left gets one call before its time instead of a refusal.

import type { CandidateState, RouteQuery } from './routing.ts';
import { reject } from './routing-filter.ts';

export interface Wait {
  /** Until the first one may serve; undefined: time alone brings nobody. */
  readonly retryAfterMs: number | undefined;
  /** Undefined: the call was given already, or no breaker will let a probe through by itself. */
  readonly lastResort: CandidateState | undefined;
}

export function waitFor(
  query: RouteQuery,
  states: readonly CandidateState[],
  realExists: boolean,
  nowMs: number,
): Wait {
  const cooldownOf = ({ cooldownUntilMs }: CandidateState) => Math.max(0, (cooldownUntilMs ?? 0) - nowMs);
  const breakerOf = ({ admits, retryAfterMs }: CandidateState) => (admits ? 0 : retryAfterMs);
  const waiting = states.flatMap(state => {
    const breakerMs = breakerOf(state);
    const otherwise = reject(
      query,
      { ...state, admits: true, cooldownUntilMs: undefined },
      realExists,
      nowMs,
    );
    if (otherwise || breakerMs === undefined) return [];
    return [{ state, breakerMs, waitMs: Math.max(breakerMs, cooldownOf(state)) }];
  });
  const open = waiting.filter(({ state }) => !state.admits && cooldownOf(state) === 0);
  const [soonest] = open.sort((a, b) => a.breakerMs - b.breakerMs);
  const shortestMs = Math.min(...waiting.map(({ waitMs }) => waitMs));
  return {
    retryAfterMs: waiting.length > 0 ? shortestMs : undefined,
    lastResort: soonest?.state.lastResort ? soonest.state : undefined,
  };
}
