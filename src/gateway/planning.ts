// From a submission to a routing decision: what is known of every deployment right now, handed to the pure rule.

import type { Catalog } from '../control/catalog.ts';
import { type BudgetRules, DEFAULT_BUDGET_RULES } from '../domain/budget.ts';
import { DomainError } from '../domain/errors.ts';
import type { RequestSpec } from '../domain/request.ts';
import {
  type CandidateState,
  matchesModel,
  outputLimit,
  type RoutingDecision,
  type RoutingRejection,
  route,
} from '../domain/routing.ts';
import { costOf, estimateTokens, type Usage } from '../domain/usage.ts';
import type { Clock } from '../lib/clock.ts';
import type { Reservation } from '../store/store.ts';
import type { Breakers } from './breakers.ts';
import { callFor, maxCostOfCall, maxInputTokensOf } from './call.ts';
import type { Drains } from './drains.ts';
import type { CostEstimate } from './gateway.ts';
import type { Health } from './health.ts';

/** Tokens that wrap each message in the chat formats of the providers; an estimate. */
const TOKENS_PER_MESSAGE = 4;

/** Why a deployment is left out that may be a candidate soon, with nobody doing anything. */
export const PASSING_REJECTIONS: ReadonlySet<string> = new Set(['BREAKER_OPEN', 'COOLDOWN']);

interface DecideOptions {
  /** It was offered when the request was accepted. */
  readonly modelMayBeGone?: boolean;
  /** It falls under a budget. */
  readonly budgeted?: boolean;
}

export interface Planning {
  /** Throws BAD_USER_INPUT for a model nobody offers. */
  refuseUnknown(model: string): void;
  /**
   * Throws BAD_USER_INPUT for a model nobody offers, unless it may be gone. A decision without candidates is not an error
   * here.
   */
  decide(spec: RequestSpec, options?: DecideOptions): RoutingDecision;
  /** What a request is to hold of its budgets: for its first candidate, and at least for its cheapest. */
  reservationFor(spec: RequestSpec, decision: RoutingDecision): Reservation;
  /**
   * Throws NO_ROUTE when the decision has no candidate, with `retryAfterMs` where that is known. It does not while
   * somebody only has too much to do: that may be over by the time the request has its turn.
   */
  refuseHopeless(decision: RoutingDecision): void;
  estimate(spec: RequestSpec): CostEstimate[];
}

