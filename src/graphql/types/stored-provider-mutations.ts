// Making, changing and deleting providers while the server runs.

import type { ProviderChange, ProviderDescription } from '../../control/stored-providers.ts';
import type { Provider } from '../../domain/model.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { ProviderType } from './provider.ts';
import { DeadlinesInput } from './submission.ts';

const PriceInput = builder.inputType('PriceInput', {
  description: 'What a model costs, in USD per million tokens.',
  fields: t => ({
    input: t.float({ required: true, description: 'Tokens of the prompt.' }),
    output: t.float({ required: true, description: 'Tokens of the answer.' }),
    cachedInput: t.float({ description: "Tokens read from the provider's cache; left out: as `input`." }),
    cacheWrite: t.float({ description: "Tokens written to the provider's cache; left out: as `input`." }),
  }),
});

const ProviderModelInput = builder.inputType('ProviderModelInput', {
  description: 'One model of a provider. What is left out comes from its list, then from our data.',
  fields: t => ({
    model: t.string({ required: true, description: 'Its name at the provider.' }),
    aliases: t.stringList({ description: 'Further names under which requests may ask for it.' }),
    tags: t.stringList({ description: 'Marks of your own; a request asks for all that bear one by `tag:`.' }),
    weight: t.float({
      description: 'How often it is drawn among its equals: 0 to 1,000; 0: only when it is named.',
    }),
    maxConcurrency: t.int({ description: 'Calls that it may have under way at once.' }),
    contextWindow: t.int({ description: 'Tokens of prompt and answer together.' }),
    maxOutputTokens: t.int({ description: 'The longest answer in tokens.' }),
    quality: t.float({ description: '0 (weakest) to 1 (most capable).' }),
    price: t.field({ type: PriceInput, description: 'What it costs.' }),
    deadlines: t.field({ type: DeadlinesInput, description: "Otherwise than its provider's." }),
  }),
});

const BASE_URL =
  'Where it is: an address without credentials, query and fragment; HTTPS in production. One that leads to own hardware or an own network needs `allowPrivate`; one that leads to credentials of a machine is refused always. It is looked up now, and judged again at every connection.';
const API_KEY =
  'Its key, 1 to 1,000 visible ASCII characters. Stored encrypted, sent to this provider alone, and never shown again.';
const API = 'What it speaks, of kind `openai` only: `chat` or `responses`.';
const MODELS =
  'Models that are offered even where its own list lacks them, or with other figures: at most 500.';
const ALLOW_PRIVATE =
  'Whether its address may lead to own hardware or an own network. The server must admit that by MCPLANE_ALLOW_PRIVATE_PROVIDERS.';

const CreateProviderInput = builder.inputType('CreateProviderInput', {
  description: 'A provider to be.',
  fields: t => ({
    id: t.id({
      required: true,
      description:
        'What it is called, for ever: 1 to 50 letters, digits, dots, dashes and underscores. Its deployments are called `id/model`.',
    }),
    kind: t.string({
      required: true,
      description: 'What it speaks: `openai`, `anthropic`, `ollama` or `lmstudio`.',
    }),
    baseUrl: t.string({ description: `${BASE_URL} Left out: the official endpoint of the kind.` }),
    apiKey: t.string({ description: API_KEY }),
    api: t.string({ description: `${API} Left out: \`responses\` at OpenAI itself, else \`chat\`.` }),
    models: t.field({ type: [ProviderModelInput], description: MODELS }),
    onlyModels: t.boolean({ description: 'Whether only `models` are offered, whatever its list has.' }),
    deadlines: t.field({
      type: DeadlinesInput,
      description: 'Of all its models, unless they have their own.',
    }),
    local: t.boolean({
      description: 'Whether it runs on own hardware; left out: true for `ollama` and `lmstudio`.',
    }),
    allowPrivate: t.boolean({ description: ALLOW_PRIVATE }),
  }),
});

