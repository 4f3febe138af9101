// Which server processes make up the installation, for those who operate it.

import { authorize } from '../../domain/access.ts';
import type { Instance } from '../../domain/instance.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';

const InstanceType = builder.objectRef<Instance>('Instance').implement({
  description: 'One server process that takes part in the work.',
  fields: t => ({
    id: t.exposeID('id', {
      description:
        'Of this run: a process has another one after a restart, and after others had taken it for dead.',
    }),
    version: t.exposeString('version', { description: 'What it runs.' }),
    hostname: t.string({
      nullable: true,
      description: 'The machine or container it runs on; null when its version does not tell.',
      resolve: instance => instance.host?.hostname,
    }),
    pid: t.int({
      nullable: true,
      description: 'Its process id there; null when its version does not tell.',
      resolve: instance => instance.host?.pid,
    }),
    startedAt: t.expose('startedAt', {
      type: 'DateTime',
      description: "When it registered, on the database's clock.",
    }),
    lastBeatAt: t.expose('lastBeatAt', {
      type: 'DateTime',
      description:
        "Its last sign of life, on the database's clock; one comes every 1.5 s. Silence means that it was killed, hangs, or is cut off from the database. After 6 s of it another instance declares it dead: it leaves the list, and what it ran waits again and is run anew.",
    }),
    isSelf: t.boolean({
      description: 'Whether it is the one that answers.',
      resolve: (instance, _args, context) => instance.id === context.gateway.instanceId(),
    }),
    runningRequests: t.exposeInt('runningRequests', { description: 'Requests that it runs now.' }),
  }),
});

builder.queryField('instances', t =>
  t.field({
    ...permitted('instance:read'),
    type: [InstanceType],
    description:
      'The server processes of this installation that were not declared dead, oldest first. One that stops in good order leaves at once.',
    complexity: { field: 10, multiplier: 10 },
    resolve: async (_root, _args, context) => {
      authorize(actorOf(context), 'instance:read');
      return context.store.instances.living();
    },
  }),
);
