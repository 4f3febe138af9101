// Which providers there are: those that variables name, those of the file, and the local ones that are looked for.

import type { ModelSettings, ProviderSettings } from '../control/catalog.ts';
import { UNUSED_KEY } from '../domain/key-hint.ts';
import type { AliasPlace, Deadlines } from '../domain/model.ts';
import type { ConfigFile } from './file.ts';
import type { FileAliases, FileProvider } from './file-schema.ts';
import { type ConfigProblem, didYouMean } from './problems.ts';
import type { Values } from './settings.ts';

type Kind = FileProvider['kind'];
type Draft = { -readonly [Key in keyof ProviderSettings]: ProviderSettings[Key] };

/** The built-in provider that makes answers up. */
export const SIMULATED: ProviderSettings = {
  id: 'simulated',
  source: 'BUILT_IN',
  kind: 'simulated',
  baseUrl: undefined,
  apiKey: undefined,
  api: undefined,
  models: [],
  onlyModels: false,
  deadlines: {},
  explicit: true,
};

/** What variables say of the first endpoint of each kind. */
interface FromVariables {
  readonly apiKey: string | undefined;
  readonly baseUrl: string | undefined;
  readonly explicit: boolean;
}

export interface Endpoints {
  readonly values: Values;
  /** Did the operator set this variable? Then it wins over the file. */
  readonly isSet: (name: 'OLLAMA_HOST' | 'LMSTUDIO_BASE_URL') => boolean;
  /** Deadlines that the operator set for all providers. */
  readonly deadlines: Partial<Deadlines>;
  readonly file: ConfigFile;
  readonly problems: ConfigProblem[];
}

export function readProviders(endpoints: Endpoints): ProviderSettings[] {
  const { file, problems } = endpoints;
  const variables = fromVariables(endpoints);
  const drafts = new Map<string, Draft>();
  const switchedOff = new Set<string>();
  for (const [index, entry] of file.providers.entries()) {
    const id = entry.id ?? entry.kind;
    const place = ['providers', index];
    if (drafts.has(id) || switchedOff.has(id)) {
      const problem = `has the id ${id}, which another endpoint has`;
      problems.push({ where: file.locate(place), problem, fix: 'Give each one an `id` of its own.' });
    } else if (entry.enabled === false) switchedOff.add(id);
    else {
      const draft = fromEntry(entry, id, id === entry.kind ? variables[entry.kind] : undefined, endpoints);
      draft.explicit = true;
      draft.source = 'FILE';
      if (draft.baseUrl === undefined && draft.apiKey === undefined) {
        const problem = `has neither apiKey nor baseUrl (providers.${index})`;
        problems.push({ where: file.locate(place), problem, fix: `Add apiKey: \${env:NAME}, or baseUrl.` });
      } else drafts.set(id, draft);
    }
  }
  for (const kind of Object.keys(variables) as Kind[])
    if (!drafts.has(kind) && !switchedOff.has(kind)) {
      const draft = fromEntry({ kind }, kind, variables[kind], endpoints);
      if (draft.baseUrl !== undefined || draft.apiKey !== undefined) drafts.set(kind, draft);
    }
  for (const [id, models] of Object.entries(file.models))
    overrideModel(id, models, ['models', id], { drafts, endpoints });
  for (const [alias, targets] of Object.entries(file.aliases))
    for (const [id, aliasPlaces] of placesIn(alias, targets))
      overrideModel(id, { aliases: [alias], aliasPlaces }, ['aliases', alias], { drafts, endpoints });
  return [...drafts.values()];
}

