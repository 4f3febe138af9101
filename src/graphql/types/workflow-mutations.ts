// What callers do with runs of workflows: decide, pause, run again.

import type { ModelRequest } from '../../domain/request.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { ModelRequestType } from './request.ts';
import { requireRequestId } from './submission.ts';

const DecideStepInput = builder.inputType('DecideStepInput', {
  description: 'A decision on a step that waits for one.',
  fields: t => ({
    requestId: t.id({ required: true, description: 'The id of the request whose workflow it is.' }),
    step: t.id({ required: true, description: 'The id of the step, for example `approve-plan`.' }),
    approved: t.boolean({ required: true, description: 'Yes or no. A no ends the workflow as CANCELLED.' }),
    comment: t.string({
      description:
        'Kept with the step; it is also the result of a step that was approved. At most 2,000 characters.',
    }),
  }),
});

const PauseWorkflowInput = builder.inputType('PauseWorkflowInput', {
  description: 'Which workflow to pause.',
  fields: t => ({ requestId: t.id({ required: true, description: 'The id of its request.' }) }),
});

const ResumeWorkflowInput = builder.inputType('ResumeWorkflowInput', {
  description: 'Which workflow to let go on.',
  fields: t => ({ requestId: t.id({ required: true, description: 'The id of its request.' }) }),
});

const RerunWorkflowInput = builder.inputType('RerunWorkflowInput', {
  description: 'Which workflow to run again, and from where.',
  fields: t => ({
    requestId: t.id({ required: true, description: 'The id of a request that has ended.' }),
    fromStep: t.id({
      description: 'This step and all that depend on it are made anew. Left out: those that did not succeed.',
    }),
    idempotencyKey: t.string({ description: 'As in `SubmitRequestInput`.' }),
  }),
});

interface RequestPayload {
  readonly request: ModelRequest;
}

export function requestPayload(name: string, mutation: string) {
  return builder.objectRef<RequestPayload>(name).implement({
    description: `What \`${mutation}\` did.`,
    fields: t => ({
      request: t.expose('request', {
        type: ModelRequestType,
        description: 'The request of the workflow, as it is now.',
      }),
    }),
  });
}

const DecideStepPayload = requestPayload('DecideStepPayload', 'decideStep');
const PauseWorkflowPayload = requestPayload('PauseWorkflowPayload', 'pauseWorkflow');
const ResumeWorkflowPayload = requestPayload('ResumeWorkflowPayload', 'resumeWorkflow');
const RerunWorkflowPayload = requestPayload('RerunWorkflowPayload', 'rerunWorkflow');

builder.mutationFields(t => ({
  decideStep: t.field({
    ...permitted('request:submit'),
    type: DecideStepPayload,
    description:
      "Says yes or no to a step that waits for a person: of one's own workflow, or of anybody's as ADMIN. CONFLICT when it does not wait. NOT_FOUND when there is no such workflow to see.",
    args: { input: t.arg({ type: DecideStepInput, required: true, description: 'The decision.' }) },
    resolve: async (_root, { input: { requestId, step, approved, comment } }, context) => ({
      request: await context.workflows.decide(actorOf(context), {
        requestId: requireRequestId(requestId),
        stepId: step,
        approved,
        comment,
      }),
    }),
  }),
  pauseWorkflow: t.field({
    ...permitted('request:submit'),
    type: PauseWorkflowPayload,
    description:
      'Begins no further step until `resumeWorkflow`; those that run go on. CONFLICT when it has ended or has not begun. NOT_FOUND when there is none to see.',
    args: { input: t.arg({ type: PauseWorkflowInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, context) => ({
      request: await context.workflows.setPaused(actorOf(context), requireRequestId(input.requestId), true),
    }),
  }),
  resumeWorkflow: t.field({
    ...permitted('request:submit'),
    type: ResumeWorkflowPayload,
    description: 'Ends a pause. CONFLICT when it has ended. NOT_FOUND when there is none to see.',
    args: { input: t.arg({ type: ResumeWorkflowInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, context) => ({
      request: await context.workflows.setPaused(actorOf(context), requireRequestId(input.requestId), false),
    }),
  }),
  rerunWorkflow: t.field({
    ...permitted('request:submit'),
    type: RerunWorkflowPayload,
    description:
      'Runs a workflow that has ended again, as a new request. Results that stand are taken over and not paid again. CONFLICT when it has not ended. NOT_FOUND when there is none to see.',
    args: {
      input: t.arg({ type: RerunWorkflowInput, required: true, description: 'Which one, from where.' }),
    },
    resolve: async (_root, { input: { requestId, fromStep, idempotencyKey } }, context) => ({
      request: await context.workflows.rerun(actorOf(context), {
        requestId: requireRequestId(requestId),
        fromStep,
        idempotencyKey,
        address: context.address,
      }),
    }),
  }),
}));
