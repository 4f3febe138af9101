// Looking at the providers: all of them now, and each as it changes.

import { authorize } from '../../domain/access.ts';
import type { Provider } from '../../domain/model.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { CATALOG_COST, ProviderType } from './provider.ts';

builder.queryField('providers', t =>
  t.field({
    ...permitted('provider:read'),
    type: [ProviderType],
    description: 'All configured providers with their deployments and breakers.',
    complexity: CATALOG_COST,
    resolve: (_root, _args, context) => {
      authorize(actorOf(context), 'provider:read');
      return [...context.gateway.providers()];
    },
  }),
);

builder.subscriptionField('providerUpdates', t =>
  t.field({
    ...permitted('provider:read'),
    type: ProviderType,
    description: 'A provider, each time that it, one of its deployments or one of their breakers changed.',
    subscribe: (_root, _args, context) => {
      authorize(actorOf(context), 'provider:read');
      return context.gateway.providerUpdates();
    },
    resolve: (provider: Provider) => provider,
  }),
);
