// The schema of `mcplane.yaml`: the settings that have a place in the file, nested by their paths, and what only a
// file can say: several endpoints of one kind, models with their prices and sizes, aliases.

import { z } from 'zod';
import { PROVIDER_KINDS } from '../domain/model.ts';
import { breakerSchema } from './breaker-settings.ts';
import { SETTINGS } from './settings.ts';
import { choice, decimal, flag, httpUrl, integer, secretText, text } from './values.ts';

const DAY_MS = 86_400_000;
const GROUP = { error: 'must be a group of `name: value` lines' };
const USD_PER_MILLION = decimal(0, 1_000_000);

const deadlines = z.strictObject(
  {
    connectMs: integer(1, DAY_MS).exactOptional(),
    firstTokenMs: integer(1, DAY_MS).exactOptional(),
    idleMs: integer(1, DAY_MS).exactOptional(),
    minTokensPerSecond: decimal(0, 10_000).exactOptional(),
    totalMs: integer(1, DAY_MS).exactOptional(),
  },
  GROUP,
);

const breaker = breakerSchema(GROUP);

const overrides = {
  aliases: z.array(text(), { error: 'must be a list of names' }).optional(),
  tags: z.array(text(), { error: 'must be a list of names' }).optional(),
  weight: decimal(0, 1_000).optional(),
  maxConcurrency: integer(1, 1_000_000).optional(),
  contextWindow: integer(1, 1_000_000_000).optional(),
  maxOutputTokens: integer(1, 1_000_000_000).optional(),
  quality: decimal(0, 1).optional(),
  structuredOutput: flag().optional(),
  price: z
    .strictObject(
      {
        input: USD_PER_MILLION,
        output: USD_PER_MILLION,
        cachedInput: USD_PER_MILLION.optional(),
        cacheWrite: USD_PER_MILLION.optional(),
      },
      GROUP,
    )
    .optional(),
  deadlines: deadlines.optional(),
  breaker: breaker.optional(),
};

/** A model by its bare name, or with overrides of what the data says of it. */
const model = z.preprocess(
  input => (typeof input === 'string' ? { model: input } : input),
  z.strictObject({ model: text('the name of a model'), ...overrides }, GROUP),
);

export const FILE_PROVIDER = z.strictObject(
  {
    kind: choice(PROVIDER_KINDS.filter(kind => kind !== 'simulated')),
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,49}$/i, 'must be letters, digits, dots, dashes and underscores')
      .optional(),
    enabled: flag().optional(),
    baseUrl: httpUrl().optional(),
    apiKey: secretText().optional(),
    api: choice(['responses', 'chat']).optional(),
    models: z.array(model, { error: 'must be a list of models' }).optional(),
    onlyModels: flag().optional(),
    deadlines: deadlines.optional(),
    breaker: breaker.optional(),
  },
  GROUP,
);

const DEPLOYMENTS = z.array(z.string(), { error: 'must be a list of deployment ids' });

/** Deployments among which routing chooses, or shares of the requests; then others, one after the other. */
const aliasGroup = z.strictObject(
  {
    deployments: DEPLOYMENTS.optional(),
    shares: z.record(z.string(), decimal(0, 1_000_000), GROUP).optional(),
    fallbacks: DEPLOYMENTS.optional(),
  },
  { error: 'must be a deployment id, a list of them, or a group of deployments, shares and fallbacks' },
);

/** A bare id or list is short for `deployments`. */
const alias = z.preprocess(
  input =>
    typeof input === 'string'
      ? { deployments: [input] }
      : Array.isArray(input)
        ? { deployments: input }
        : input,
  aliasGroup,
);

const fileOnly = {
  providers: z.array(FILE_PROVIDER, { error: 'must be a list of endpoints' }).optional(),
  /** Overrides by deployment id, `provider/model`. */
  models: z.record(z.string(), z.strictObject(overrides, GROUP), GROUP).optional(),
  /** A name of one's own for one deployment or several. */
  aliases: z.record(z.string(), alias, GROUP).optional(),
};

export type FileProvider = z.output<typeof FILE_PROVIDER>;
export type FileModels = NonNullable<z.output<typeof fileOnly.models>>;
export type FileAliases = NonNullable<z.output<typeof fileOnly.aliases>>;

export const FILE_ONLY_SCHEMA = z.object(fileOnly);
export const FILE_SCHEMA = z.strictObject({ ...settingGroups(), ...fileOnly }, GROUP);

type Branch = Map<string, Branch | z.ZodType>;

/** The settings with a path, nested: `http.port` becomes the field `port` of the group `http`. */
function settingGroups(): Record<string, z.ZodType> {
  const root: Branch = new Map();
  for (const { path, kind } of Object.values(SETTINGS)) {
    const names = path?.split('.') ?? [];
    let branch = root;
    for (const [index, name] of names.entries()) {
      const below = branch.get(name) ?? new Map();
      branch.set(name, index === names.length - 1 ? kind.optional() : below);
      if (below instanceof Map) branch = below;
    }
  }
  return fieldsOf(root);
}

function fieldsOf(branch: Branch): Record<string, z.ZodType> {
  const fields = [...branch].map(([name, node]) => {
    const field = node instanceof Map ? z.strictObject(fieldsOf(node), GROUP).optional() : node;
    return [name, field] as const;
  });
  return Object.fromEntries(fields);
}

/** The names the schema knows at a place, for suggestions. */
export function namesAt(path: readonly PropertyKey[]): string[] {
  let schema: unknown = FILE_SCHEMA;
  for (const step of path) {
    schema = unwrap(schema);
    if (schema instanceof z.ZodObject) schema = schema.shape[step as string];
    else if (schema instanceof z.ZodArray) schema = schema.element;
    else if (schema instanceof z.ZodRecord) schema = schema.valueType;
  }
  schema = unwrap(schema);
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function unwrap(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return unwrap(schema.unwrap());
  return schema instanceof z.ZodPipe ? unwrap(schema.out) : schema;
}
