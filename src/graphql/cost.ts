// What an operation costs: one for each field, times the length of the lists around it. Checked against the limit
// before anything runs, for each operation anew, since the lengths come from variables.

import SchemaBuilder, { type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core';
import { PothosComplexityPlugin } from '@pothos/plugin-complexity';
import type { GraphQLFieldResolver, GraphQLResolveInfo } from 'graphql';
import { DomainError } from '../domain/errors.ts';
import type { Context } from './context.ts';
import { DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE } from './pagination.ts';

export const DEFAULT_MAX_QUERY_COST = 5_000;

/** Options of the builder for the plugin. */
export const costOptions = {
  defaultComplexity: 1,
  defaultListMultiplier: 10,
  limit: (context: Context) => ({ complexity: context.maxQueryCost ?? DEFAULT_MAX_QUERY_COST }),
  complexityError: (
    _kind: unknown,
    { complexity, maxComplexity }: { complexity: number; maxComplexity?: number },
  ) =>
    new DomainError(
      'QUERY_TOO_COMPLEX',
      `The operation costs ${complexity}, at most ${maxComplexity} is accepted. Ask for fewer fields or smaller pages.`,
      { details: { limit: 'cost', cost: complexity, maximum: maxComplexity } },
    ),
};

/** A page costs its size times what a row costs. Sizes that will be refused count as the largest. */
export function pageCost(args: { first?: number | null | undefined; last?: number | null | undefined }): {
  field: number;
  multiplier: number;
} {
  const size = args.first ?? args.last ?? DEFAULT_PAGE_SIZE;
  return { field: 1, multiplier: size >= 0 && size <= MAX_PAGE_SIZE ? size : MAX_PAGE_SIZE };
}

/** Looking for text reads what no row of the page shows: two such pages are what an operation may cost by default. */
export function searchCost(args: Parameters<typeof pageCost>[0]): ReturnType<typeof pageCost> {
  return { ...pageCost(args), field: 2_200 };
}

/** What an operation costs before it counts as more than one in the request rate. */
const COST_OF_AN_OPERATION = 250;

/** Contexts whose operation has been counted; those of subscriptions execute more than once. */
const counted = new WeakSet<Context>();

function countWork(context: Context, cost: number): void {
  if (cost < COST_OF_AN_OPERATION || counted.has(context)) return;
  counted.add(context);
  context.charge?.(context.actor, context.address, Math.floor(cost / COST_OF_AN_OPERATION));
}

/**
 * The plugin checks in resolvers, which for a subscription is at its first event, after its source was started.
 * This one checks before the source starts, too.
 */
class CostPlugin<Types extends SchemaTypes> extends PothosComplexityPlugin<Types> {
  override checkComplexity(context: Types['Context'], info: GraphQLResolveInfo): void {
    super.checkComplexity(context, info);
    countWork(context as Context, this.complexityCache(context, info).complexity);
  }

  override wrapSubscribe(
    subscribe: GraphQLFieldResolver<unknown, Types['Context'], object> | undefined,
    _field: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> | undefined {
    if (!subscribe) return subscribe;
    return (root, args, context, info) => {
      this.checkComplexity(context, info);
      return subscribe(root, args, context, info);
    };
  }
}

declare global {
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      cost: CostPlugin<Types>;
    }
  }
}

SchemaBuilder.registerPlugin('cost', CostPlugin);
