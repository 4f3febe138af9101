// Tokens of a call or a request, and why a request failed.

import type { RequestError } from '../../domain/request.ts';
import type { Usage } from '../../domain/usage.ts';
import { builder } from '../builder.ts';
import { ErrorCodeEnum } from './enums.ts';

export const UsageType = builder.objectRef<Usage>('Usage').implement({
  description: 'Tokens, over all attempts when it is of a request.',
  fields: t => ({
    inputTokens: t.exposeInt('inputTokens', { description: 'Tokens of the prompt, cached ones included.' }),
    outputTokens: t.exposeInt('outputTokens', { description: 'Tokens of the answer, reasoning included.' }),
    cachedInputTokens: t.exposeInt('cachedInputTokens', {
      description: 'The part of `inputTokens` that the provider read from its cache.',
    }),
    cacheWriteTokens: t.exposeInt('cacheWriteTokens', {
      description: 'The part of `inputTokens` that the provider wrote to its cache.',
    }),
    totalTokens: t.int({
      description: '`inputTokens` and `outputTokens` together.',
      resolve: usage => usage.inputTokens + usage.outputTokens,
    }),
    estimated: t.exposeBoolean('estimated', {
      description: 'True when the provider reported nothing usable and these figures are our estimate.',
    }),
  }),
});

export const RequestErrorType = builder.objectRef<RequestError>('RequestError').implement({
  description: 'Why an accepted request, or one attempt of it, did not succeed.',
  fields: t => ({
    code: t.field({
      type: ErrorCodeEnum,
      description: 'What happened, as one of the closed set.',
      resolve: error => error.code,
    }),
    message: t.exposeString('message', { description: 'What happened, for people.' }),
    retryable: t.exposeBoolean('retryable', {
      description:
        'Whether waiting helps: it may succeed when it is submitted again unchanged. A fact of what happened, not of the code. Of a request: false when the call itself was refused, or when no one who was asked or held back may answer later.',
    }),
    retryAfterMs: t.exposeInt('retryAfterMs', {
      nullable: true,
      description: 'Milliseconds after which that makes sense; null when nothing is known.',
    }),
  }),
});
