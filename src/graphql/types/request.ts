// The central noun: a model request, with what was asked, what came of it, who served it and what it cost.

import type { Message, ModelRequest } from '../../domain/request.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf, type Context } from '../context.ts';
import { loading } from '../loading.ts';
import { bodyOf, messagesOf, metadataOf, outputOf, promptOf, systemOf } from '../request-texts.ts';
import { AttemptType } from './attempt.ts';
import { MessageRoleEnum, RequestStatusEnum, RoutingStrategyEnum, TaskTypeEnum } from './enums.ts';
import { UserType } from './member.ts';
import { DeploymentType, deploymentOf, ProviderType } from './provider.ts';
import { RoutingDecisionType } from './routing.ts';
import { stepSpending } from './spending.ts';
import { RequestErrorType, UsageType } from './usage.ts';

const specOf = async (...place: Parameters<typeof bodyOf>) => (await bodyOf(...place))?.spec;

/** Reading what was said in somebody else's request is noted first. */
export function reading<Value>(
  request: ModelRequest,
  context: Context,
  read: () => Value,
): Value | Promise<Awaited<Value>> {
  const noted = context.gateway.noteReading(actorOf(context), request);
  return noted === undefined ? read() : (noted.then(read) as Promise<Awaited<Value>>);
}

/** What was said. A key that is only for submitting gets the request back, but does not read what is in it. */
export const CONTENT = permitted('request:read');

const MessageType = builder.objectRef<Message>('Message').implement({
  description: 'One message of a conversation.',
  fields: t => ({
    role: t.field({ type: MessageRoleEnum, description: 'Who says it.', resolve: message => message.role }),
    content: t.exposeString('content', { description: 'What is said.' }),
  }),
});

export const ModelRequestType = builder.objectRef<ModelRequest>('ModelRequest');

builder.node(ModelRequestType, {
  description: 'A request to a model, from its acceptance to its one final state.',
  id: { description: 'Opaque; starts with `req_`.', resolve: request => request.id },
  loadOne: (id, context) => context.gateway.request(actorOf(context), id),
  fields: t => ({
    status: t.field({
      type: RequestStatusEnum,
      description: 'Where it is.',
      resolve: request => request.status,
    }),
    taskType: t.field({
      type: TaskTypeEnum,
      description: 'What it is for.',
      resolve: request => request.taskType,
    }),
    priority: t.exposeInt('priority', { description: '0 to 100; higher goes first when requests wait.' }),
    preferLocal: t.exposeBoolean('preferLocal', { description: 'Whether own hardware is preferred.' }),
    strategy: t.field({
      type: RoutingStrategyEnum,
      description: 'What routing weighs most.',
      resolve: request => request.strategy,
    }),
    requestedModel: t.exposeString('requestedModel', {
      nullable: true,
      description: 'The model asked for; null when routing was free to choose.',
    }),
    error: t.expose('error', {
      type: RequestErrorType,
      nullable: true,
      description: 'Why it did not succeed; null unless it FAILED or was CANCELLED.',
    }),
    finishReason: t.exposeString('finishReason', {
      nullable: true,
      description:
        'Why the answer ended: `stop`, `length` (cut at the limit), `content-filter`, `tool-calls` or `other`.',
    }),
    attempts: t.loadableList({
      type: AttemptType,
      description: 'The calls made for it, in their order.',
      complexity: { field: 1, multiplier: 3 },
      ...loading((ids, context) => context.store.requests.attemptsByIds(ids)),
      resolve: request => request.id,
    }),
    attemptCount: t.exposeInt('attemptCount', { description: 'How many calls were made for it.' }),
    usage: t.field({
      type: UsageType,
      nullable: true,
      description:
        'Tokens over all attempts, those without an answer included: what `cost` is for; of a workflow over all its steps so far. The tokens of the answer alone are those of the attempt that SUCCEEDED. Null until it has ended, and when nothing was billed.',
      resolve: async (request, _args, context) =>
        request.usage ?? (await stepSpending(request, context))?.usage,
    }),
    cost: t.field({
      type: 'Decimal',
      nullable: true,
      description:
        'USD over all attempts but those that are LOST, of a workflow over all its steps so far; null until it has ended, or when a part has no known price.',
      resolve: async (request, _args, context) =>
        request.taskType === 'WORKFLOW'
          ? (await stepSpending(request, context))?.costNanoUsd
          : request.costNanoUsd,
    }),
    failedAttemptsCost: t.field({
      type: 'Decimal',
      nullable: true,
      description:
        'The part of `cost` spent on attempts that did not succeed, in USD; null until it has ended, or when a part of it has no known price.',
      resolve: request => request.failedAttemptsCostNanoUsd,
    }),
    submittedBy: t.loadable({
      type: UserType,
      nullable: true,
      description: 'Who submitted it.',
      ...loading((ids, context) => context.members.usersByIds(ids)),
      resolve: request => request.userId,
    }),
  }),
});

