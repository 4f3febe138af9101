// Whether an operation may come in the form in which it came: by this method, for this kind of answer, with these others.

import type { IncomingMessage } from 'node:http';
import { GraphQLError } from 'graphql';
import { type Accepted, EVENT_STREAM } from './media-types.ts';
import type { Operation, Refused } from './pipeline.ts';
import { requestError } from './refusals.ts';

/** The operation does not fit the method, or its answer the Accept header. */
export function refuseForm(
  request: IncomingMessage,
  { kind, rootFields }: Operation,
  accepted: Accepted,
): GraphQLError | undefined {
  if (request.method === 'GET' && (kind === 'mutation' || rootFields.includes('submitRequest'))) {
    return withStatus(405, 'What changes something is served by POST only.', { allow: 'POST' });
  }
  if (kind === 'subscription' && !accepted.eventStream) {
    return withStatus(406, `Subscriptions are answered as ${EVENT_STREAM}, alone and not in a batch.`);
  }
  return undefined;
}

/** One request is one try: neither aliases nor a batch may try many passwords at once. */
export function refuseLogins(prepared: readonly (Operation | Refused)[]): GraphQLError | undefined {
  let logins = 0;
  for (const operation of prepared)
    if ('rootFields' in operation) for (const name of operation.rootFields) if (name === 'login') logins += 1;
  return logins > 1 ? requestError('At most one login is accepted in a request.') : undefined;
}

/** A refusal by a status that no code of ours stands for. */
export function withStatus(
  status: number,
  message: string,
  headers: Record<string, string> = {},
): GraphQLError {
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT', retryable: false, http: { status, headers } },
  });
}
