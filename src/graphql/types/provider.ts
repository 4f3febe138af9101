// What can serve requests, and how it fares: providers, deployments, breakers.

import type { BreakerSnapshot, BreakerTransition } from '../../domain/breaker.ts';
import type { Deployment, Provider } from '../../domain/model.ts';
import type { Price, TieredRate } from '../../domain/usage.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { pageCost } from '../cost.ts';
import { createLoader } from '../loading.ts';
import { parsePageSize } from '../pagination.ts';
import { BreakerCauseEnum, BreakerStateEnum, ProviderSourceEnum, ProviderStatusEnum } from './enums.ts';

/** Most servers have a handful of providers with a handful of models each, and all of it is in memory. */
export const CATALOG_COST = { field: 1, multiplier: 5 };

const histories = createLoader((ids, context) => context.gateway.breakerHistory(ids));

export const ProviderType = builder.objectRef<Provider>('Provider');
export const DeploymentType = builder.objectRef<Deployment>('Deployment');
const BreakerType = builder.objectRef<BreakerSnapshot>('Breaker');
const BreakerTransitionType = builder.objectRef<BreakerTransition>('BreakerTransition');
const PriceType = builder.objectRef<Price>('Price');

export function deploymentOf(context: Context, id: string | undefined): Deployment | undefined {
  return context.gateway
    .providers()
    .flatMap(provider => provider.deployments)
    .find(deployment => deployment.id === id);
}

ProviderType.implement({
  description: 'One endpoint with one credential.',
  fields: t => ({
    id: t.exposeID('id', {
      description: 'For example `openai`; a second endpoint of a kind has its own name.',
    }),
    kind: t.exposeString('kind', {
      description: 'What it speaks: `openai`, `anthropic`, `ollama`, `lmstudio` or `simulated`.',
    }),
    source: t.field({
      type: ProviderSourceEnum,
      description: 'Who says that there is this provider, and where it can be changed.',
      resolve: provider => provider.source,
    }),
    origin: t.exposeString('origin', {
      ...permitted('provider:manage'),
      nullable: true,
      description: 'Scheme, host and port that it is called at; null when it is called nowhere.',
    }),
    keyHint: t.exposeString('keyHint', {
      ...permitted('provider:manage'),
      nullable: true,
      description:
        'Tells which key it has: `…` and its last four characters, `…` alone for a short one; null when it has none. The key itself is never shown.',
    }),
    status: t.field({
      type: ProviderStatusEnum,
      description: 'Whether it can be used.',
      resolve: provider => provider.status,
    }),
    statusReason: t.exposeString('statusReason', {
      nullable: true,
      description: 'Why it is not AVAILABLE, and what to do about it.',
    }),
    checkedAt: t.expose('checkedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last asked; null when never.',
    }),
    local: t.exposeBoolean('local', {
      description: 'Whether it runs on own hardware: prompts stay in the house.',
    }),
    simulated: t.exposeBoolean('simulated', {
      description: 'Whether its answers are made up, for trying out.',
    }),
    deployments: t.field({
      complexity: CATALOG_COST,
      type: [DeploymentType],
      description: 'The models it offers.',
      resolve: provider => [...provider.deployments],
    }),
  }),
});

