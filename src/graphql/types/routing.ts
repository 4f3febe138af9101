// Why a request runs where it runs, and what it would cost where.

import type { RoutingCandidate, RoutingDecision, RoutingRejection, RunnerUp } from '../../domain/routing.ts';
import type { CostEstimate } from '../../gateway/gateway.ts';
import { builder } from '../builder.ts';
import {
  HeldBackReasonEnum,
  RejectionReasonEnum,
  RoutingStrategyEnum,
  SelectionReasonEnum,
} from './enums.ts';
import { DeploymentType, deploymentOf } from './provider.ts';

const RoutingTermsType = builder.objectRef<RoutingCandidate['terms']>('RoutingTerms').implement({
  description: 'The parts of a score; it is their sum. Lower is better.',
  fields: t => ({
    latency: t.exposeFloat('latency', { description: 'For the time it takes, and for failures lately.' }),
    cost: t.exposeFloat('cost', { description: 'For its price.' }),
    quality: t.exposeFloat('quality', { description: 'For what it lacks in quality.' }),
  }),
});

const RoutingCandidateType = builder.objectRef<RoutingCandidate>('RoutingCandidate').implement({
  description: 'A deployment that can serve the request.',
  fields: t => ({
    deploymentId: t.exposeID('deploymentId', {
      description: 'Its id, kept even when it is no longer offered.',
    }),
    deployment: t.field({
      type: DeploymentType,
      nullable: true,
      description: 'The deployment as it is now; null when it is no longer offered.',
      resolve: (candidate, _args, context) => deploymentOf(context, candidate.deploymentId),
    }),
    score: t.exposeFloat('score', { description: 'The sum of `terms`; the lowest comes first.' }),
    terms: t.expose('terms', { type: RoutingTermsType, description: 'What the score is made of.' }),
    local: t.exposeBoolean('local', { description: 'Whether it ran on own hardware.' }),
    estimatedCost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'USD for the estimated tokens; null when its price is not known.',
      resolve: candidate => candidate.estimatedCostNanoUsd,
    }),
    estimatedDurationMs: t.exposeInt('estimatedDurationMs', {
      description: 'Milliseconds that the estimated answer should take.',
    }),
    heldBack: t.field({
      type: HeldBackReasonEnum,
      nullable: true,
      description: 'Why it was not drawn although it can serve; null when it could have been.',
      resolve: candidate => candidate.heldBack,
    }),
    selected: t.field({
      type: SelectionReasonEnum,
      nullable: true,
      description: 'Why it is tried first whatever its score; null when its score or the draw decided.',
      resolve: candidate => candidate.selected,
    }),
  }),
});

const RoutingRunnerUpType = builder.objectRef<RunnerUp>('RoutingRunnerUp').implement({
  description: 'The deployment that serves when the chosen one does not.',
  fields: t => ({
    deploymentId: t.exposeID('deploymentId', {
      description: 'Its id, kept even when it is no longer offered.',
    }),
    estimatedCost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'USD that it would have cost for the estimated tokens; null when its price is not known.',
      resolve: runnerUp => runnerUp.estimatedCostNanoUsd,
    }),
  }),
});

const RoutingRejectionType = builder.objectRef<RoutingRejection>('RoutingRejection').implement({
  description: 'A deployment that cannot serve the request, and why.',
  fields: t => ({
    deploymentId: t.exposeID('deploymentId', {
      description: 'Its id, kept even when it is no longer offered.',
    }),
    reason: t.field({
      type: RejectionReasonEnum,
      description: 'Why, as one of a closed set.',
      resolve: rejection => rejection.reason,
    }),
    detail: t.exposeString('detail', { description: 'Why, for people.' }),
  }),
});

export const RoutingDecisionType = builder.objectRef<RoutingDecision>('RoutingDecision').implement({
  description: 'Where a request runs, and why: who was considered, what each scored, who was rejected.',
  fields: t => ({
    strategy: t.field({
      type: RoutingStrategyEnum,
      description: 'What was weighed most.',
      resolve: decision => decision.strategy,
    }),
    chosen: t.field({
      type: RoutingCandidateType,
      nullable: true,
      description: 'The candidate that is tried first; null when there is none.',
      resolve: decision => decision.candidates[0],
    }),
    draw: t.exposeFloat('draw', {
      nullable: true,
      description:
        'The random number from 0 to 1 that was used; the same number and state give the same choice. Null: chance had no part in it.',
    }),
    drawn: t.field({
      type: ['ID'],
      description:
        'Deployments drawn with it: two that were compared, or one that was taken as drawn. Behind a probe they are for the second place.',
      resolve: decision => [...decision.drawn],
    }),
    runnerUp: t.expose('runnerUp', {
      type: RoutingRunnerUpType,
      nullable: true,
      description: 'Who is tried second, and what that would have cost; null when there is nobody.',
    }),
    candidates: t.field({
      type: [RoutingCandidateType],
      description: 'Who can serve it, in the order in which they are tried.',
      resolve: decision => [...decision.candidates],
    }),
    rejections: t.field({
      type: [RoutingRejectionType],
      description: 'Who cannot serve it.',
      resolve: decision => [...decision.rejections],
    }),
    retryAfterMs: t.exposeInt('retryAfterMs', {
      nullable: true,
      description:
        'While nobody can serve: milliseconds until somebody may. Null when somebody can, or when it is not known.',
    }),
    estimatedInputTokens: t.exposeInt('estimatedInputTokens', { description: 'Our estimate of the prompt.' }),
    estimatedOutputTokens: t.exposeInt('estimatedOutputTokens', {
      description: 'The length of answer that costs and times are estimated for.',
    }),
    decidedAt: t.expose('decidedAt', { type: 'DateTime', description: 'When it was decided.' }),
    explanation: t.exposeString('explanation', { description: 'The decision in one sentence.' }),
  }),
});

export const CostEstimateType = builder.objectRef<CostEstimate>('CostEstimate').implement({
  description: 'What one deployment would take for a request.',
  fields: t => ({
    deploymentId: t.exposeID('deploymentId', { description: 'The id of the deployment.' }),
    deployment: t.field({
      type: DeploymentType,
      nullable: true,
      description: 'The deployment; null when it was withdrawn just now.',
      resolve: (estimate, _args, context) => deploymentOf(context, estimate.deploymentId),
    }),
    inputTokens: t.exposeInt('inputTokens', { description: 'Tokens of the prompt, as estimated.' }),
    maxOutputTokens: t.exposeInt('maxOutputTokens', { description: 'The longest answer it could give.' }),
    cost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'USD at most, for the longest answer; null when its price is not known.',
      resolve: estimate => estimate.costNanoUsd,
    }),
    typicalCost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'USD for an answer of typical length; null when its price is not known.',
      resolve: estimate => estimate.typicalCostNanoUsd,
    }),
    rejection: t.exposeString('rejection', {
      nullable: true,
      description: 'Why routing would not take it; null when it would.',
    }),
  }),
});
