// From whatever was thrown to what a client may see. One function serves HTTP, SSE and WebSocket, before execution,
// in resolvers and in the middle of a stream: codes of the closed set, and not a word of what is internal.

import { GraphQLError, Kind } from 'graphql';
import { DomainError, ERROR_CODES, type ErrorCode } from '../domain/errors.ts';
import { newId } from '../domain/ids.ts';

export interface ErrorMaskerOptions {
  /** Gets what the client does not: the fault itself, under the id the client was given. */
  log(fault: unknown, facts: { readonly requestId: string; readonly path: string | undefined }): void;
  /** The id under which the operation is logged. */
  requestId?: () => string;
}

/** Fits yoga's `maskedErrors.maskError`; also for errors thrown before there is a result. */
export function createErrorMasker({ log, requestId = newId }: ErrorMaskerOptions) {
  return function maskError(thrown: unknown): GraphQLError {
    const located = thrown instanceof GraphQLError ? thrown : undefined;
    const origin = originOf(thrown);
    if (origin instanceof DomainError) return toGraphQLError(origin, located);
    if (origin instanceof GraphQLError && (codeOf(origin) || isCallersFault(located ?? origin)))
      return withCode(located ?? origin, codeOf(origin) ?? 'BAD_USER_INPUT', origin);
    const id = requestId();
    log(origin, { requestId: id, path: located?.path?.join('.') });
    const internal = new DomainError('INTERNAL', 'Internal error', { details: { requestId: id } });
    return toGraphQLError(internal, located, { hideOrigin: true });
  };
}

/** A refusal or failure in GraphQL's clothes, at the place where `located` happened. */
export function toGraphQLError(
  error: DomainError,
  located?: GraphQLError,
  { hideOrigin = false } = {},
): GraphQLError {
  return new GraphQLError(error.message, {
    ...placeOf(located),
    ...(hideOrigin ? {} : { originalError: error }),
    extensions: extensionsOf(error.code, error, located?.path !== undefined),
  });
}

/** The first thing thrown, under all the wrappings that executors put around it. */
function originOf(thrown: unknown): unknown {
  let origin = thrown;
  while (origin instanceof GraphQLError && origin.originalError) origin = origin.originalError;
  return origin;
}

function codeOf(error: GraphQLError): ErrorCode | undefined {
  const { code } = error.extensions;
  return typeof code === 'string' && Object.hasOwn(ERROR_CODES, code) ? (code as ErrorCode) : undefined;
}

/**
 * GraphQL's own errors are about the document or the variables, which is the caller's, unless they point at a field
 * that was being resolved: then a value of ours did not fit the schema.
 */
function isCallersFault(error: GraphQLError): boolean {
  return error.path === undefined || (error.nodes ?? []).some(node => node.kind !== Kind.FIELD);
}

function withCode(located: GraphQLError, code: ErrorCode, origin: GraphQLError): GraphQLError {
  const { http, code: _code, ...details } = origin.extensions;
  const extensions = extensionsOf(code, { retryAfterMs: undefined, details }, located.path !== undefined);
  return new GraphQLError(located.message, {
    ...placeOf(located),
    extensions: http ? { ...extensions, http } : extensions,
  });
}

function placeOf(located: GraphQLError | undefined) {
  if (!located) return {};
  const { nodes, source, positions, path } = located;
  return { nodes, source, positions, path };
}

/** Access and load speak through the HTTP status even when a single field was refused; proxies understand them. */
const STATUS_ALSO_FROM_FIELDS: readonly ErrorCode[] = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'RATE_LIMITED',
  'OVERLOADED',
  'SHUTTING_DOWN',
];

function extensionsOf(
  code: ErrorCode,
  { retryAfterMs, details }: Pick<DomainError, 'retryAfterMs' | 'details'>,
  fromField: boolean,
): Record<string, unknown> {
  const { retryable, httpStatus } = ERROR_CODES[code];
  const always = STATUS_ALSO_FROM_FIELDS.includes(code);
  const headers = {
    ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1_000)) }),
    ...(code === 'UNAUTHENTICATED' ? { 'WWW-Authenticate': 'Bearer' } : {}),
  };
  return {
    ...details,
    code,
    retryable,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    // `spec: true`: only under application/graphql-response+json, as GraphQL over HTTP asks for.
    ...(always || !fromField
      ? { http: { status: httpStatus, ...(always ? {} : { spec: true }), headers } }
      : {}),
  };
}
