// One operation from its text to its result: parse, limits, validation, access, context, execution, masking. HTTP,
// event streams and sockets all run operations here, on yoga's envelope, so that no transport has rules of its own.

import type { Plugin } from '@envelop/core';
import {
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../domain/access.ts';
import { useQueryLimits } from '../graphql/query-limits.ts';
import { rootFieldNames } from '../graphql/query-measure.ts';
import { cancellable } from '../lib/abort.ts';
import type { Log } from '../telemetry/log.ts';
import type { HttpLimits } from './limits.ts';
import { refusal, requestError } from './refusals.ts';
import { variableErrors } from './variables.ts';

export type Transport = 'http' | 'sse' | 'websocket';

/** Who calls, from where. A context is made of it for each operation, never shared between two. */
export interface CallInfo {
  readonly actor: Actor | null;
  readonly address: string;
  readonly transport: Transport;
}

export interface OperationParams {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

export interface Operation {
  readonly kind: 'query' | 'mutation' | 'subscription';
  readonly rootFields: readonly string[];
  readonly document: DocumentNode;
  /** Executes it; failures are in the result, never thrown. */
  run(): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>;
}

export interface Refused {
  readonly errors: readonly GraphQLError[];
}

export interface Pipeline {
  readonly schema: GraphQLSchema;
  /** The operation ready to run, or why it is refused; nothing has been executed yet. */
  prepare(params: OperationParams, call: CallInfo): Operation | Refused;
  /** What a client may see of a failure before there was an operation. */
  failure(error: unknown): GraphQLError;
}

export interface PipelineDeps {
  readonly schema: GraphQLSchema;
  readonly createContext: (call: CallInfo) => object;
  readonly plugins: readonly Plugin[];
  readonly maskError: (error: unknown, message: string) => Error;
  readonly limits: HttpLimits;
  readonly environment: 'development' | 'production';
  readonly log: Log;
}

type Yoga = ReturnType<typeof createYoga>;

/** Characters of query text whose documents are kept: about ten times as many bytes of syntax tree. */
const DOCUMENT_CACHE_CHARACTERS = 2_000_000;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const yoga = createEnvelope(deps);
  return {
    schema: deps.schema,
    failure: error => asGraphQLError(error, deps),
    prepare(params, call) {
      const enveloped = yoga.getEnveloped({ ...deps.createContext(call) });
      let document: DocumentNode;
      try {
        document = enveloped.parse(params.query);
      } catch (error) {
        return { errors: [asGraphQLError(error, deps)] };
      }
      const operation = getOperationAST(document, params.operationName);
      if (!operation)
        return { errors: [requestError('No operation of that name is in the document.', true)] };
      const errors = enveloped.validate(enveloped.schema, document);
      if (errors.length > 0) return { errors };
      const rootFields = rootFieldNames(document, operation);
      const denied = introspectionRefusal(rootFields, call.actor, deps.environment);
      if (denied) return { errors: [denied] };
      return {
        kind: operation.operation,
        rootFields,
        document,
        run: () =>
          execute(enveloped, deps, {
            document,
            params,
            subscription: operation.operation === 'subscription',
          }),
      };
    },
  };
}

async function execute(
  enveloped: ReturnType<Yoga['getEnveloped']>,
  deps: PipelineDeps,
  {
    document,
    params,
    subscription,
  }: { document: DocumentNode; params: OperationParams; subscription: boolean },
): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
  try {
    const args = {
      schema: enveloped.schema,
      document,
      contextValue: await enveloped.contextFactory(),
      variableValues: params.variables ?? {},
      operationName: params.operationName ?? undefined,
    };
    const result = await (subscription ? enveloped.subscribe(args) : enveloped.execute(args));
    // Leaving it reaches the source at once, even while an event is being computed.
    if (!isResult(result)) return cancellable(() => masked(result as AsyncIterable<ExecutionResult>, deps));
    if ('data' in result) return result;
    // Nothing ran. When the variables are why, the errors are written anew: the executor's repeat the values.
    const operation = getOperationAST(document, params.operationName)!;
    const errors = variableErrors(deps.schema, operation, params.variables ?? {});
    return errors.length > 0 ? { errors } : result;
  } catch (error) {
    return { errors: [asGraphQLError(error, deps)] };
  }
}

/** The same results; what the source throws in the middle is masked, whatever plugin let it pass. */
function masked(source: AsyncIterable<ExecutionResult>, deps: PipelineDeps): AsyncIterable<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  return {
    [Symbol.asyncIterator]: () => ({
      async next() {
        try {
          return await iterator.next();
        } catch (error) {
          throw asGraphQLError(error, deps);
        }
      },
      return: async () => (await iterator.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

function isResult(value: object): value is ExecutionResult {
  return !(Symbol.asyncIterator in value);
}

function asGraphQLError(error: unknown, deps: PipelineDeps): GraphQLError {
  const masked = deps.maskError(error, 'Internal error');
  return masked instanceof GraphQLError ? masked : refusal('INTERNAL', 'Internal error');
}

/** generic-auth does not look at introspection or `__typename`, so this does: by caller, hence not a cached rule. */
function introspectionRefusal(
  rootFields: readonly string[],
  actor: Actor | null,
  environment: PipelineDeps['environment'],
): GraphQLError | undefined {
  const introspects = rootFields.some(name => name === '__schema' || name === '__type');
  if (!actor && (introspects || rootFields.every(name => name.startsWith('__')))) {
    return refusal('UNAUTHENTICATED', 'Log in, or send a valid token or API key.');
  }
  if (introspects && environment === 'production' && actor?.role !== 'ADMIN') {
    return refusal('FORBIDDEN', 'Introspection is for administrators.');
  }
  return undefined;
}

function createEnvelope({ schema, plugins, maskError, limits, environment, log }: PipelineDeps): Yoga {
  const documents = new LRUCache<string, DocumentNode>(cacheBounds());
  const errors = new LRUCache<string, Error>(cacheBounds());
  return createYoga({
    schema,
    plugins: [
      useQueryLimits(limits.query, { hideSuggestions: environment === 'production' }),
      ...(plugins as Plugin<object>[]),
    ],
    maskedErrors: { maskError, errorMessage: 'Internal error' },
    parserAndValidationCache: { documentCache: documents, errorCache: errors },
    graphiql: false,
    landingPage: false,
    multipart: false,
    cors: false,
    logging: {
      debug: () => {},
      info: message => log.debug({ message: String(message) }, 'yoga'),
      warn: message => log.warn({ message: String(message) }, 'yoga'),
      // What is masked is logged by the mask itself, under its request id.
      error: () => {},
    },
  });
}

function cacheBounds() {
  return {
    max: 1_000,
    maxSize: DOCUMENT_CACHE_CHARACTERS,
    sizeCalculation: (_value: unknown, text: string) => Math.max(1, text.length),
  };
}
