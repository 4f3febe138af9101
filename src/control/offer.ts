// Which models a provider offers, and each as a deployment. Pure: from the settings, the provider's own list and
// data. Precedence of every figure: the configuration, then the provider's list, then our data.

import { DEFAULT_DEADLINES, type Deployment, LOCAL_DEADLINES, type ProviderKind } from '../domain/model.ts';
import type { DiscoveredModel } from '../providers/provider.ts';
import type { ProviderSettings } from './catalog.ts';
import { isOtherPurpose, knownModel, modelData, standardModels, undatedName } from './model-data.ts';
import { configuredPrice, type PriceBook } from './prices.ts';

/** Beyond this a list is cut: every deployment costs a breaker, a score and a line in each decision. */
export const MAX_MODELS = 500;
const MAX_NAME_LENGTH = 200;

const OFFICIAL_HOSTS: Partial<Record<ProviderKind, string>> = {
  openai: 'api.openai.com',
  anthropic: 'api.anthropic.com',
};

export function isLocal(kind: ProviderKind): boolean {
  return kind === 'ollama' || kind === 'lmstudio';
}

/**
 * Scheme, host and port only: a base URL may carry a password or a secret path. Undefined where nothing is named and the
 * kind has no endpoint of its own.
 */
export function originOf({ kind, baseUrl }: Pick<ProviderSettings, 'kind' | 'baseUrl'>): string | undefined {
  const official = OFFICIAL_HOSTS[kind];
  if (baseUrl === undefined) return official && `https://${official}`;
  // OLLAMA_HOST is a bare `host:port` as often as a URL.
  return URL.parse(baseUrl.includes('://') ? baseUrl : `http://${baseUrl}`)?.origin;
}

/** Is it the endpoint of the maker, whose models we have data of? */
export function isOfficial({ kind, baseUrl }: Pick<ProviderSettings, 'kind' | 'baseUrl'>): boolean {
  const host = OFFICIAL_HOSTS[kind];
  if (host === undefined) return false;
  if (baseUrl === undefined) return true;
  const named = URL.parse(baseUrl)?.hostname ?? '';
  return named === host || named.endsWith(`.${host}`);
}

/**
 * The deployments of a provider. `listed` is its own list, undefined when it could not be had. What is configured is
 * always there; what is not listed any more is not.
 */
export function offeredDeployments(
  settings: ProviderSettings,
  listed: readonly DiscoveredModel[] | undefined,
  prices: PriceBook,
  at: Date,
): Deployment[] {
  if (settings.defect !== undefined) return [];
  const found = new Map(listed?.map(entry => [entry.model, entry]));
  const names = new Set(settings.models.map(model => model.model));
  if (!settings.onlyModels) for (const name of namesFrom(settings, listed)) names.add(name);
  return [...names].slice(0, MAX_MODELS).map(model => {
    const deployment = toDeployment(
      settings,
      model,
      found.get(model),
      prices.priceOf(settings.kind, model, at),
    );
    const undated = undatedName(model);
    return names.has(undated) ? deployment : { ...deployment, aliases: [...deployment.aliases, undated] };
  });
}

function namesFrom(settings: ProviderSettings, listed: readonly DiscoveredModel[] | undefined): string[] {
  const { kind } = settings;
  const usable = (listed ?? [])
    .map(entry => entry.model)
    .filter(name => name !== '' && name.length <= MAX_NAME_LENGTH && !isOtherPurpose(name));
  if (isLocal(kind)) return usable;
  if (isOfficial(settings)) {
    return usable.length > 0
      ? currentNames(usable.filter(name => knownModel(kind, name)?.offered))
      : standardModels(kind);
  }
  // Another's endpoint: its list decides. Without one, our names are a guess, and the configured ones are not.
  if (usable.length > 0) return usable;
  return settings.models.length > 0 ? [] : standardModels(kind);
}

/** One name per model: the undated one, or where the provider lists only snapshots the latest of them. */
function currentNames(names: readonly string[]): string[] {
  const byModel = Map.groupBy(names, undatedName);
  return [...byModel].map(([model, snapshots]) =>
    snapshots.includes(model) ? model : snapshots.sort().at(-1)!,
  );
}

function toDeployment(
  settings: ProviderSettings,
  model: string,
  listed: DiscoveredModel | undefined,
  bookPrice: Deployment['price'],
): Deployment {
  const { id, kind } = settings;
  const configured = settings.models.find(candidate => candidate.model === model);
  const data = modelData(kind, model);
  const contextWindow = configured?.contextWindow ?? listed?.contextWindow ?? data.capabilities.contextWindow;
  const maxOutputTokens =
    configured?.maxOutputTokens ?? listed?.maxOutputTokens ?? data.capabilities.maxOutputTokens;
  // The simulated provider has one model that plays the local one, so that `preferLocal` can be seen at work.
  const local = (settings.local ?? isLocal(kind)) || (kind === 'simulated' && model === 'local');
  return {
    id: `${id}/${model}`,
    providerId: id,
    model,
    capabilities: {
      ...data.capabilities,
      contextWindow,
      maxOutputTokens: Math.min(maxOutputTokens, contextWindow),
      structuredOutput:
        configured?.structuredOutput ?? listed?.structuredOutput ?? data.capabilities.structuredOutput,
    },
    quality: configured?.quality ?? data.quality,
    price: configured?.price ? configuredPrice(configured.price) : bookPrice,
    local,
    simulated: kind === 'simulated',
    aliases: [...new Set(configured?.aliases)],
    aliasPlaces: configured?.aliasPlaces,
    tags: configured?.tags,
    weight: configured?.weight,
    maxConcurrency: configured?.maxConcurrency,
    deadlines: {
      ...(local ? LOCAL_DEADLINES : DEFAULT_DEADLINES),
      ...settings.deadlines,
      ...configured?.deadlines,
    },
  };
}
