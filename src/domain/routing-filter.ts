// Who can serve a request at all, and for the others the reason why not.

import type { AliasPlace, Deployment } from './model.ts';
import type { CandidateState, RouteQuery, RoutingRejection } from './routing.ts';

const TAG = 'tag:';

/** Does the name in a request's `model` mean this deployment? By id, model name, provider, alias or tag. */
export function matchesModel(deployment: Deployment, requestedModel: string): boolean {
  return (
    deployment.id === requestedModel ||
    deployment.model === requestedModel ||
    `${deployment.providerId}/*` === requestedModel ||
    deployment.aliases.includes(requestedModel) ||
    (requestedModel.startsWith(TAG) && (deployment.tags?.includes(requestedModel.slice(TAG.length)) ?? false))
  );
}

/** Its place in the requested alias, when that prescribes one. */
export function placeIn(query: RouteQuery, { aliasPlaces }: Deployment): AliasPlace | undefined {
  return aliasPlaces?.find(place => place.alias === query.requestedModel);
}

/** Named itself, and not only as one of all that a provider or a tag has. */
function isNamed(deployment: Deployment, requestedModel: string | undefined): boolean {
  if (requestedModel === undefined || requestedModel === `${deployment.providerId}/*`) return false;
  return !requestedModel.startsWith(TAG);
}

type Rejection = Omit<RoutingRejection, 'deploymentId'>;

export function reject(
  query: RouteQuery,
  state: CandidateState,
  realExists: boolean,
  nowMs: number,
): Rejection | undefined {
  return rejectForGood(query, state.deployment, realExists) ?? rejectForNow(state, nowMs);
}

function rejectForGood(
  query: RouteQuery,
  deployment: Deployment,
  realExists: boolean,
): Rejection | undefined {
  const { contextWindow, maxOutputTokens, structuredOutput } = deployment.capabilities;
  if (query.requestedModel !== undefined) {
    if (!matchesModel(deployment, query.requestedModel))
      return { reason: 'NOT_REQUESTED', detail: `the request asks for ${query.requestedModel}` };
  } else if (deployment.simulated && realExists)
    return {
      reason: 'SIMULATED',
      detail: 'simulated answers are only given while no real provider is configured',
    };
  if (deployment.weight === 0 && !isNamed(deployment, query.requestedModel))
    return { reason: 'POLICY', detail: 'its weight is 0: it is used only when it is named' };
  if (query.structuredOutput && structuredOutput === false)
    return { reason: 'NOT_SUPPORTED', detail: 'it does not answer in JSON of a schema' };
  if (query.inputTokens >= contextWindow)
    return {
      reason: 'CONTEXT_TOO_LONG',
      detail: `about ${query.inputTokens} tokens of prompt, room for ${contextWindow}`,
    };
  if (query.maxOutputTokens !== undefined && query.maxOutputTokens > maxOutputTokens)
    return {
      reason: 'OUTPUT_TOO_LONG',
      detail: `${query.maxOutputTokens} tokens asked for, ${maxOutputTokens} at most`,
    };
  if (query.pricedOnly && !deployment.price)
    return { reason: 'UNPRICED', detail: 'its price is unknown, and a budget applies' };
  return undefined;
}

function rejectForNow(state: CandidateState, nowMs: number): Rejection | undefined {
  if (state.drained !== undefined)
    return { reason: 'DRAINED', detail: `an administrator drained it: ${state.drained}` };
  if (state.unavailable !== undefined) return { reason: 'PROVIDER_UNAVAILABLE', detail: state.unavailable };
  if (!state.admits) return { reason: 'BREAKER_OPEN', detail: 'its circuit breaker is open' };
  if (state.cooldownUntilMs !== undefined && state.cooldownUntilMs > nowMs)
    return { reason: 'COOLDOWN', detail: `rate limited for another ${state.cooldownUntilMs - nowMs} ms` };
  return undefined;
}
