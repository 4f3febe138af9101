// The calls made for a request.

import { ATTEMPT_FAULTS } from '../../domain/fault.ts';
import { toGlobalId } from '../../domain/ids.ts';
import type { Attempt } from '../../domain/request.ts';
import { builder } from '../builder.ts';
import { AttemptOutcomeEnum } from './enums.ts';
import { DeploymentType, deploymentOf } from './provider.ts';
import { RequestErrorType, UsageType } from './usage.ts';

export const AttemptType = builder.objectRef<Attempt>('Attempt').implement({
  description: 'One call of one deployment: what is billed.',
  fields: t => ({
    id: t.id({ description: 'Opaque and unique.', resolve: attempt => toGlobalId('attempt', attempt.id) }),
    number: t.exposeInt('number', { description: '1, 2, … within the request.' }),
    deploymentId: t.exposeID('deploymentId', { description: 'Whom it called, kept for ever.' }),
    deployment: t.field({
      type: DeploymentType,
      nullable: true,
      description: 'Whom it called, as it is now; null when it is no longer offered.',
      resolve: (attempt, _args, context) => deploymentOf(context, attempt.deploymentId),
    }),
    model: t.exposeString('model', { description: "The model's name that was sent." }),
    servedModel: t.exposeString('servedModel', {
      nullable: true,
      description: 'The model the provider says it used.',
    }),
    outcome: t.field({
      type: AttemptOutcomeEnum,
      description: 'How it ended.',
      resolve: attempt => attempt.outcome,
    }),
    error: t.expose('error', {
      type: RequestErrorType,
      nullable: true,
      description: 'Why it did not succeed.',
    }),
    fault: t.exposeString('fault', {
      nullable: true,
      description: `What exactly went wrong, more finely than the code: ${ATTEMPT_FAULTS.map(fault => `\`${fault}\``).join(', ')}. Null unless it FAILED, and for attempts from before this was kept.`,
    }),
    finishReason: t.exposeString('finishReason', {
      nullable: true,
      description: 'Why the answer ended; see `ModelRequest.finishReason`.',
    }),
    providerResponseId: t.exposeString('providerResponseId', {
      nullable: true,
      description: "The provider's own id of its answer, for its support.",
    }),
    usage: t.expose('usage', {
      type: UsageType,
      nullable: true,
      description:
        'Its tokens, as the provider reported them, else `estimated`: of a call that was broken off after the provider had begun to answer, the prompt and what text came. Null when nothing is billed.',
    }),
    cost: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'USD; null when its price or its tokens are not known.',
      resolve: attempt => attempt.costNanoUsd,
    }),
    reserved: t.field({
      type: 'Decimal',
      nullable: true,
      description:
        'USD that its budgets count as spent for it, because it is LOST: the most that it can have cost. Null otherwise.',
      resolve: attempt => attempt.reservedNanoUsd,
    }),
    priceSource: t.exposeString('priceSource', {
      nullable: true,
      description: 'Where its price comes from.',
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the call began.' }),
    timeToFirstTokenMs: t.field({
      type: 'Int',
      nullable: true,
      description: 'Milliseconds from its start to the first token; null when none came.',
      resolve: attempt => attempt.timeToFirstTokenMs && Math.round(attempt.timeToFirstTokenMs),
    }),
    durationMs: t.int({
      description: 'Milliseconds that it took.',
      resolve: attempt => Math.round(attempt.durationMs),
    }),
  }),
});
