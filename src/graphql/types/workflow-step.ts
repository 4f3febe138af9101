// The steps of a workflow as they stand.

import type { ModelRequest } from '../../domain/request.ts';
import { pendingState, type StepSpec, type StepState } from '../../domain/workflow.ts';
import type { RunDescription } from '../../workflows/workflows.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { createLoader } from '../loading.ts';
import { StepKindEnum, StepStatusEnum } from './enums.ts';
import { CONTENT, ModelRequestType, reading } from './request.ts';
import { RequestErrorType } from './usage.ts';

/** A step, and the request whose workflow it is. */
interface RunStep {
  readonly run: Pick<RunDescription, 'request'>;
  readonly spec: StepSpec;
  readonly state: StepState;
}

const requests = createLoader((ids, context) => context.store.requests.byIds(ids));
/** For all steps of a run at once. */
const spendingOfSteps = createLoader((ids, context) =>
  Promise.all(ids.map(id => context.store.workflows.spendingOfSteps(id))),
);
const itemCounts = createLoader((ids, context) =>
  Promise.all(ids.map(id => context.store.workflows.itemCounts(id))),
);

const DEFAULT_ITEMS = 20;
const MAX_ITEMS = 100;

export function stepsOfRun(run: RunDescription): RunStep[] {
  const states = new Map(run.steps.map(state => [state.stepId, state]));
  return run.spec.steps.map(spec => ({ run, spec, state: states.get(spec.id) ?? pendingState(spec.id) }));
}

function durationMs({ startedAt, finishedAt }: StepState): number | undefined {
  return startedAt && finishedAt && Math.max(0, finishedAt.getTime() - startedAt.getTime());
}

async function requestOf({ requestId }: StepState, context: Context): Promise<ModelRequest | undefined> {
  return requestId === undefined ? undefined : requests(context).load(requestId);
}

const WorkflowStepItemType = builder.objectRef<StepState>('WorkflowStepItem').implement({
  description: 'A step, run for one element of its list.',
  fields: t => ({
    index: t.int({ description: 'Which element, from 0 on.', resolve: state => state.item ?? 0 }),
    input: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The element.',
      resolve: ({ input }) => (input === undefined ? undefined : JSON.parse(input)),
    }),
    status: t.field({ type: StepStatusEnum, description: 'Where it is.', resolve: state => state.status }),
    output: t.exposeString('output', { nullable: true, description: 'Its result.' }),
    error: t.expose('error', { type: RequestErrorType, nullable: true, description: 'Why it has none.' }),
    tries: t.exposeInt('tries', { description: 'How many requests were made for it.' }),
    request: t.field({
      type: ModelRequestType,
      nullable: true,
      description: 'The latest request made for it.',
      resolve: (state, _args, context) => requestOf(state, context),
    }),
  }),
});

export const WorkflowStepType = builder.objectRef<RunStep>('WorkflowStep').implement({
  description: 'A step of a workflow, as it stands.',
  fields: t => ({
    id: t.id({ description: 'Unique within the workflow.', resolve: ({ spec }) => spec.id }),
    title: t.string({ description: 'For people.', resolve: ({ spec }) => spec.title }),
    kind: t.field({
      type: StepKindEnum,
      description: 'What carries it out.',
      resolve: ({ spec }) => spec.kind,
    }),
    status: t.field({
      type: StepStatusEnum,
      description: 'Where it is.',
      resolve: ({ state }) => state.status,
    }),
    dependsOn: t.stringList({
      description: 'Ids of the steps that have to end first.',
      resolve: ({ spec }) => [...spec.dependsOn],
    }),
    prompt: t.string({
      ...CONTENT,
      description: 'Its template: what is asked, decided or put together.',
      resolve: ({ run, spec }, _args, context) => reading(run.request, context, () => spec.template),
    }),
    request: t.field({
      type: ModelRequestType,
      nullable: true,
      description:
        'The latest request made for it, with its routing and attempts. Null without a model, and for a step with a list.',
      resolve: ({ state }, _args, context) => requestOf(state, context),
    }),
    output: t.string({
      ...CONTENT,
      nullable: true,
      description: 'Its result.',
      resolve: ({ run, state }, _args, context) => reading(run.request, context, () => state.output),
    }),
    error: t.field({
      type: RequestErrorType,
      nullable: true,
      description: 'Why it has no result; of a step that is tried again, why the last try failed.',
      resolve: ({ state }) => state.error,
    }),
    note: t.string({
      ...CONTENT,
      nullable: true,
      description: 'Why it was skipped, what is to be decided, or who decided what.',
      resolve: ({ run, state }, _args, context) => reading(run.request, context, () => state.note),
    }),
  }),
});

builder.objectFields(WorkflowStepType, t => ({
  tries: t.int({ description: 'How many requests were made for it.', resolve: ({ state }) => state.tries }),
  retryAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When it is tried again.',
    resolve: ({ state }) => (state.status === 'PENDING' ? state.notBefore : undefined),
  }),
  reused: t.boolean({
    description: 'Whether its result was taken over from an earlier run, and cost nothing here.',
    resolve: ({ state }) => state.reused,
  }),
  startedAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When it was begun for the first time.',
    resolve: ({ state }) => state.startedAt,
  }),
  finishedAt: t.field({
    type: 'DateTime',
    nullable: true,
    description: 'When it came into its final state.',
    resolve: ({ state }) => state.finishedAt,
  }),
  durationMs: t.int({
    nullable: true,
    description: 'Milliseconds from its first start to its end, retries included.',
    resolve: ({ state }) => durationMs(state),
  }),
}));

builder.objectFields(WorkflowStepType, t => ({
  cost: t.field({
    type: 'Decimal',
    nullable: true,
    complexity: 2,
    description: 'USD of all its requests so far; null when a part has no known price.',
    resolve: async ({ run, spec }, _args, context) => {
      const spending = await spendingOfSteps(context).load(run.request.id);
      return spending.has(spec.id) ? spending.get(spec.id)!.costNanoUsd : 0n;
    },
  }),
  itemCount: t.int({
    nullable: true,
    complexity: 2,
    description: 'How many elements its list has; null for a step without one, and until that is known.',
    resolve: async ({ run, spec }, _args, context) =>
      spec.forEach && (await itemCounts(context).load(run.request.id)).get(spec.id)?.total,
  }),
  itemsEnded: t.int({
    nullable: true,
    complexity: 2,
    description: 'How many of them have come to an end.',
    resolve: async ({ run, spec }, _args, context) =>
      spec.forEach && (await itemCounts(context).load(run.request.id)).get(spec.id)?.ended,
  }),
  items: t.field({
    ...CONTENT,
    type: [WorkflowStepItemType],
    description: 'A part of its list, in order; empty for a step without one.',
    args: {
      from: t.arg.int({ defaultValue: 0, description: 'The first element, from 0 on.' }),
      first: t.arg.int({
        defaultValue: DEFAULT_ITEMS,
        description: `How many: 0 to ${MAX_ITEMS}.`,
      }),
    },
    complexity: ({ first }) => ({
      field: 2,
      multiplier: Math.min(MAX_ITEMS, Math.max(0, first ?? DEFAULT_ITEMS)),
    }),
    resolve: ({ run, spec }, { from, first }, context) =>
      spec.forEach
        ? reading(run.request, context, () =>
            context.store.workflows.items(
              run.request.id,
              spec.id,
              from ?? 0,
              Math.min(MAX_ITEMS, Math.max(0, first ?? DEFAULT_ITEMS)),
            ),
          )
        : [],
  }),
}));
