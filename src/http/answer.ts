// How a result becomes an HTTP answer: status, headers, body.

import type { ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { HttpLimits } from './limits.ts';
import { JSON_TYPE } from './media-types.ts';
import { presentErrors } from './refusals.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Errors beside data are the business of their fields, so there may be more of them than in a refusal. */
const MAX_ERRORS_BESIDE_DATA = 100;

/** The result without what is meant for the transport, bounded. */
export function presentResult(result: ExecutionResult, limits: HttpLimits): object {
  if (!result.errors) return result;
  const { errors, ...rest } = result;
  if (errors.length === 0) return rest;
  const bounds = {
    maxErrors: rest.data ? MAX_ERRORS_BESIDE_DATA : limits.query.maxErrors,
    maxBytes: limits.maxErrorBytes,
  };
  // Errors first: a reader of a long answer sees at once that something is missing.
  return { errors: presentErrors(errors, bounds), ...rest };
}

export function toAnswer(result: ExecutionResult, mediaType: string, limits: HttpLimits): Answer {
  const { status, headers } = statusOf(result, mediaType);
  return {
    status,
    headers: { ...headers, 'content-type': `${mediaType}; charset=utf-8` },
    body: JSON.stringify(presentResult(result, limits)),
  };
}

/**
 * Data makes it 200. Otherwise the errors say (`extensions.http`); those marked `spec` are about the document, and
 * `application/json` keeps 200 for them, since its clients read GraphQL errors only from a 200.
 */
export function statusOf(
  result: ExecutionResult,
  mediaType: string,
): { status: number; headers: Record<string, string> } {
  if (result.data || !result.errors) return { status: 200, headers: {} };
  let status = 200;
  let headers: Record<string, string> = {};
  for (const error of result.errors) {
    const http = transportMarks(error);
    if (!http || (http.spec && mediaType === JSON_TYPE)) continue;
    if (http.status > status) {
      status = http.status;
      headers = lowerCased(http.headers ?? {});
    }
  }
  if (status === 401) headers = { 'www-authenticate': 'Bearer', ...headers };
  if (status === 429 || status === 503) headers = { 'retry-after': retryAfter(result.errors), ...headers };
  return { status, headers };
}

interface TransportMarks {
  readonly status: number;
  readonly spec?: boolean;
  readonly headers?: Record<string, string>;
}

function transportMarks(error: Error): TransportMarks | undefined {
  const http = error instanceof GraphQLError ? error.extensions.http : undefined;
  return typeof http === 'object' && http !== null && 'status' in http ? (http as TransportMarks) : undefined;
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function retryAfter(errors: readonly Error[]): string {
  const waits = errors.map(error =>
    error instanceof GraphQLError ? error.extensions.retryAfterMs : undefined,
  );
  const longestMs = Math.max(1_000, ...waits.filter(wait => typeof wait === 'number'));
  return String(Math.ceil(longestMs / 1_000));
}

export function send(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

/** Answers outside GraphQL: health, setup, unknown paths. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): void {
  send(response, {
    status,
    headers: { 'content-type': `${JSON_TYPE}; charset=utf-8`, ...headers },
    body: `${JSON.stringify(value)}\n`,
  });
}
