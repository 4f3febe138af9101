// What can be said of a provider through the API: the same as in the configuration file, by the same rules, but for its
// key, which goes another way.

import { z } from 'zod';
import { badInput } from '../domain/errors.ts';
import { FILE_PROVIDER } from './file-schema.ts';
import { flag } from './values.ts';

const MAX_MODELS = 500;

const { id, kind, baseUrl, api, models, onlyModels, deadlines } = FILE_PROVIDER.shape;

const schema = z.strictObject({
  id: id.unwrap(),
  kind,
  baseUrl,
  api,
  models: models.refine(list => (list?.length ?? 0) <= MAX_MODELS, `must be at most ${MAX_MODELS} models`),
  onlyModels,
  deadlines,
  local: flag().optional(),
  allowPrivate: flag().optional(),
});

export type ProviderDescription = z.output<typeof schema>;

/** Throws BAD_USER_INPUT with the first thing that is wrong, and never with what was handed in. */
export function parseProviderDescription(input: object): ProviderDescription {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badInput(issue?.path.join('.') || 'input', issue?.message ?? 'is not a provider');
}
