// Finding requests: one by its id, pages of them, and the live feed.

import { badInput } from '../../domain/errors.ts';
import { idOf } from '../../domain/ids.ts';
import type { ModelRequest } from '../../domain/request.ts';
import { permitted } from '../auth.ts';
import { builder } from '../builder.ts';
import { actorOf } from '../context.ts';
import { pageCost, searchCost } from '../cost.ts';
import { MAX_TOTAL_COUNT, toConnection, toPageQuery } from '../pagination.ts';
import { ModelRequestType } from './request.ts';
import { RequestFilterInput, toRequestFilter } from './request-filter.ts';

builder.queryField('request', t =>
  t.field({
    ...permitted('request:read'),
    type: ModelRequestType,
    nullable: true,
    description:
      'The request with this id. Null when there is none, or when it is of somebody else and the caller is not ADMIN.',
    args: { id: t.arg.id({ required: true, description: 'The id, as in `ModelRequest.id`.' }) },
    resolve: (_root, args, context) => {
      const id = idOf('request', args.id);
      return id === undefined ? null : context.gateway.request(actorOf(context), id);
    },
  }),
);

builder.queryField('requests', t =>
  t.connection(
    {
      ...permitted('request:read'),
      type: ModelRequestType,
      description: "Requests, newest first: one's own, or everybody's for ADMIN.",
      args: { filter: t.arg({ type: RequestFilterInput, description: 'Only those that meet it.' }) },
      complexity: args => (args.filter?.text == null ? pageCost(args) : searchCost(args)),
      resolve: async (_root, { filter: input, ...args }, context) => {
        const filter = toRequestFilter(actorOf(context), input);
        const page = await context.store.requests.page(filter, toPageQuery('requests', args));
        return { ...toConnection('requests', page), filter };
      },
    },
    {
      name: 'ModelRequestConnection',
      description: 'A page of requests.',
      fields: t => ({
        totalCount: t.int({
          description: `How many requests meet the filter, over all pages: exact below ${MAX_TOTAL_COUNT}; ${MAX_TOTAL_COUNT} stands for that many or more.`,
          complexity: 10,
          resolve: (connection, _args, context) =>
            context.store.requests.count(connection.filter, MAX_TOTAL_COUNT),
        }),
      }),
    },
    { name: 'ModelRequestEdge', description: 'A request and its place in the page.' },
  ),
);

builder.subscriptionField('requestFeed', t =>
  t.field({
    ...permitted('request:read'),
    type: ModelRequestType,
    description:
      "A request, each time that it was accepted, started or ended: one's own, or everybody's for ADMIN. A slow reader sees only the latest state of each.",
    args: { filter: t.arg({ type: RequestFilterInput, description: 'Only those that meet it.' }) },
    subscribe: (_root, { filter }, context) => {
      const actor = actorOf(context);
      const conditions = toRequestFilter(actor, filter);
      // Texts are not in what the feed carries; answering as if the condition were not there would be worse.
      if (conditions.text !== undefined)
        throw badInput('filter.text', 'is for lists: a feed does not look into texts');
      return context.gateway.feed(actor, conditions);
    },
    resolve: (request: ModelRequest) => request,
  }),
);
