// What can serve a request: providers (an endpoint with a credential) and deployments (one model at one provider).
// Everything here is data; adapters and breakers hang on the ids.

import type { Price } from './usage.ts';

export const PROVIDER_KINDS = ['openai', 'anthropic', 'ollama', 'lmstudio', 'simulated'] as const;
export type ProviderKind = (typeof PROVIDER_KINDS)[number];

/** Can the provider be used? UNREACHABLE and MISCONFIGURED are learnt from free calls and from traffic. */
export const PROVIDER_STATUSES = [
  'AVAILABLE',
  'DEGRADED',
  'UNAVAILABLE',
  'MISCONFIGURED',
  'UNKNOWN',
] as const;
export type ProviderStatus = (typeof PROVIDER_STATUSES)[number];

/** Who says that there is this provider. */
export const PROVIDER_SOURCES = ['ENVIRONMENT', 'FILE', 'STORED', 'BUILT_IN'] as const;
export type ProviderSource = (typeof PROVIDER_SOURCES)[number];

export interface Capabilities {
  /** Tokens of prompt and answer together. */
  readonly contextWindow: number;
  readonly maxOutputTokens: number;
  /** Accepts a last message of the role assistant and continues it. */
  readonly assistantPrefill: boolean;
  /** Accepts a temperature other than its default. */
  readonly customTemperature: boolean;
  /**
   * Takes the JSON Schema of its answer apart from the prompt, and keeps to it. False: is known not to, and is not asked
   * for such an answer. Undefined: nobody knows; it is told in words.
   */
  readonly structuredOutput?: boolean | undefined;
}

/** One model at one provider: the unit that is priced, routed to and protected by a breaker. */
export interface Deployment {
  /** `provider/model`, for example `openai/gpt-6-sol`; unique and stable. */
  readonly id: string;
  readonly providerId: string;
  /** The model's name as the provider knows it. */
  readonly model: string;
  readonly capabilities: Capabilities;
  /** 0 (weakest) to 1 (most capable): a configured judgement, used where a task asks for capability. */
  readonly quality: number;
  /** Undefined: the price is unknown, and what it costs is reported as unpriced. */
  readonly price: Price | undefined;
  readonly local: boolean;
  /** Answers are made up by us, for trying things out. Never routed to while a real deployment exists, unless named. */
  readonly simulated: boolean;
  /** Names besides model and id under which a request may ask for it. */
  readonly aliases: readonly string[];
  /** Its place in aliases that prescribe an order or shares; in the others routing chooses freely. */
  readonly aliasPlaces?: readonly AliasPlace[] | undefined;
  /** Marks of the operator's own; a request asks for one as `tag:eu`. */
  readonly tags?: readonly string[] | undefined;
  /** How often it is drawn compared with others that are as good; 1 when absent. 0: used only when it is named. */
  readonly weight?: number | undefined;
  /** Calls it may have under way at once; absent: as many as come. */
  readonly maxConcurrency?: number | undefined;
  readonly deadlines: Deadlines;
}

/** Where a deployment stands in an alias. */
export interface AliasPlace {
  readonly alias: string;
  /** 0 is tried first; a higher rank only when nothing of a lower one can serve. */
  readonly rank: number;
  /** Its share of the draws within its rank; absent: routing chooses by score. */
  readonly weight?: number | undefined;
}

/** The five limits on one attempt. All of them end the attempt, none of them the request by itself, but `totalMs`. */
export interface Deadlines {
  /** Until the connection to the provider stands. */
  readonly connectMs: number;
  /** From the start of the attempt to the first piece of content. */
  readonly firstTokenMs: number;
  /** Between two pieces of content; comments and pings do not count as content. */
  readonly idleMs: number;
  /** Slowest bearable rate over a sliding 10 s window once content flows; 0 switches the rule off. */
  readonly minTokensPerSecond: number;
  /** From acceptance by the executor to the end, over all attempts. */
  readonly totalMs: number;
}

export const DEFAULT_DEADLINES: Deadlines = {
  connectMs: 3_000,
  firstTokenMs: 10_000,
  idleMs: 15_000,
  minTokensPerSecond: 0,
  totalMs: 600_000,
};

/** A local model may have to be loaded into memory before its first token. */
export const LOCAL_DEADLINES: Deadlines = { ...DEFAULT_DEADLINES, firstTokenMs: 60_000 };

/** One endpoint with one credential. */
export interface Provider {
  /** `openai`, `anthropic`, …; a second endpoint of a kind has the name its configuration gives it. */
  readonly id: string;
  readonly kind: ProviderKind;
  readonly source: ProviderSource;
  /** Scheme, host and port that it is called at; undefined: it is called nowhere. */
  readonly origin: string | undefined;
  /** The end of its key, by which people tell keys apart; undefined: it has none. */
  readonly keyHint: string | undefined;
  readonly local: boolean;
  readonly simulated: boolean;
  readonly status: ProviderStatus;
  /** Why the status is not AVAILABLE, and what to do about it; never a secret. */
  readonly statusReason: string | undefined;
  readonly checkedAt: Date | undefined;
  readonly deployments: readonly Deployment[];
}