DeploymentType.implement({
  description: 'One model at one provider: the unit that is priced, routed to and protected by a breaker.',
  fields: t => ({
    id: t.exposeID('id', { description: 'Provider and model, for example `openai/gpt-6-sol`.' }),
    model: t.exposeString('model', { description: "The model's name at the provider." }),
    aliases: t.stringList({
      description: 'Further names under which a request may ask for it.',
      resolve: deployment => [...deployment.aliases],
    }),
    tags: t.stringList({
      description:
        "Marks of the operator's own; a request asks for all that bear one as `tag:` and the mark.",
      resolve: deployment => [...(deployment.tags ?? [])],
    }),
    weight: t.float({
      description:
        'How often it is drawn compared with others that are as good; 1 unless configured. 0: only when it is named.',
      resolve: deployment => deployment.weight ?? 1,
    }),
    maxConcurrency: t.exposeInt('maxConcurrency', {
      nullable: true,
      description: 'Calls it may have under way at once, as configured; null: as many as come.',
    }),
    contextWindow: t.int({
      description: 'Tokens of prompt and answer together.',
      resolve: deployment => deployment.capabilities.contextWindow,
    }),
    maxOutputTokens: t.int({
      description: 'The longest answer in tokens.',
      resolve: deployment => deployment.capabilities.maxOutputTokens,
    }),
    structuredOutput: t.boolean({
      nullable: true,
      description:
        'Whether it keeps to a JSON Schema that is sent with a request. False: it gets no such request. Null: that is not known, and the schema is told in words.',
      resolve: deployment => deployment.capabilities.structuredOutput,
    }),
    quality: t.exposeFloat('quality', { description: '0 (weakest) to 1 (most capable), as configured.' }),
    price: t.expose('price', {
      type: PriceType,
      nullable: true,
      description: 'What it costs; null when that is not known.',
    }),
    local: t.exposeBoolean('local', { description: 'Whether it runs on own hardware.' }),
    simulated: t.exposeBoolean('simulated', {
      description: 'Whether its answers are made up, for trying out.',
    }),
    inFlight: t.int({
      description:
        'Calls that this instance has under way there, until the connection is free again; never more than `maxConcurrency`.',
      resolve: ({ id }, _args, context) => context.gateway.capacityLoad(id).inFlight,
    }),
    waiting: t.int({
      description:
        'Requests that wait at this instance for room there. One that waits for several deployments counts at each.',
      resolve: ({ id }, _args, context) => context.gateway.capacityLoad(id).waiting,
    }),
    drained: t.boolean({
      description: 'Whether an administrator lets no new request through; running ones finish.',
      resolve: (deployment, _args, context) => context.gateway.drainOf(deployment.id) !== undefined,
    }),
    drainReason: t.string({
      nullable: true,
      description: 'Why it is drained, in the words of the administrator; null while it is not.',
      resolve: (deployment, _args, context) => context.gateway.drainOf(deployment.id)?.reason,
    }),
    breaker: t.field({
      type: BreakerType,
      description: 'Its circuit breaker.',
      resolve: (deployment, _args, context) => breakerOf(context, deployment.id),
    }),
  }),
});

function breakerOf(context: Context, deploymentId: string): BreakerSnapshot {
  const breaker = context.gateway.breaker(deploymentId);
  if (!breaker) throw new Error(`No breaker for ${deploymentId}`);
  return breaker;
}

BreakerType.implement({
  description: 'What keeps calls away from a deployment that fails. It counts calls in a sliding window.',
  fields: t => ({
    state: t.field({
      type: BreakerStateEnum,
      description: 'Whether calls pass.',
      resolve: breaker => breaker.state,
    }),
    failureRate: t.exposeFloat('failureRate', { description: '0 to 1, over the calls in the window.' }),
    calls: t.exposeInt('calls', { description: 'Calls in the window.' }),
    failures: t.exposeInt('failures', { description: 'Those of them that count against the provider.' }),
    since: t.expose('since', { type: 'DateTime', description: 'When it came into this state.' }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it lets a probe through; null unless it is OPEN, and while it is held open by hand.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'The last failure, in our words.',
    }),
    history: t.field({
      type: [BreakerTransitionType],
      description:
        'Its latest changes of state on any instance, newest first, and what administrators did to it, even if that left the state as it was.',
      args: {
        first: t.arg.int({ defaultValue: 20, description: 'How many at most: 0 to 100.' }),
      },
      complexity: ({ first }) => pageCost({ first }),
      resolve: async (breaker, { first }, context) => {
        const transitions = await histories(context).load(breaker.deploymentId);
        return transitions.slice(0, parsePageSize('first', first));
      },
    }),
  }),
});

BreakerTransitionType.implement({
  description: 'One change of state of a circuit breaker.',
  fields: t => ({
    from: t.field({
      type: BreakerStateEnum,
      description: 'The state before.',
      resolve: change => change.from,
    }),
    to: t.field({ type: BreakerStateEnum, description: 'The state after.', resolve: change => change.to }),
    at: t.expose('at', { type: 'DateTime', description: 'When it changed.' }),
    cause: t.field({
      type: BreakerCauseEnum,
      description: 'Who changed it.',
      resolve: change => change.cause,
    }),
    detail: t.exposeString('detail', {
      nullable: true,
      description: "The last error, or the administrator's reason.",
    }),
  }),
});

PriceType.implement({
  description:
    'What a deployment costs, in USD per million tokens. Where prices depend on the size of the prompt, these are those of the smallest.',
  fields: t => ({
    input: t.field({
      type: 'Decimal',
      description: 'USD per million tokens of the prompt.',
      resolve: price => firstRate(price.input),
    }),
    output: t.field({
      type: 'Decimal',
      description: 'USD per million tokens of the answer.',
      resolve: price => firstRate(price.output),
    }),
    cachedInput: t.field({
      type: 'Decimal',
      nullable: true,
      description:
        "USD per million tokens read from the provider's cache; null when they cost what others cost.",
      resolve: price => price.cachedInput && firstRate(price.cachedInput),
    }),
    source: t.exposeString('source', {
      description: 'Where the price comes from: a price list, `config` or `local`.',
    }),
  }),
});

function firstRate(rate: TieredRate): bigint {
  return rate[0]?.nanoUsdPerMillion ?? 0n;
}
