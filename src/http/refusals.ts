// Errors that the transport itself answers with, and how errors look on the wire: bounded, without the marks that
// are meant for the transport.

import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import { ERROR_CODES, type ErrorCode } from '../domain/errors.ts';

/** A refusal of a whole operation, by its code. */
export function refusal(
  code: ErrorCode,
  message: string,
  details: { retryAfterMs?: number; limit?: string } = {},
): GraphQLError {
  const { retryable, httpStatus } = ERROR_CODES[code];
  return new GraphQLError(message, {
    extensions: { code, retryable, ...details, http: { status: httpStatus } },
  });
}

/** The request, or with `inDocument` its document, is not what GraphQL over HTTP allows. */
export function requestError(message: string, inDocument = false): GraphQLError {
  return new GraphQLError(message, {
    extensions: {
      code: 'BAD_USER_INPUT',
      retryable: false,
      http: { status: 400, ...(inDocument ? { spec: true } : {}) },
    },
  });
}

const MAX_MESSAGE_CHARACTERS = 500;

export interface ErrorBounds {
  readonly maxErrors: number;
  readonly maxBytes: number;
}

/** Errors as the client sees them: no transport marks, cut messages, as many as fit. */
export function presentErrors(errors: readonly Error[], bounds: ErrorBounds): GraphQLFormattedError[] {
  const presented: GraphQLFormattedError[] = [];
  let bytes = 0;
  for (const error of errors.slice(0, bounds.maxErrors)) {
    const formatted = present(error);
    bytes += Buffer.byteLength(JSON.stringify(formatted));
    if (bytes > bounds.maxBytes && presented.length > 0) break;
    presented.push(formatted);
  }
  return presented;
}

function present(error: Error): GraphQLFormattedError {
  const formatted: GraphQLFormattedError =
    error instanceof GraphQLError ? error.toJSON() : { message: error.message };
  const { http: _http, ...extensions } = formatted.extensions ?? {};
  return {
    ...formatted,
    message: formatted.message.slice(0, MAX_MESSAGE_CHARACTERS),
    // An operation can name one place a thousand times; a few are enough to find it.
    ...(formatted.locations ? { locations: formatted.locations.slice(0, 5) } : {}),
    extensions: { code: 'BAD_USER_INPUT', ...extensions },
  };
}
