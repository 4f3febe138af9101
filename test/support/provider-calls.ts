// Calls of a provider adapter as tests need them: a plain call, and everything that one stream brought.

import type { ProviderAdapter, ProviderCall, ProviderEvent } from '../../src/providers/provider.ts';
import { ProviderError } from '../../src/providers/provider-error.ts';

export const NEVER = new AbortController().signal;

export function providerCall(change: Partial<ProviderCall> = {}): ProviderCall {
  return {
    model: 'scripted-model',
    system: undefined,
    messages: [{ role: 'USER', content: 'Hello there' }],
    maxOutputTokens: 200,
    temperature: undefined,
    stop: [],
    requestId: 'request-1',
    ...change,
  };
}

export interface CollectedAnswer {
  readonly events: readonly ProviderEvent[];
  readonly text: string;
  readonly finished: Extract<ProviderEvent, { type: 'finished' }> | undefined;
  readonly error: unknown;
}

/** Reads a stream to its end, whichever that is. */
export async function collect(
  adapter: ProviderAdapter,
  call: ProviderCall = providerCall(),
  signal: AbortSignal = NEVER,
): Promise<CollectedAnswer> {
  const events: ProviderEvent[] = [];
  let error: unknown;
  try {
    await adapter.stream(call, signal, event => void events.push(event));
  } catch (thrown) {
    error = thrown;
  }
  const last = events.at(-1);
  return {
    events,
    text: events.map(event => (event.type === 'token' ? event.text : '')).join(''),
    finished: last?.type === 'finished' ? last : undefined,
    error,
  };
}

/** What a failed call is judged by: the fault and, where there is one, the status. */
export function faultOf(error: unknown): string {
  if (!(error instanceof ProviderError)) return `not a ProviderError: ${error}`;
  return error.status === undefined ? error.fault : `${error.fault} ${error.status}`;
}