export function createPlanning(deps: {
  catalog: Catalog;
  breakers: Breakers;
  health: Health;
  /** Absent: nothing is drained. */
  drains?: Pick<Drains, 'of'>;
  /** Absent: the default ones. */
  budgetRules?: BudgetRules;
  clock: Clock;
  /** In [0, 1); decides between deployments that are about as good. */
  random?: () => number;
}): Planning {
  const { catalog, breakers, health, drains, clock, random = Math.random } = deps;
  const rules = deps.budgetRules ?? DEFAULT_BUDGET_RULES;
  breakers.onTransition(({ deploymentId, to }) => {
    if (to === 'CLOSED') health.startRamp(deploymentId);
  });

  function states(): CandidateState[] {
    return catalog.providers().flatMap(provider => {
      const usable = provider.status !== 'UNAVAILABLE' && provider.status !== 'MISCONFIGURED';
      const unavailable = usable ? undefined : (provider.statusReason ?? `${provider.id} cannot be reached`);
      return provider.deployments.map(deployment => ({
        deployment,
        unavailable,
        drained: drains?.of(deployment.id)?.reason,
        ...breakers.outlook(deployment.id),
        ...health.read(deployment.id),
      }));
    });
  }

  const refuseUnknown = (model: string) => refuseUnoffered(model, catalog);

  function decide(spec: RequestSpec, options: DecideOptions = {}): RoutingDecision {
    const { model } = spec;
    if (model !== undefined && !options.modelMayBeGone) refuseUnknown(model);
    const query = {
      taskType: spec.taskType,
      strategy: spec.strategy,
      preferLocal: spec.preferLocal,
      requestedModel: model,
      inputTokens: estimateInputTokens(spec),
      maxOutputTokens: spec.maxOutputTokens,
      structuredOutput: spec.outputSchema !== undefined,
      priority: spec.priority,
      pricedOnly: options.budgeted && !rules.allowUnpriced,
    };
    return route(query, states(), clock.now(), random);
  }

  return {
    decide,
    refuseUnknown,
    reservationFor: (spec, decision) => reservationFor(spec, decision, { catalog, rules }),
    refuseHopeless(decision) {
      if (decision.candidates.length > 0) return;
      const { rejections, explanation, retryAfterMs } = decision;
      const isBusy = ({ reason }: RoutingRejection) =>
        reason !== 'BREAKER_OPEN' && PASSING_REJECTIONS.has(reason);
      if (!rejections.some(isBusy)) throw new DomainError('NO_ROUTE', explanation, { retryAfterMs });
    },
    estimate(spec) {
      const decision = decide(spec);
      const rejections = new Map(decision.rejections.map(rejection => [rejection.deploymentId, rejection]));
      return catalog
        .deployments()
        .filter(deployment => rejections.get(deployment.id)?.reason !== 'NOT_REQUESTED')
        .map(deployment => {
          const inputTokens = decision.estimatedInputTokens;
          const maxOutputTokens = outputLimit(deployment.capabilities, spec.maxOutputTokens, inputTokens);
          const cost = (outputTokens: number) =>
            costOf(estimated(inputTokens, outputTokens), deployment.price);
          return {
            deploymentId: deployment.id,
            inputTokens,
            maxOutputTokens,
            costNanoUsd: cost(maxOutputTokens),
            typicalCostNanoUsd: cost(Math.min(maxOutputTokens, decision.estimatedOutputTokens)),
            rejection: rejections.get(deployment.id)?.detail,
          };
        });
    },
  };
}

function reservationFor(
  spec: RequestSpec,
  decision: RoutingDecision,
  { catalog, rules }: { readonly catalog: Catalog; readonly rules: BudgetRules },
): Reservation {
  const asked = { requestId: '', spec, decision, allowance: rules };
  let inputTokens: number | undefined;
  const amounts = reservedFor(decision).map(id => {
    const deployment = catalog.deployment(id);
    if (!deployment) return 0n;
    const call = callFor(asked, deployment, undefined);
    inputTokens ??= maxInputTokensOf(call);
    return maxCostOfCall(call, deployment, inputTokens) ?? 0n;
  });
  const [wantedNanoUsd = 0n, ...others] = amounts;
  const leastNanoUsd = others.reduce((least, each) => (each < least ? each : least), wantedNanoUsd);
  return { wantedNanoUsd, leastNanoUsd };
}

/** Who may serve it, or, when nobody can at this moment, who may when it has its turn. */
function reservedFor({ candidates, rejections }: RoutingDecision): readonly string[] {
  const ids = candidates.map(({ deploymentId }) => deploymentId);
  if (ids.length > 0) return ids;
  return rejections.filter(({ reason }) => PASSING_REJECTIONS.has(reason)).map(each => each.deploymentId);
}

/** About how many tokens the prompt takes; the provider's own count is the truth afterwards. */
export function estimateInputTokens(spec: Pick<RequestSpec, 'messages' | 'system' | 'outputSchema'>): number {
  const texts = [...(spec.system ? [spec.system] : []), ...spec.messages.map(message => message.content)];
  if (spec.outputSchema) texts.push(JSON.stringify(spec.outputSchema));
  return texts.reduce((sum, text) => sum + estimateTokens(text) + TOKENS_PER_MESSAGE, 0);
}

/** Usage as we guess it, marked as a guess. */
export function estimated(inputTokens: number, outputTokens: number): Usage {
  return { inputTokens, outputTokens, cachedInputTokens: 0, cacheWriteTokens: 0, estimated: true };
}

function refuseUnoffered(model: string, catalog: Catalog): void {
  if (catalog.deployments().some(deployment => matchesModel(deployment, model))) return;
  throw new DomainError(
    'BAD_USER_INPUT',
    `model "${model}" is not offered here; providers { deployments { id } } lists what is`,
    { details: { argument: 'model' } },
  );
}
