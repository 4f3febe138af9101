// What administrators do to deployments by hand: four mutations of one shape, each with its own input and payload.

import type { Permission } from '../../domain/access.ts';
import type { Provider } from '../../domain/model.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { ProviderType } from './provider.ts';

interface OperatorMutation {
  readonly name: 'resetBreaker' | 'openBreaker' | 'drainDeployment' | 'enableDeployment';
  readonly permission: Permission;
  readonly description: string;
  /** Of the input: what is meant by its target. */
  readonly target: string;
  /** Of the provider's id: what becomes of all that it has. */
  readonly wholeProvider: string;
}

const MUTATIONS: readonly OperatorMutation[] = [
  {
    name: 'resetBreaker',
    permission: 'breaker:reset',
    description: 'Closes circuit breakers by hand, so that calls pass again.',
    target: 'Which breakers to close',
    wholeProvider: 'all of its breakers are closed',
  },
  {
    name: 'openBreaker',
    permission: 'breaker:open',
    description:
      'Opens circuit breakers by hand. They stay open, without probes and over restarts, until `resetBreaker`. Calls under way finish.',
    target: 'Which breakers to open',
    wholeProvider: 'all of its breakers are opened',
  },
  {
    name: 'drainDeployment',
    permission: 'deployment:drain',
    description:
      'Routes no new request to deployments, also when they are named; running ones finish. It lasts over restarts, until `enableDeployment`.',
    target: 'What to drain',
    wholeProvider: 'all deployments that it has at the moment are drained',
  },
  {
    name: 'enableDeployment',
    permission: 'deployment:enable',
    description: 'Ends `drainDeployment`: requests are routed there again. Breakers stay as they are.',
    target: 'What to take back into service',
    wholeProvider: 'all deployments that it has at the moment are enabled',
  },
];

for (const mutation of MUTATIONS) defineMutation(mutation);

function defineMutation({ name, permission, description, target, wholeProvider }: OperatorMutation): void {
  const typeName = `${name[0]!.toUpperCase()}${name.slice(1)}`;
  const input = builder.inputType(`${typeName}Input`, {
    description: `${target}: by \`deploymentId\` or by \`providerId\`, exactly one of them.`,
    fields: t => ({
      deploymentId: t.id({ description: 'The deployment, for example `openai/gpt-6-sol`.' }),
      providerId: t.id({ description: `The provider; ${wholeProvider}.` }),
      reason: t.string({ required: true, description: 'Why, for the audit log: 1 to 500 characters.' }),
    }),
  });
  const payload = builder.objectRef<{ provider: Provider }>(`${typeName}Payload`).implement({
    description: `What \`${name}\` did.`,
    fields: t => ({
      provider: t.expose('provider', { type: ProviderType, description: 'The provider as it is now.' }),
    }),
  });
  builder.mutationField(name, t =>
    t.field({
      ...permitted(permission),
      type: payload,
      description: `${description} Kept in the audit log. NOT_FOUND when there is no such deployment or provider.`,
      args: {
        input: t.arg({ type: input, required: true, description: `${target}, and why.` }),
      },
      resolve: async (_root, { input: { deploymentId, providerId, reason } }, context) => {
        const asked = {
          ...(deploymentId == null ? {} : { deploymentId }),
          ...(providerId == null ? {} : { providerId }),
        };
        return { provider: await context.gateway[name](actorOf(context), asked, reason) };
      },
    }),
  );
}
