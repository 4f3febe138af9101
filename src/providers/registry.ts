// From a configured endpoint to its adapter. The client libraries are heavy, so only those of the kinds in use are
// loaded.

import type { ProviderKind } from '../domain/model.ts';
import type { ProviderAdapter } from './provider.ts';
import { createSimulatedAdapter } from './simulated.ts';

/** What an adapter is made from. */
export interface AdapterSettings {
  readonly kind: ProviderKind;
  /** Absent: the official endpoint, or for a local kind its default port. */
  readonly baseUrl: string | undefined;
  readonly apiKey: string | undefined;
  /** OpenAI only; absent: `responses` at the official endpoint, `chat` at any other. */
  readonly api: 'responses' | 'chat' | undefined;
}

export interface AdapterOptions {
  /** Multiplies the waits of the simulated provider; 0 for none. */
  readonly simulatedDelayFactor?: number | undefined;
}

export type CreateAdapter = (settings: AdapterSettings) => ProviderAdapter;

/** Loads what the kinds need and returns the factory for them; the factory throws for a kind that was not named. */
export async function loadAdapters(
  kinds: Iterable<ProviderKind>,
  options: AdapterOptions = {},
): Promise<CreateAdapter> {
  const wanted = [...new Set(kinds)];
  const factories = new Map(
    await Promise.all(wanted.map(async kind => [kind, await loadFactory(kind, options)] as const)),
  );
  return settings => {
    const factory = factories.get(settings.kind);
    if (!factory) throw new Error(`The adapter of the kind ${settings.kind} was not loaded`);
    return factory(settings);
  };
}

async function loadFactory(kind: ProviderKind, options: AdapterOptions): Promise<CreateAdapter> {
  switch (kind) {
    case 'openai': {
      const { createOpenAIAdapter } = await import('./openai.ts');
      return ({ baseUrl, apiKey, api }) => createOpenAIAdapter({ baseUrl, apiKey, api });
    }
    case 'anthropic': {
      const { createAnthropicAdapter } = await import('./anthropic.ts');
      return ({ baseUrl, apiKey }) => createAnthropicAdapter({ baseUrl, apiKey });
    }
    case 'ollama':
    case 'lmstudio': {
      const { createLocalAdapter } = await import('./local.ts');
      return ({ baseUrl, apiKey }) => createLocalAdapter({ kind, baseUrl, apiKey });
    }
    case 'simulated':
      return () => createSimulatedAdapter({ delayFactor: options.simulatedDelayFactor });
  }
}
