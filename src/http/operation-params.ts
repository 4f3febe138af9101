// The parameters of an operation out of a JSON body or a URL. Nothing of what was sent is repeated in a refusal.

import type { GraphQLError } from 'graphql';
import type { OperationParams } from './pipeline.ts';
import { requestError } from './refusals.ts';

export type ParamsOrError = OperationParams | GraphQLError;

export function parseJson(text: string): { value: unknown } | GraphQLError {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return requestError('The body is not JSON.');
  }
}

/** Of one operation, in the form that both the body and the socket's `subscribe` use. */
export function readParams(value: unknown, maxJsonDepth: number): ParamsOrError {
  if (!isMap(value)) return requestError('The body must be a JSON object with a "query".');
  const { query, operationName, variables, extensions } = value;
  if (typeof query !== 'string' || query === '')
    return requestError('"query" must be a string, and not empty.');
  if (operationName != null && typeof operationName !== 'string') {
    return requestError('"operationName" must be a string.');
  }
  if (variables != null && !isMap(variables)) return requestError('"variables" must be an object.');
  if (extensions != null && !isMap(extensions)) return requestError('"extensions" must be an object.');
  if (nestsDeeper(variables, maxJsonDepth) || nestsDeeper(extensions, maxJsonDepth)) {
    return requestError(`"variables" nest deeper than ${maxJsonDepth} levels.`);
  }
  return { query, operationName: operationName || undefined, variables };
}

export function readUrlParams(search: string, maxJsonDepth: number): ParamsOrError {
  const parameters = new URLSearchParams(search);
  const maps: Record<string, unknown> = {};
  for (const name of ['variables', 'extensions']) {
    const text = parameters.get(name);
    if (!text) continue;
    const parsed = parseJson(text);
    if (!('value' in parsed)) return requestError(`"${name}" must be an object, as URL-encoded JSON.`);
    maps[name] = parsed.value;
  }
  return readParams(
    { query: parameters.get('query'), operationName: parameters.get('operationName'), ...maps },
    maxJsonDepth,
  );
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Looks no deeper than that. */
export function nestsDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some(inner => nestsDeeper(inner, levels - 1));
}
