// SEAM 1: whoever turns a prompt into tokens. One method streams; an answer that is not streamed is the
// collected stream. No policy lives behind this seam: no retries, no breaker, no deadlines, no metrics.

import type { ProviderKind } from '../domain/model.ts';
import type { FinishReason, Message } from '../domain/request.ts';
import type { InputUsage, Usage } from '../domain/usage.ts';
import type { JsonSchema } from '../lib/json-schema.ts';

/** The answer is to be JSON of a schema. */
export interface OutputFormat {
  readonly schema: JsonSchema;
  /** The model keeps to a schema that is sent with the call; otherwise it is told in words, and may not. */
  readonly enforced: boolean;
}

/** One call as an adapter sees it. */
export interface ProviderCall {
  /** The model's name at the provider. */
  readonly model: string;
  readonly system: string | undefined;
  readonly messages: readonly Message[];
  readonly maxOutputTokens: number;
  readonly temperature: number | undefined;
  readonly stop: readonly string[];
  /** Absent: any text will do. */
  readonly output?: OutputFormat | undefined;
  /** Ours, for the provider's logs and for idempotency where the provider knows it. */
  readonly requestId: string;
}

export type ProviderEvent =
  /** The connection stands and the call is being written to it. At most once; ends the connect deadline. */
  | { readonly type: 'connected' }
  /**
   * The head of the answer says 200 and promises events: from here on the prompt may be billed, whatever follows. At
   * most once; an adapter that cannot tell leaves it out, for every event below says the same.
   */
  | { readonly type: 'accepted' }
  /** The provider answers. At most once, before any other event but `connected` and `accepted`. */
  | {
      readonly type: 'started';
      readonly responseId?: string | undefined;
      readonly servedModel?: string | undefined;
      /** The prompt as the provider counted it, for calls that never get to their `finished`. */
      readonly inputUsage?: InputUsage | undefined;
    }
  /** Content that is not shown (reasoning); it counts as a sign of life. */
  | { readonly type: 'progress' }
  | { readonly type: 'token'; readonly text: string }
  /** The terminal marker was seen. Always the last event. Usage is absent when the provider reported none. */
  | {
      readonly type: 'finished';
      readonly reason: { readonly unified: FinishReason; readonly raw: string };
      readonly usage: Usage | undefined;
      readonly servedModel?: string | undefined;
    };

/** A model that a provider's own list offers. Absent figures are unknown. */
export interface DiscoveredModel {
  readonly model: string;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  /** Whether it keeps to a JSON Schema that is sent with the call. */
  readonly structuredOutput?: boolean | undefined;
}

/** Gets the events of a call in their order, at once. Must neither wait nor throw. */
export type ProviderListener = (event: ProviderEvent) => void;

export interface ProviderAdapter {
  readonly kind: ProviderKind;
  /**
   * Makes the call. Resolves behind the event `finished`, as soon as the provider has nothing more to do for the call;
   * without that event it ends only by rejecting: with a ProviderError, or with the reason of the signal, whose abort
   * closes the upstream connection. After its end no event comes.
   */
  stream(call: ProviderCall, signal: AbortSignal, onEvent: ProviderListener): Promise<void>;
  /** The models the endpoint offers, by a call that costs nothing. Throws ProviderError; empty when it has no list. */
  listModels(signal: AbortSignal): Promise<readonly DiscoveredModel[]>;
  /** Releases sockets. */
  close(): Promise<void>;
}
