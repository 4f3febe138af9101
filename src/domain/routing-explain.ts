// A routing decision in one sentence for people. It says only what is true of the decision that is stored with it.

import type { RouteQuery, RoutingRejection } from './routing.ts';
import type { Choice, ChoiceRule, GroupRule } from './routing-choice.ts';

export function explain(query: RouteQuery, choice: Choice, rejections: readonly RoutingRejection[]): string {
  const [first, second] = choice.candidates;
  if (!first) return explainNone(rejections);
  if (choice.rule === 'last-resort')
    return `${first.deploymentId} only: nobody can serve this now, and of those whose breaker is open it has the least time left, so it gets one call before the end of it.`;
  const full = choice.candidates.filter(each => each.heldBack === 'FULL').map(each => each.deploymentId);
  if (full.length === choice.candidates.length)
    return `No room at ${full.join(', ')}: the request waits for the first call there to end.`;
  const next = second ? `${second.deploymentId} is next` : 'there is no other candidate';
  if (choice.rule === 'probe')
    return `${first.deploymentId} first: its breaker is half-open, and this request is its probe; ${next}.`;
  if (!second) return `${first.deploymentId} first: there is no other candidate.`;
  const why = because(query, choice, first.deploymentId);
  const reasons = full.length > 0 ? [why, `no room at ${full.join(', ')}`] : [why];
  return `${first.deploymentId} first: ${reasons.filter(Boolean).join('; ')}; ${next}.`;
}

function explainNone(rejections: readonly RoutingRejection[]): string {
  const reasons = rejections.filter(rejection => rejection.reason !== 'NOT_REQUESTED');
  const shown = (reasons.length > 0 ? reasons : rejections).slice(0, 3);
  return `No deployment can serve this: ${shown.map(r => `${r.deploymentId} (${r.detail})`).join('; ') || 'none is configured'}.`;
}

const REASON: Record<GroupRule, (query: RouteQuery) => string> = {
  order: ({ requestedModel }) => `ahead of the others in ${requestedModel}`,
  local: () => 'local, as preferred',
  tier: ({ taskType }) => `of the more capable ones, as ${taskType} asks`,
};

function because(query: RouteQuery, { rule, drawn, setApart }: Choice, first: string): string {
  const [one, other] = drawn;
  const apart = setApart && REASON[setApart](query);
  const how: Record<ChoiceRule, string | undefined> = {
    none: undefined,
    alone: undefined,
    'others-held-back': 'the others like it have enough to do, or must prove themselves first',
    ahead: `no other comes near its score under ${query.strategy}`,
    two: `two drawn: ${one}, ${other}; ${first} has the lower score under ${query.strategy}`,
    tie: `two drawn: ${one}, ${other}; they score the same under ${query.strategy}, and ${first} was drawn first`,
    shares: `drawn by its share in ${query.requestedModel}`,
    probe: undefined,
    'last-resort': undefined,
    explored: 'drawn to learn how it does, which a request of low priority may be used for',
  };
  return [apart, how[rule]].filter(part => part !== undefined).join('; ');
}
