// Definitions of workflows: kept under a name, run with other inputs.

import { can } from '../../domain/access.ts';
import { toGlobalId } from '../../domain/ids.ts';
import type { WorkflowDefinition } from '../../domain/workflow.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { pageCost } from '../cost.ts';
import { toConnection, toPageQuery } from '../pagination.ts';
import { requireId } from '../require-id.ts';
import { SubmitRequestInput } from './submission.ts';
import { WorkflowInput } from './workflow-input.ts';
import { requestPayload } from './workflow-mutations.ts';

const CreateWorkflowInput = builder.inputType('CreateWorkflowInput', {
  description: 'A workflow to be kept.',
  fields: t => ({
    name: t.string({
      required: true,
      description: '1 to 100 letters, digits, spaces, dots, - and _. A name of yours gets its next version.',
    }),
    description: t.string({ description: 'What it is for; at most 2,000 characters.' }),
    shared: t.boolean({
      defaultValue: false,
      description:
        'Everybody may read this version, and run it. For ADMIN, with a key of the scope ADMIN; else FORBIDDEN.',
    }),
    workflow: t.field({ type: WorkflowInput, required: true, description: 'Its steps, at least one.' }),
  }),
});

const DeleteWorkflowInput = builder.inputType('DeleteWorkflowInput', {
  description: 'Which definition to delete.',
  fields: t => ({ name: t.string({ required: true, description: 'Its name; all versions go.' }) }),
});

const RunWorkflowInput = builder.inputType('RunWorkflowInput', {
  description: 'Which definition to run, and with what.',
  fields: t => ({
    name: t.string({
      description:
        'The name of a definition of yours or, where you have none of that name, of a shared one. Excludes `definitionId`.',
    }),
    version: t.int({ description: 'Which version of the name. Left out: the latest.' }),
    definitionId: t.id({ description: 'The id of one version. Excludes `name`.' }),
    parameters: t.field({ type: 'JSON', description: 'An object of values in place of its defaults.' }),
    request: t.field({
      type: SubmitRequestInput,
      description: 'The input, as `prompt`, and all other wishes; without `workflow`.',
    }),
  }),
});

const WorkflowDefinitionType = builder.objectRef<WorkflowDefinition>('WorkflowDefinition');

builder.node(WorkflowDefinitionType, {
  description:
    'A workflow that is kept under a name, to be run with other inputs. A version is never changed.',
  id: { description: 'Opaque; starts with `wfd_`.', resolve: definition => definition.id },
  loadOne: (id, context) => context.workflows.definition(actorOf(context), id),
  fields: t => ({
    name: t.exposeString('name', { description: 'Unique among those of its owner, version by version.' }),
    version: t.exposeInt('version', { description: '1, 2, …' }),
    description: t.exposeString('description', { nullable: true, description: 'What it is for.' }),
    shared: t.exposeBoolean('shared', { description: 'Whether everybody may read and run it.' }),
    steps: t.field({
      type: 'JSON',
      description: 'Its steps as they are kept, with all defaults filled in.',
      resolve: ({ workflow }) => workflow.steps,
    }),
    parameters: t.field({
      type: 'JSON',
      description: 'The defaults of its parameters.',
      resolve: ({ workflow }) => workflow.parameters,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When this version was made.' }),
    ownerId: t.id({
      description: 'Id of the user whose it is.',
      resolve: ({ userId }) => toGlobalId('user', userId),
    }),
  }),
});

const RunWorkflowPayload = requestPayload('RunWorkflowPayload', 'runWorkflow');

const CreateWorkflowPayload = builder
  .objectRef<{ definition: WorkflowDefinition }>('CreateWorkflowPayload')
  .implement({
    description: 'What `createWorkflow` did.',
    fields: t => ({
      definition: t.expose('definition', { type: WorkflowDefinitionType, description: 'The new version.' }),
    }),
  });

const DeleteWorkflowPayload = builder.objectRef<{ name: string }>('DeleteWorkflowPayload').implement({
  description: 'What `deleteWorkflow` did.',
  fields: t => ({ name: t.exposeString('name', { description: 'The name that is free again.' }) }),
});

builder.queryField('workflowDefinitions', t =>
  t.connection(
    {
      ...permitted('request:read'),
      type: WorkflowDefinitionType,
      description:
        "Definitions of workflows, newest version first: one's own and those that are shared, or everybody's for ADMIN.",
      complexity: pageCost,
      resolve: async (_root, args, context) => {
        const actor = actorOf(context);
        const userId = can(actor, 'request:read-any') ? undefined : actor.userId;
        const query = toPageQuery('workflowDefinitions', args);
        return toConnection(
          'workflowDefinitions',
          await context.store.workflowDefinitions.page(userId, query),
        );
      },
    },
    { name: 'WorkflowDefinitionConnection', description: 'A page of definitions.' },
    { name: 'WorkflowDefinitionEdge', description: 'A definition and its place in the page.' },
  ),
);

builder.mutationFields(t => ({
  createWorkflow: t.field({
    ...permitted('request:submit'),
    type: CreateWorkflowPayload,
    description: 'Keeps a workflow under a name, to be run with `runWorkflow`.',
    args: { input: t.arg({ type: CreateWorkflowInput, required: true, description: 'What to keep.' }) },
    resolve: async (_root, { input }, context) => ({
      definition: await context.workflows.createDefinition(actorOf(context), input),
    }),
  }),
  deleteWorkflow: t.field({
    ...permitted('request:submit'),
    type: DeleteWorkflowPayload,
    description:
      'Deletes a definition of yours, in all its versions. Its runs are not touched. NOT_FOUND when there is none.',
    args: { input: t.arg({ type: DeleteWorkflowInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input: { name } }, context) => {
      await context.workflows.deleteDefinition(actorOf(context), name);
      return { name };
    },
  }),
  runWorkflow: t.field({
    ...permitted('request:submit'),
    type: RunWorkflowPayload,
    description:
      'Accepts a run of a definition, as `submitRequest` accepts a request. NOT_FOUND when there is no such definition to see.',
    args: { input: t.arg({ type: RunWorkflowInput, required: true, description: 'Which one, with what.' }) },
    resolve: async (_root, { input }, context) => {
      const { name, version, definitionId, parameters, request } = input;
      return {
        request: await context.workflows.runDefinition(actorOf(context), {
          name,
          version,
          definitionId: definitionId == null ? undefined : requireId('workflowDefinition', definitionId),
          parameters,
          submission: request ?? {},
          address: context.address,
        }),
      };
    },
  }),
}));
