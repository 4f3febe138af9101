// What can serve requests: providers from the configuration, their models from their own lists, and for every
// model its price, size and capabilities from data. Knows nothing of breakers or traffic.

import type { Deadlines, Deployment, Provider, ProviderKind } from '../domain/model.ts';
import type { ProviderAdapter } from '../providers/provider.ts';

/** One model as the configuration names it; everything but the name is an override of the data. */
export interface ModelSettings {
  readonly model: string;
  readonly aliases?: readonly string[] | undefined;
  readonly contextWindow?: number | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly quality?: number | undefined;
  /** USD per million tokens. */
  readonly price?:
    | { input: number; output: number; cachedInput?: number | undefined; cacheWrite?: number | undefined }
    | undefined;
  readonly deadlines?: Partial<Deadlines> | undefined;
}

/** One endpoint with one credential, from the environment or `mcplane.yaml`. */
export interface ProviderSettings {
  readonly id: string;
  readonly kind: ProviderKind;
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** OpenAI only; absent: `responses` at the official endpoint, `chat` at any other. */
  readonly api: 'responses' | 'chat' | undefined;
  /** Offered even when the provider's own list lacks them; the only ones offered when `onlyModels`. */
  readonly models: readonly ModelSettings[];
  readonly onlyModels: boolean;
  readonly deadlines: Partial<Deadlines>;
  /** True when the operator asked for it; false when it is only looked for (Ollama and LM Studio on their default ports). */
  readonly explicit: boolean;
}

export interface Catalog {
  providers(): readonly Provider[];
  deployments(): readonly Deployment[];
  deployment(id: string): Deployment | undefined;
  adapterOf(deployment: Deployment): ProviderAdapter;
  /** Asks every provider for its models once; resolves when all have answered or failed. Never throws. */
  refresh(signal: AbortSignal): Promise<void>;
  /** Called after a provider's status or deployments changed; returns the way to stop it. */
  onChange(listener: (provider: Provider) => void): () => void;
  close(): Promise<void>;
}