builder.objectFields(ModelRequestType, t => ({
  prompt: t.string({
    ...CONTENT,
    nullable: true,
    description: 'The prompt, or the last message of the user.',
    resolve: (request, _args, context, info) =>
      reading(request, context, () => promptOf(request, context, info)),
  }),
  messages: t.field({
    ...CONTENT,
    type: [MessageType],
    description: 'The whole conversation that was sent, without `system`.',
    resolve: (request, _args, context, info) =>
      reading(request, context, () => messagesOf(request, context, info)),
  }),
  system: t.string({
    ...CONTENT,
    nullable: true,
    description: 'The instructions above the conversation.',
    resolve: (request, _args, context, info) =>
      reading(request, context, () => systemOf(request, context, info)),
  }),
  maxOutputTokens: t.int({
    nullable: true,
    description:
      'The longest answer asked for, in tokens. Null: what the model allows, or a setting of the server when a budget applies.',
    resolve: async (request, _args, context, info) => (await specOf(request, context, info))?.maxOutputTokens,
  }),
  temperature: t.float({
    nullable: true,
    description: 'The temperature asked for.',
    resolve: async (request, _args, context, info) => (await specOf(request, context, info))?.temperature,
  }),
  stop: t.stringList({
    description: 'The texts at which the answer ends.',
    resolve: async (request, _args, context, info) => [
      ...((await specOf(request, context, info))?.stop ?? []),
    ],
  }),
  outputSchema: t.field({
    type: 'JSON',
    nullable: true,
    description: 'The JSON Schema that the answer must be JSON of; null when any text will do.',
    resolve: async (request, _args, context, info) => (await specOf(request, context, info))?.outputSchema,
  }),
  metadata: t.field({
    ...CONTENT,
    type: 'JSON',
    nullable: true,
    description: 'What the submitter kept with it.',
    resolve: (request, _args, context, info) =>
      reading(request, context, () => metadataOf(request, context, info)),
  }),
  reserved: t.field({
    type: 'Decimal',
    nullable: true,
    description:
      'USD that it holds of each budget it falls under, and held when it ended: the most that it could cost. Null when it falls under none.',
    resolve: request => request.reservedNanoUsd,
  }),
  output: t.string({
    ...CONTENT,
    nullable: true,
    description: 'The answer, or what came of it; null while it runs (follow `tokenStream`).',
    resolve: (request, _args, context, info) =>
      reading(request, context, () => outputOf(request, context, info)),
  }),
}));

builder.objectFields(ModelRequestType, t => ({
  routing: t.field({
    type: RoutingDecisionType,
    nullable: true,
    description: 'Why it ran where it ran; null until that was decided and kept.',
    resolve: async (request, _args, context, info) => (await bodyOf(request, context, info))?.routing,
  }),
  provider: t.field({
    type: ProviderType,
    nullable: true,
    description: 'Who served it last, as it is now; null until then, or when it is no longer configured.',
    resolve: (request, _args, context) =>
      context.gateway.providers().find(provider => provider.id === request.providerId),
  }),
  deployment: t.field({
    type: DeploymentType,
    nullable: true,
    description: 'What served it last, as it is now; null until then, or when it is no longer offered.',
    resolve: (request, _args, context) => deploymentOf(context, request.deploymentId),
  }),
  deploymentId: t.exposeID('deploymentId', {
    nullable: true,
    description: 'The id of what served it last, kept for ever.',
  }),
  servedModel: t.exposeString('servedModel', {
    nullable: true,
    description: 'The model that the provider says it used.',
  }),
  contentDeletedAt: t.expose('contentDeletedAt', {
    type: 'DateTime',
    nullable: true,
    description:
      'When the prompt, the answer, the metadata and whatever else was said in it were deleted: they are null or empty since then. Null while they are kept.',
  }),
}));
