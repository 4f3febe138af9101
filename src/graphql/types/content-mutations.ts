// Deleting what was said in a request.

import type { ModelRequest } from '../../domain/request.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { ModelRequestType } from './request.ts';
import { requireRequestId } from './submission.ts';

const DeleteRequestContentInput = builder.inputType('DeleteRequestContentInput', {
  description: 'Of which request to delete what was said in it.',
  fields: t => ({ requestId: t.id({ required: true, description: 'The id of the request.' }) }),
});

const DeleteRequestContentPayload = builder
  .objectRef<{ request: ModelRequest }>('DeleteRequestContentPayload')
  .implement({
    description: 'What `deleteRequestContent` did.',
    fields: t => ({
      request: t.expose('request', {
        type: ModelRequestType,
        description: 'The request as it is now, with `contentDeletedAt`.',
      }),
    }),
  });

builder.mutationField('deleteRequestContent', t =>
  t.field({
    ...permitted('request:delete-content'),
    type: DeleteRequestContentPayload,
    description:
      'Deletes the prompt, the answer, the metadata and the messages of errors of a request, of a workflow also what its steps were given and made; at once, for good. Figures, attempts and routing stay. Its own submitter or ADMIN. CONFLICT while it has not ended (cancel it first), and for a single step of a workflow. NOT_FOUND when there is none to see.',
    args: {
      input: t.arg({ type: DeleteRequestContentInput, required: true, description: 'Of which request.' }),
    },
    resolve: async (_root, { input }, context) => ({
      request: await context.gateway.deleteContent(actorOf(context), requireRequestId(input.requestId)),
    }),
  }),
);
