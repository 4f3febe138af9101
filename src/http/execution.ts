// The two ways to execute an operation: through yoga's envelope with all its plugins, or directly, when the plugins have
// let the same in before. Both use the same executor and mask the same errors; a test runs all operations both ways.

import { execute } from '@graphql-tools/executor';
import {
  createSourceEventStream,
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLError,
  validateSubscriptionArgs,
} from 'graphql';
import type { KnownOperation } from './known-operations.ts';
import type { CallInfo, PipelineDeps, Yoga } from './pipeline.ts';
import { refusal } from './refusals.ts';
import type { ResultsOptions } from './results.ts';

type Subscription = Pick<ResultsOptions<never>, 'source' | 'toResult'>;

export interface Way {
  /** Made anew for each operation. */
  context(): unknown;
  execute(args: ExecutionArgs): ExecutionResult | PromiseLike<ExecutionResult>;
  subscribe(args: ExecutionArgs): Promise<Subscription | ExecutionResult>;
}

export function envelopedWay(enveloped: ReturnType<Yoga['getEnveloped']>): Way {
  return {
    context: () => enveloped.contextFactory(),
    execute: args => enveloped.execute(args) as Promise<ExecutionResult>,
    async subscribe(args) {
      const result = await enveloped.subscribe(args);
      return Symbol.asyncIterator in result
        ? { source: result as AsyncIterable<never>, toResult: each => each }
        : result;
    },
  };
}

type Masking = Pick<PipelineDeps, 'maskError'>;

export function directWay({ selection }: KnownOperation, call: CallInfo, deps: PipelineDeps): Way {
  return {
    context: () => deps.createContext(call, deps.charge),
    execute: args => executeOnce(args, deps),
    async subscribe(args) {
      const valid = validateSubscriptionArgs(args);
      if (!('schema' in valid)) return { errors: valid };
      const source = await createSourceEventStream(valid);
      if (!(Symbol.asyncIterator in source)) return masked(source, deps);
      return {
        source: source as AsyncIterable<never>,
        toResult: event => selection?.(event) ?? executeOnce({ ...args, rootValue: event }, deps),
      };
    },
  };
}

/** An operation of any kind; of a subscription, what it makes of one event. */
function executeOnce(args: ExecutionArgs, deps: Masking) {
  return masked(execute(args) as ExecutionResult | PromiseLike<ExecutionResult>, deps);
}

function masked(
  result: ExecutionResult | PromiseLike<ExecutionResult>,
  deps: Masking,
): ExecutionResult | Promise<ExecutionResult> {
  if ('then' in result)
    return Promise.resolve(result).then(
      done => maskedErrors(done, deps),
      error => ({ errors: [asGraphQLError(error, deps)] }),
    );
  return maskedErrors(result, deps);
}

function maskedErrors(result: ExecutionResult, deps: Masking): ExecutionResult {
  return result.errors
    ? { ...result, errors: result.errors.map(error => asGraphQLError(error, deps)) }
    : result;
}

export function asGraphQLError(error: unknown, deps: Masking): GraphQLError {
  const shown = deps.maskError(error, 'Internal error');
  return shown instanceof GraphQLError ? shown : refusal('INTERNAL', 'Internal error');
}
