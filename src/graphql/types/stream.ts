// The live answer of a request: numbered events that any number of subscribers read from any cursor on.

import { DomainError } from '../../domain/errors.ts';
import { toGlobalId } from '../../domain/ids.ts';
import { formatCursor } from '../../domain/stream.ts';
import type { SubmittedEvent } from '../../gateway/gateway.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf, type Context } from '../context.ts';
import { ModelRequestType } from './request.ts';
import { requireRequestId, SubmitRequestInput } from './submission.ts';
import { RequestErrorType } from './usage.ts';
import { WorkflowStepType } from './workflow-step.ts';

type EventType = SubmittedEvent['event']['type'];
type Followed<Type extends EventType> = SubmittedEvent & {
  readonly event: Extract<SubmittedEvent['event'], { type: Type }>;
};

/** The type of each event. */
export const STREAM_EVENT_TYPES: Record<EventType, string> = {
  accepted: 'RequestAccepted',
  token: 'TokenDelta',
  'attempt-started': 'AttemptStarted',
  restarted: 'StreamRestarted',
  'step-updated': 'StepUpdated',
  completed: 'StreamCompleted',
  failed: 'StreamFailed',
};

const StreamEventType = builder.interfaceRef<SubmittedEvent>('StreamEvent').implement({
  description:
    'Something that happened to the answer of a request. The last one is StreamCompleted or StreamFailed, always and only once.',
  resolveType: followed => STREAM_EVENT_TYPES[followed.event.type],
  fields: t => ({
    cursor: t.exposeString('cursor', {
      description: 'The place of this event. Hand the last one seen back as `after` to continue behind it.',
    }),
    requestId: t.id({
      description: 'The request it belongs to.',
      resolve: followed => toGlobalId('request', followed.requestId),
    }),
  }),
});

builder.objectRef<Followed<'accepted'>>('RequestAccepted').implement({
  description:
    'The request is durable and will be carried out. Always and only the first event of the subscription `submitRequest`.',
  interfaces: [StreamEventType],
  fields: t => ({
    request: t.field({
      type: ModelRequestType,
      description: 'The request as it is now.',
      resolve: (followed, _args, context) => requestOf(followed, context),
    }),
  }),
});

builder.objectRef<Followed<'token'>>('TokenDelta').implement({
  description: 'The next piece of the answer. Pieces joined in their order are the answer.',
  interfaces: [StreamEventType],
  fields: t => ({
    text: t.string({ description: 'The piece, never empty.', resolve: ({ event }) => event.text }),
    step: t.string({
      nullable: true,
      description: 'The step of a workflow that it belongs to; null outside of workflows.',
      resolve: ({ event }) => event.step,
    }),
  }),
});

builder.objectRef<Followed<'attempt-started'>>('AttemptStarted').implement({
  description: 'A deployment was called.',
  interfaces: [StreamEventType],
  fields: t => ({
    attempt: t.int({
      description: 'The number of the attempt, from 1 on.',
      resolve: ({ event }) => event.attempt,
    }),
    deployment: t.string({
      description: 'The id of the deployment, for example `openai/gpt-6-sol`.',
      resolve: ({ event }) => event.deploymentId,
    }),
  }),
});

builder.objectRef<Followed<'restarted'>>('StreamRestarted').implement({
  description: 'The answer starts again elsewhere: text that was sent is void.',
  interfaces: [StreamEventType],
  fields: t => ({
    attempt: t.int({
      description: 'The number of the attempt that starts again.',
      resolve: ({ event }) => event.attempt,
    }),
    reason: t.string({ description: 'Why, for people.', resolve: ({ event }) => event.reason }),
    keepThrough: t.string({
      nullable: true,
      description: 'Drop the text of events behind this cursor; null: drop all text.',
      resolve: ({ event, requestId }) => event.keepThrough && formatCursor(requestId, event.keepThrough),
    }),
    step: t.string({
      nullable: true,
      description: 'Only the text of this step of a workflow is void; null: all text.',
      resolve: ({ event }) => event.step,
    }),
  }),
});

builder.objectRef<Followed<'step-updated'>>('StepUpdated').implement({
  description: 'A step of the workflow has come further.',
  interfaces: [StreamEventType],
  fields: t => ({
    step: t.field({
      type: WorkflowStepType,
      description: 'The step as it is now, which may be further than it was at this event.',
      resolve: async (followed, _args, context) => {
        const request = await requestOf(followed, context);
        const step = await context.workflows.step(request, followed.event.step);
        if (!step) throw new DomainError('NOT_FOUND', 'The step is gone.');
        return { ...step, run: { request } };
      },
    }),
  }),
});

builder.objectRef<Followed<'completed'>>('StreamCompleted').implement({
  description: 'The answer is complete. The last event.',
  interfaces: [StreamEventType],
  fields: t => ({
    request: t.field({
      type: ModelRequestType,
      description: 'The request in its final state.',
      resolve: (followed, _args, context) => requestOf(followed, context),
    }),
  }),
});

builder.objectRef<Followed<'failed'>>('StreamFailed').implement({
  description: 'There will be no complete answer: the request failed or was cancelled. The last event.',
  interfaces: [StreamEventType],
  fields: t => ({
    error: t.field({ type: RequestErrorType, description: 'Why.', resolve: ({ event }) => event.error }),
    request: t.field({
      type: ModelRequestType,
      description: 'The request in its final state.',
      resolve: (followed, _args, context) => requestOf(followed, context),
    }),
  }),
});

/** Read anew for each event: the state at the event is what counts. */
async function requestOf({ requestId }: SubmittedEvent, context: Context) {
  const request = await context.gateway.request(actorOf(context), requestId);
  if (!request) throw new DomainError('NOT_FOUND', 'The request is gone.');
  return request;
}

builder.subscriptionField('submitRequest', t =>
  t.field({
    ...permitted('request:submit'),
    type: StreamEventType,
    description:
      'Accepts a request as the mutation `submitRequest` does, and follows its answer: both in one operation. `idempotencyKey` must be set, so that a client that subscribes again after its connection broke follows the same request instead of paying for another; with the last cursor it saw it goes on by `tokenStream`. Also needs the right to read requests. Not served by GET.',
    args: { input: t.arg({ type: SubmitRequestInput, required: true, description: 'What is asked.' }) },
    subscribe: (_root, { input }, context) =>
      context.gateway.submitAndFollow(actorOf(context), input, context.address) as never,
    resolve: (followed: SubmittedEvent) => followed,
  }),
);

builder.subscriptionField('tokenStream', t =>
  t.field({
    ...permitted('request:read'),
    type: StreamEventType,
    description:
      'The answer of a request as it comes, running or ended: first what was, then what comes. NOT_FOUND when there is no such request to see.',
    args: {
      requestId: t.arg.id({ required: true, description: 'The id of the request.' }),
      after: t.arg.string({
        description:
          'The last cursor seen; left out: from the start. BAD_USER_INPUT when it is not a cursor of this request.',
      }),
    },
    subscribe: (_root, { requestId, after }, context) =>
      context.gateway.follow(actorOf(context), requireRequestId(requestId), after ?? undefined) as never,
    resolve: (followed: SubmittedEvent) => followed,
  }),
);
