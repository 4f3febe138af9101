// What a caller hands in: the input of submitRequest, and what can be asked with it before it is sent.

import type { ModelRequest } from '../../domain/request.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { requireId } from '../require-id.ts';
import { MessageRoleEnum, RoutingStrategyEnum, TaskTypeEnum } from './enums.ts';
import { ModelRequestType } from './request.ts';
import { CostEstimateType, RoutingDecisionType } from './routing.ts';
import { WorkflowInput } from './workflow-input.ts';

const MessageInput = builder.inputType('MessageInput', {
  description: 'One message of a conversation.',
  fields: t => ({
    role: t.field({ type: MessageRoleEnum, required: true, description: 'Who says it.' }),
    content: t.string({ required: true, description: 'What is said.' }),
  }),
});

export const DeadlinesInput = builder.inputType('DeadlinesInput', {
  description:
    'How long to wait at most; what is left out is decided by the deployment. Milliseconds from 1 up to a limit of the server.',
  fields: t => ({
    connectMs: t.int({ description: 'Until the connection to the provider stands.' }),
    firstTokenMs: t.int({ description: 'From the start of an attempt to the first piece of the answer.' }),
    idleMs: t.int({ description: 'Between two pieces of the answer.' }),
    minTokensPerSecond: t.float({
      description: 'Slowest bearable speed over 10 s once the answer flows; 0 for any.',
    }),
    totalMs: t.int({ description: 'For the whole request, over all attempts.' }),
  }),
});

export const SubmitRequestInput = builder.inputType('SubmitRequestInput', {
  description: 'A request to be. Send `prompt` or `messages`; everything else has a default.',
  fields: t => ({
    prompt: t.string({ description: 'One question, not empty. Excludes `messages`.' }),
    messages: t.field({
      type: [MessageInput],
      description: 'A conversation of 1 to 1,000 messages, one of them by USER. Excludes `prompt`.',
    }),
    system: t.string({ description: 'Instructions that stand above the conversation.' }),
    taskType: t.field({ type: TaskTypeEnum, defaultValue: 'CHAT', description: 'What it is for.' }),
    model: t.string({
      description:
        "A deployment's id, a model's name, an alias, or `provider/*`. Left out: routing chooses. 1 to 200 characters.",
    }),
    strategy: t.field({
      type: RoutingStrategyEnum,
      description: "What routing weighs most. Left out: the server's default.",
    }),
    preferLocal: t.boolean({
      defaultValue: false,
      description: 'Prefer deployments on own hardware while one of them can serve it.',
    }),
    priority: t.int({ defaultValue: 50, description: '0 to 100; higher goes first when requests wait.' }),
    maxOutputTokens: t.int({
      description:
        'The longest answer in tokens. Left out: what the model allows, or a setting of the server when a budget applies.',
    }),
    temperature: t.float({ description: "0 to 2. Left out: the model's default." }),
    stop: t.stringList({ description: 'Up to 4 texts of 1 to 100 characters at which the answer ends.' }),
    outputSchema: t.field({
      type: 'JSON',
      description:
        'A JSON Schema (2020-12, or draft-07 where `$schema` says so) that the answer must be JSON of: an object of a bounded size and at most 32 levels, with references into itself only. An answer that is not, or that ends at its greatest length, counts as failed: the next deployment is asked, and with none left the request fails with BAD_RESPONSE. `format` is told to the model and not checked. Left out: any text will do.',
    }),
    buffered: t.boolean({
      defaultValue: false,
      description:
        'Show nothing before the whole answer is there: what broke off and was begun again is then never seen.',
    }),
    deadlines: t.field({ type: DeadlinesInput, description: 'How long to wait at most.' }),
    idempotencyKey: t.string({
      description:
        'Makes it safe to send this again: the same key with the same input gives the request it made before, with another input IDEMPOTENCY_CONFLICT. 1 to 200 characters.',
    }),
    metadata: t.field({ type: 'JSON', description: 'Anything of yours, kept with the request.' }),
    workflow: t.field({
      type: WorkflowInput,
      description:
        'The steps to carry out; `prompt` is their input and may be left out. `taskType` is WORKFLOW then; a WORKFLOW without steps is planned by a model.',
    }),
  }),
});

const SubmitRequestPayload = builder.objectRef<{ request: ModelRequest }>('SubmitRequestPayload').implement({
  description: 'What `submitRequest` did.',
  fields: t => ({
    request: t.expose('request', { type: ModelRequestType, description: 'The accepted, durable request.' }),
  }),
});

const CancelRequestInput = builder.inputType('CancelRequestInput', {
  description: 'What to cancel.',
  fields: t => ({ requestId: t.id({ required: true, description: 'The id of the request.' }) }),
});

const CancelRequestPayload = builder.objectRef<{ request: ModelRequest }>('CancelRequestPayload').implement({
  description: 'What `cancelRequest` did.',
  fields: t => ({
    request: t.expose('request', {
      type: ModelRequestType,
      description: 'The request as it is now. One that had ended before is left as it was.',
    }),
  }),
});

builder.queryFields(t => ({
  estimateCost: t.field({
    ...permitted('request:estimate'),
    type: [CostEstimateType],
    description: 'What each deployment would take for this request, before it is sent. Sends nothing.',
    args: {
      input: t.arg({ type: SubmitRequestInput, required: true, description: 'As for `submitRequest`.' }),
    },
    resolve: (_root, { input }, context) => context.gateway.estimateCost(actorOf(context), input),
  }),
  simulateRoute: t.field({
    ...permitted('request:estimate'),
    type: RoutingDecisionType,
    description: 'Where this request would run at this moment, and why. Sends nothing.',
    args: {
      input: t.arg({ type: SubmitRequestInput, required: true, description: 'As for `submitRequest`.' }),
    },
    resolve: (_root, { input }, context) => context.gateway.simulateRoute(actorOf(context), input),
  }),
}));

builder.mutationFields(t => ({
  submitRequest: t.field({
    ...permitted('request:submit'),
    type: SubmitRequestPayload,
    description:
      'Accepts a request. The answer comes when the request is durable; it is then carried out whoever listens. Follow it with `tokenStream`. May fail with BAD_USER_INPUT, RATE_LIMITED, NO_ROUTE, IDEMPOTENCY_CONFLICT, BUDGET_EXCEEDED, OVERLOADED or SHUTTING_DOWN.',
    args: { input: t.arg({ type: SubmitRequestInput, required: true, description: 'What is asked.' }) },
    resolve: async (_root, { input }, context) => ({
      request: await context.gateway.submit(actorOf(context), input, context.address),
    }),
  }),
  cancelRequest: t.field({
    ...permitted('request:cancel'),
    type: CancelRequestPayload,
    description:
      'Ends a request that has not ended. Its own submitter or ADMIN. NOT_FOUND when there is none to see.',
    args: { input: t.arg({ type: CancelRequestInput, required: true, description: 'What to cancel.' }) },
    resolve: async (_root, { input }, context) => ({
      request: await context.gateway.cancel(actorOf(context), requireRequestId(input.requestId)),
    }),
  }),
}));

/** The inner id; what is no id of a request is answered like an unknown request. */
export function requireRequestId(globalId: string): string {
  return requireId('request', globalId, 'There is no such request.');
}