function fromVariables({ values, isSet }: Endpoints): Record<Kind, FromVariables> {
  const keyed = (apiKey: string | undefined, baseUrl: string | undefined) => ({
    apiKey,
    baseUrl,
    explicit: apiKey !== undefined || baseUrl !== undefined,
  });
  const local = (baseUrl: string, explicit: boolean) => ({ apiKey: undefined, baseUrl, explicit });
  return {
    openai: keyed(values.OPENAI_API_KEY, values.OPENAI_BASE_URL),
    anthropic: keyed(values.ANTHROPIC_API_KEY, values.ANTHROPIC_BASE_URL),
    ollama: local(values.OLLAMA_HOST, isSet('OLLAMA_HOST')),
    lmstudio: local(values.LMSTUDIO_BASE_URL, isSet('LMSTUDIO_BASE_URL')),
  };
}

/** One endpoint; a variable that was set wins over the file, the file over a default address. */
function fromEntry(
  entry: FileProvider,
  id: string,
  variables: FromVariables | undefined,
  { deadlines }: Endpoints,
): Draft {
  const set = variables?.explicit ? variables : undefined;
  const apiKey = set?.apiKey ?? entry.apiKey;
  const baseUrl = set?.baseUrl ?? entry.baseUrl ?? variables?.baseUrl;
  const keyed = entry.kind === 'openai' || entry.kind === 'anthropic';
  return {
    id,
    // What is looked for at its usual place is nobody's word.
    source: set ? 'ENVIRONMENT' : 'BUILT_IN',
    kind: entry.kind,
    baseUrl,
    apiKey: apiKey ?? (keyed && baseUrl !== undefined ? UNUSED_KEY : undefined),
    api: entry.api,
    models: entry.models ?? [],
    onlyModels: entry.onlyModels ?? false,
    deadlines: { ...deadlines, ...entry.deadlines },
    breaker: entry.breaker,
    explicit: variables?.explicit ?? false,
  };
}

/** The deployments of an alias, each with its place where the alias prescribes one. */
function placesIn(alias: string, targets: FileAliases[string]): [id: string, places: AliasPlace[]][] {
  const { deployments = [], shares = {}, fallbacks = [] } = targets;
  const prescribes = Object.keys(shares).length > 0 || fallbacks.length > 0;
  const first = prescribes ? [{ alias, rank: 0 }] : [];
  return [
    ...deployments.map((id): [string, AliasPlace[]] => [id, first]),
    ...Object.entries(shares).map(([id, weight]): [string, AliasPlace[]] => [
      id,
      [{ alias, rank: 0, weight }],
    ]),
    ...fallbacks.map((id, index): [string, AliasPlace[]] => [id, [{ alias, rank: index + 1 }]]),
  ];
}

/** Adds what the file says of a deployment to the endpoint it belongs to. */
function overrideModel(
  deploymentId: string,
  override: Omit<ModelSettings, 'model'>,
  path: readonly string[],
  { drafts, endpoints: { file, problems } }: { drafts: Map<string, Draft>; endpoints: Endpoints },
): void {
  const slash = deploymentId.indexOf('/');
  const draft = drafts.get(deploymentId.slice(0, slash));
  if (!draft || slash === deploymentId.length - 1) {
    const known = [...drafts.keys()];
    problems.push({
      where: `${file.locate(path)} (${path.join('.')})`,
      problem: `names ${deploymentId}, and there is no such provider`,
      fix:
        didYouMean(deploymentId.slice(0, Math.max(slash, 0)), known) ??
        `Write provider/model; configured are ${known.join(', ')}.`,
    });
    return;
  }
  const model = deploymentId.slice(slash + 1);
  const existing = draft.models.find(entry => entry.model === model);
  const merged: { -readonly [Key in keyof ModelSettings]: ModelSettings[Key] } = {
    ...existing,
    ...override,
    model,
    aliases: [...new Set([...(existing?.aliases ?? []), ...(override.aliases ?? [])])],
  };
  const aliasPlaces = [...(existing?.aliasPlaces ?? []), ...(override.aliasPlaces ?? [])];
  if (aliasPlaces.length > 0) merged.aliasPlaces = aliasPlaces;
  else delete merged.aliasPlaces;
  draft.models = existing
    ? draft.models.map(entry => (entry === existing ? merged : entry))
    : [...draft.models, merged];
}
