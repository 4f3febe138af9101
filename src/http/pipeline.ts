// One operation from its text to its result: parse, limits, validation, access, context, execution, masking. HTTP,
// event streams and sockets all run operations here, on yoga's envelope, so that no transport has rules of its own.

import type { Plugin } from '@envelop/core';
import {
  type DocumentNode,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql';
import { createYoga } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import { type Actor, can } from '../domain/access.ts';
import type { IsAdmitted } from '../graphql/auth-memory.ts';
import { useQueryLimits } from '../graphql/query-limits.ts';
import { rootFieldNames } from '../graphql/query-measure.ts';
import type { Log } from '../telemetry/log.ts';
import { asGraphQLError, directWay, envelopedWay, type Way } from './execution.ts';
import { createKnownOperations, documentCacheBounds, type KnownOperation } from './known-operations.ts';
import type { HttpLimits } from './limits.ts';
import { refusal, requestError } from './refusals.ts';
import { createResults, type ResultsOptions } from './results.ts';
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
  /** How many operations more than one it counts as. */
  readonly weight: number;
  /** Executes it; failures are in the result, never thrown. `onEnd` is called when nothing more comes of it. */
  run(onEnd?: () => void): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>>;
}

export interface Refused {
  readonly errors: readonly GraphQLError[];
  readonly weight: number;
}

export interface Pipeline {
  readonly schema: GraphQLSchema;
  /** The operation ready to run, or why it is refused; nothing has been executed yet. */
  prepare(params: OperationParams, call: CallInfo): Operation | Refused;
  /** What a client may see of a failure before there was an operation. */
  failure(error: unknown): GraphQLError;
}

export type Charge = (actor: Actor | null, address: string, operations: number) => void;

export interface PipelineDeps {
  readonly schema: GraphQLSchema;
  /** `charge` counts further operations for a caller. */
  readonly createContext: (call: CallInfo, charge: Charge) => object;
  readonly charge: Charge;
  readonly plugins: readonly Plugin[];
  /** What the plugins let in once they let in again, so that it need not pass them. Absent: everything passes them. */
  readonly isAdmitted?: IsAdmitted | undefined;
  readonly members: ResultsOptions<unknown>['members'];
  readonly maskError: (error: unknown, message: string) => Error;
  readonly limits: HttpLimits;
  readonly environment: 'development' | 'production';
  readonly log: Log;
}

export type Yoga = ReturnType<typeof createYoga>;

export function createPipeline(deps: PipelineDeps): Pipeline {
  const yoga = createEnvelope(deps);
  const known = createKnownOperations(deps);
  const toError = (error: unknown) => asGraphQLError(error, deps);
  return {
    schema: deps.schema,
    failure: toError,
    prepare(params, call) {
      const again = known.find(params, call.actor);
      if (again) return operationOf(again, directWay(again, call, deps), { params, call, deps, toError }, 0);
      const weight = known.has(params) ? 0 : documentWeight(params.query);
      const enveloped = yoga.getEnveloped({ ...deps.createContext(call, deps.charge) });
      let document: DocumentNode;
      try {
        document = enveloped.parse(params.query);
      } catch (error) {
        return { errors: [toError(error)], weight };
      }
      const node = getOperationAST(document, params.operationName);
      if (!node)
        return { errors: [requestError('No operation of that name is in the document.', true)], weight };
      const errors = enveloped.validate(enveloped.schema, document);
      if (errors.length > 0) return { errors, weight };
      const rootFields = rootFieldNames(document, node);
      const denied = introspectionRefusal(rootFields, call.actor, deps.environment);
      if (denied) return { errors: [denied], weight };
      const operation = known.add(params, { document, node, rootFields });
      return operationOf(operation, envelopedWay(enveloped), { params, call, deps, toError }, weight);
    },
  };
}

interface Running {
  readonly params: OperationParams;
  readonly call: CallInfo;
  readonly deps: PipelineDeps;
  readonly toError: (error: unknown) => GraphQLError;
}

/** A document that is new has to be parsed and checked, which takes the longer the longer it is. */
function documentWeight({ length }: string): number {
  return length <= 500 ? 0 : Math.min(20, Math.floor(length / 250));
}

function operationOf(known: KnownOperation, way: Way, running: Running, weight: number): Operation {
  return {
    weight,
    kind: known.node.operation,
    rootFields: known.rootFields,
    document: known.document,
    run: onEnd => run(known, way, { ...running, onEnd }),
  };
}

async function run(
  { document, node }: KnownOperation,
  way: Way,
  { params, call, deps, toError, onEnd }: Running & { readonly onEnd: (() => void) | undefined },
): Promise<ExecutionResult | AsyncIterableIterator<ExecutionResult>> {
  let subscribed = false;
  try {
    const args = {
      schema: deps.schema,
      document,
      contextValue: await way.context(),
      variableValues: params.variables ?? {},
      operationName: params.operationName ?? undefined,
    };
    if (node.operation === 'subscription') {
      const subscription = await way.subscribe(args);
      if ('source' in subscription) {
        subscribed = true;
        return createResults({ ...subscription, toError, actor: call.actor, members: deps.members, onEnd });
      }
      return explained(subscription, node, { params, deps });
    }
    return explained(await way.execute(args), node, { params, deps });
  } catch (error) {
    return { errors: [toError(error)] };
  } finally {
    if (!subscribed) onEnd?.();
  }
}

/** When nothing ran and the variables are why, the errors are written anew: the executor's repeat the values. */
function explained(
  result: ExecutionResult,
  node: OperationDefinitionNode,
  { params, deps }: Pick<Running, 'params' | 'deps'>,
): ExecutionResult {
  if ('data' in result) return result;
  const errors = variableErrors(deps.schema, node, params.variables ?? {});
  return errors.length > 0 ? { errors } : result;
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
  if (introspects && environment === 'production' && actor && !can(actor, 'schema:read-any')) {
    return refusal('FORBIDDEN', 'Introspection is for administrators.');
  }
  return undefined;
}

function createEnvelope({ schema, plugins, maskError, limits, environment, log }: PipelineDeps): Yoga {
  const documents = new LRUCache<string, DocumentNode>(documentCacheBounds());
  const errors = new LRUCache<string, Error>(documentCacheBounds());
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
