// From a configured endpoint to its adapter. The client libraries are heavy, so only those of the kinds in use are
// loaded.

import type { ProviderKind } from '../domain/model.ts';
import type { AddressPolicy } from './guarded-connect.ts';
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
  /** Where it may connect to; absent: wherever the base URL says, for it is the operator's own. */
  readonly addresses?: AddressPolicy | undefined;
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
      return ({ baseUrl, apiKey, api, addresses }) =>
        createOpenAIAdapter({ baseUrl, apiKey, api, addresses });
    }
    case 'anthropic': {
      const { createAnthropicAdapter } = await import('./anthropic.ts');
      return ({ baseUrl, apiKey, addresses }) => createAnthropicAdapter({ baseUrl, apiKey, addresses });
    }
    case 'ollama':
    case 'lmstudio': {
      const { createLocalAdapter } = await import('./local.ts');
      return ({ baseUrl, apiKey, addresses }) => createLocalAdapter({ kind, baseUrl, apiKey, addresses });
    }
    case 'simulated':
      return () => createSimulatedAdapter({ delayFactor: options.simulatedDelayFactor });
  }
}
