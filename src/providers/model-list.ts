// Reads the model lists of the APIs that have an SDK: `{ data: [{ id, … }] }`. Free of charge for the caller.

import { isJson, type Json } from './decoding.ts';
import { type ErrorContext, toProviderError } from './errors.ts';
import { transport } from './http.ts';
import { ProviderError } from './provider-error.ts';

export type ListedModel = Json & { readonly id: string };

/** What the SDKs return before a response is parsed; they would take any other answer for an empty list. */
interface Sending {
  asResponse(): Promise<Response>;
}

/** Empty when the server has no list. Throws ProviderError, or the reason of the abort. */
export async function listedModels(
  send: (fetchOptions: Record<never, never>) => Sending,
  signal: AbortSignal,
  context: ErrorContext,
): Promise<ListedModel[]> {
  let body: unknown;
  try {
    const response = await send(transport({ signal })).asResponse();
    body = await response.json();
  } catch (error) {
    signal.throwIfAborted();
    const failure = toProviderError(error, context);
    if (failure.fault === 'unknown-model' || failure.status === 405) return [];
    throw failure;
  }
  if (!isJson(body) || !Array.isArray(body.data))
    throw new ProviderError('bad-response', `${context.provider} sent a model list of another format`);
  return body.data.filter(isListedModel);
}

function isListedModel(model: unknown): model is ListedModel {
  return isJson(model) && typeof model.id === 'string' && model.id !== '';
}
