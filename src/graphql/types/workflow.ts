// Workflows as they are: the steps of a request, how far they have come, what they have cost.

import { isTerminal } from '../../domain/request.ts';
import { hasEnded } from '../../domain/workflow.ts';
import type { RunDescription } from '../../workflows/workflows.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { ModelRequestType } from './request.ts';
import { stepSpending } from './spending.ts';
import { stepsOfRun, WorkflowStepType } from './workflow-step.ts';

const WorkflowProgressType = builder.objectRef<RunDescription>('WorkflowProgress').implement({
  description: 'How far a workflow has come. A list counts as one step.',
  fields: t => ({
    total: t.int({ description: 'Steps in all.', resolve: run => run.spec.steps.length }),
    ended: t.int({
      description: 'Steps that have come to an end, skipped ones included.',
      resolve: run => run.steps.filter(({ status }) => hasEnded(status)).length,
    }),
    running: t.int({
      description: 'Steps that are under way.',
      resolve: run => run.steps.filter(({ status }) => status === 'RUNNING').length,
    }),
    waiting: t.int({
      description: 'Steps that wait for a person.',
      resolve: run => run.steps.filter(({ status }) => status === 'WAITING').length,
    }),
    percent: t.int({
      description: '0 to 100.',
      resolve: ({ spec, steps }) =>
        spec.steps.length === 0
          ? 0
          : Math.floor((100 * steps.filter(({ status }) => hasEnded(status)).length) / spec.steps.length),
    }),
  }),
});

const WorkflowType = builder.objectRef<RunDescription>('Workflow').implement({
  description: 'The steps of a request, and how far they have come.',
  fields: t => ({
    steps: t.field({
      type: [WorkflowStepType],
      description: 'All of them, in the order of the definition. A plan adds those that it makes.',
      resolve: stepsOfRun,
    }),
    step: t.field({
      type: WorkflowStepType,
      nullable: true,
      description: 'The step with this id.',
      args: { id: t.arg.id({ required: true, description: 'As in `WorkflowStep.id`.' }) },
      resolve: (run, { id }) => stepsOfRun(run).find(({ spec }) => spec.id === id),
    }),
    progress: t.field({
      type: WorkflowProgressType,
      description: 'How far it has come.',
      resolve: run => run,
    }),
    pausedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is paused; null when it is not.',
      resolve: run => run.pausedAt,
    }),
    cost: t.field({
      type: 'Decimal',
      nullable: true,
      complexity: 2,
      description: 'USD of all its requests so far; null when a part has no known price.',
      resolve: async ({ request }, _args, context) => (await stepSpending(request, context))?.costNanoUsd,
    }),
    inputTokens: t.int({
      complexity: 2,
      description: 'Tokens sent so far, over all steps.',
      resolve: async ({ request }, _args, context) =>
        (await stepSpending(request, context))?.usage?.inputTokens ?? 0,
    }),
    outputTokens: t.int({
      complexity: 2,
      description: 'Tokens answered so far, over all steps.',
      resolve: async ({ request }, _args, context) =>
        (await stepSpending(request, context))?.usage?.outputTokens ?? 0,
    }),
    estimatedRemainingMs: t.int({
      nullable: true,
      description:
        'Milliseconds until the end, estimated from the steps that have ended and the longest chain of those that have not. Null before one has ended, while it waits for a person, and at the end.',
      resolve: (run, _args, context) =>
        isTerminal(run.request.status) ? undefined : context.workflows.remaining(run).ms,
    }),
    estimatedRemainingCost: t.field({
      type: 'Decimal',
      nullable: true,
      complexity: 5,
      description:
        'USD that the steps still to be made are likely to take, for answers of typical length; a list counts as one until its elements are known. Null at the end, and when a price is unknown.',
      resolve: (run, _args, context) =>
        isTerminal(run.request.status) ? undefined : context.workflows.remaining(run).costNanoUsd,
    }),
  }),
});

builder.objectFields(ModelRequestType, t => ({
  workflow: t.field({
    type: WorkflowType,
    nullable: true,
    complexity: 5,
    description: 'Its steps; null unless `taskType` is WORKFLOW.',
    resolve: (request, _args, context) => context.workflows.describe(request),
  }),
  parent: t.field({
    type: ModelRequestType,
    nullable: true,
    description: 'The request whose workflow it is a step of; null for all others.',
    resolve: (request, _args, context) =>
      request.parentId === undefined
        ? undefined
        : context.gateway.request(actorOf(context), request.parentId),
  }),
  step: t.exposeString('step', {
    nullable: true,
    description: 'Which step of that workflow: its id, with `[index]` for an element of a list.',
  }),
}));