const UpdateProviderInput = builder.inputType('UpdateProviderInput', {
  description: 'What to change of a provider; what is left out or null stays.',
  fields: t => ({
    providerId: t.id({ required: true, description: 'The provider.' }),
    baseUrl: t.string({
      description: `${BASE_URL} With another scheme, host or port its key is dropped, unless a new one comes with it.`,
    }),
    apiKey: t.string({ description: `A new key. ${API_KEY}` }),
    dropKey: t.boolean({ description: 'True: it has no key any more.' }),
    api: t.string({ description: API }),
    models: t.field({ type: [ProviderModelInput], description: `All of them anew. ${MODELS}` }),
    onlyModels: t.boolean({ description: 'Whether only `models` are offered, whatever its list has.' }),
    deadlines: t.field({ type: DeadlinesInput, description: 'All of them anew.' }),
    local: t.boolean({ description: 'Whether it runs on own hardware.' }),
    allowPrivate: t.boolean({ description: ALLOW_PRIVATE }),
  }),
});

const DeleteProviderInput = builder.inputType('DeleteProviderInput', {
  description: 'Which provider to delete.',
  fields: t => ({ providerId: t.id({ required: true, description: 'The provider.' }) }),
});

const CreateProviderPayload = builder.objectRef<{ provider: Provider }>('CreateProviderPayload').implement({
  description: 'What `createProvider` did.',
  fields: t => ({
    provider: t.expose('provider', {
      type: ProviderType,
      description: 'The provider, after it was asked for its models.',
    }),
  }),
});

const UpdateProviderPayload = builder.objectRef<{ provider: Provider }>('UpdateProviderPayload').implement({
  description: 'What `updateProvider` did.',
  fields: t => ({
    provider: t.expose('provider', { type: ProviderType, description: 'The provider as it is now.' }),
  }),
});

const DeleteProviderPayload = builder.objectRef<{ providerId: string }>('DeleteProviderPayload').implement({
  description: 'What `deleteProvider` did.',
  fields: t => ({ providerId: t.exposeID('providerId', { description: 'What the provider was called.' }) }),
});

const CONFIGURED = 'CONFLICT for one that comes from the configuration: the message says from where.';

builder.mutationFields(t => ({
  createProvider: t.field({
    ...permitted('provider:manage'),
    type: CreateProviderPayload,
    description:
      'Makes a provider that is used at once on every instance, and after restarts. CONFLICT when the id is taken, when there are too many, and when the server has nothing to encrypt a key with. Kept in the audit log, without the key.',
    args: { input: t.arg({ type: CreateProviderInput, required: true, description: 'What to make.' }) },
    resolve: async (_root, { input: { apiKey, ...input } }, context) => {
      const description = withoutNulls<ProviderDescription>(input);
      return {
        provider: await context.storedProviders.create(actorOf(context), description, apiKey ?? undefined),
      };
    },
  }),
  updateProvider: t.field({
    ...permitted('provider:manage'),
    type: UpdateProviderPayload,
    description: `Changes a stored provider on every instance; requests that run there finish as they began. ${CONFIGURED} Kept in the audit log, without the key.`,
    args: { input: t.arg({ type: UpdateProviderInput, required: true, description: 'What to change.' }) },
    resolve: async (_root, { input: { providerId, ...input } }, context) => {
      const change = withoutNulls<ProviderChange>(input);
      return { provider: await context.storedProviders.update(actorOf(context), providerId, change) };
    },
  }),
  deleteProvider: t.field({
    ...permitted('provider:manage'),
    type: DeleteProviderPayload,
    description: `Takes a stored provider out of service on every instance, and deletes it with its key; requests that run there finish. ${CONFIGURED} Kept in the audit log.`,
    args: { input: t.arg({ type: DeleteProviderInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input: { providerId } }, context) => {
      await context.storedProviders.delete(actorOf(context), providerId);
      return { providerId };
    },
  }),
}));

/** Null and left out mean the same. What remains is checked where it is used. */
function withoutNulls<Value>(input: object): Value {
  return JSON.parse(JSON.stringify(input), (_key, value) => value ?? undefined);
}
