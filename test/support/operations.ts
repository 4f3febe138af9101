// Operations executed by graphql-js against a real server's gateway, members and store, without a transport.

import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { execute, type GraphQLError, parse, subscribe, validate } from 'graphql';
import type { Members } from '../../src/control/members.ts';
import type { Actor, Role } from '../../src/domain/access.ts';
import { newId } from '../../src/domain/ids.ts';
import { createErrorMasker } from '../../src/graphql/errors.ts';
import { schema } from '../../src/graphql/schema.ts';
import type { FinishedRequest, NewRequest, Store } from '../../src/store/store.ts';
import { aRequest, aSpec } from '../store/samples.ts';
import { type Data, startTestApp } from './app.ts';
import type { openTestStore } from './database.ts';

export interface Outcome {
  readonly data: Data;
  readonly errors: readonly { message: string; extensions: Record<string, unknown> }[];
}

export interface Operations {
  readonly store: Store;
  readonly members: Members;
  readonly admin: Actor;
  /** What the error masker logged. */
  readonly faults: unknown[];
  user(username: string, role?: Role): Promise<Actor>;
  run(actor: Actor | null, document: string, variables?: Record<string, unknown>): Promise<Outcome>;
  /** The same, and its data: fails the test when there are errors. */
  ask(actor: Actor, document: string, variables?: Record<string, unknown>): Promise<Data>;
  /** The code of the only error. */
  refuse(actor: Actor | null, document: string, variables?: Record<string, unknown>): Promise<unknown>;
  /** The events of a subscription, or the answer that refused it. */
  watch(
    actor: Actor | null,
    document: string,
    variables?: Record<string, unknown>,
  ): Promise<AsyncGenerator<Outcome> | Outcome>;
}

interface OperationsOptions {
  /** What an operation may cost. */
  readonly maxQueryCost?: number;
  /** Bytes of prompts and answers that an operation may read. */
  readonly maxTextBytes?: number;
  /** Another store than an ordinary empty one, for example one that is watched. */
  readonly openStore?: typeof openTestStore;
}

export async function startOperations(
  t: TestContext,
  { maxQueryCost, maxTextBytes, openStore }: OperationsOptions = {},
): Promise<Operations> {
  const { app, adminToken } = await startTestApp(t, {}, openStore);
  const { gateway, members, store, storedProviders, workflows } = app;
  const faults: unknown[] = [];
  const maskError = createErrorMasker({ log: fault => faults.push(fault) });
  const contextOf = (actor: Actor | null) => ({
    gateway,
    members,
    store,
    storedProviders,
    workflows,
    actor,
    maxQueryCost,
    maxTextBytes,
    address: '127.0.0.1',
  });
  const masked = ({ data, errors = [] }: { data?: unknown; errors?: readonly GraphQLError[] }) =>
    // As a client reads it.
    JSON.parse(JSON.stringify({ data, errors: errors.map(maskError) })) as Outcome;

  function check(document: string) {
    const parsed = parse(document);
    return { parsed, errors: validate(schema, parsed) };
  }

  const operations: Operations = {
    store,
    members,
    faults,
    admin: (await members.authenticate(adminToken))!,
    async user(username, role = 'USER') {
      const password = `password of ${username}`;
      await members.createUser(operations.admin, { username, role, password });
      const { token } = await members.login(username, password, 'test');
      return (await members.authenticate(token))!;
    },
    async run(actor, document, variables = {}) {
      const { parsed, errors } = check(document);
      if (errors.length > 0) return masked({ errors });
      const contextValue = contextOf(actor);
      return masked(await execute({ schema, document: parsed, contextValue, variableValues: variables }));
    },
    async ask(actor, document, variables) {
      const { data, errors } = await operations.run(actor, document, variables);
      assert.deepEqual(errors, []);
      return data;
    },
    async refuse(actor, document, variables) {
      const { errors } = await operations.run(actor, document, variables);
      assert.equal(errors.length, 1, JSON.stringify(errors));
      return errors[0]!.extensions.code;
    },
    async watch(actor, document, variables = {}) {
      const { parsed, errors } = check(document);
      if (errors.length > 0) return masked({ errors });
      const contextValue = contextOf(actor);
      const result = await subscribe({ schema, document: parsed, contextValue, variableValues: variables });
      if (!(Symbol.asyncIterator in result)) return masked(result);
      const events = result as AsyncGenerator<{ data?: unknown; errors?: readonly GraphQLError[] }>;
      return {
        [Symbol.asyncIterator]() {
          return this;
        },
        async next() {
          const { done, value } = await events.next();
          return done ? { done: true, value: undefined } : { done: false, value: masked(value) };
        },
        return: () => events.return(undefined) as never,
        throw: error => events.throw(error) as never,
        [Symbol.asyncDispose]: () => events.return(undefined).then(() => {}),
      } satisfies AsyncGenerator<Outcome>;
    },
  };
  return operations;
}

interface SeedOptions {
  readonly id?: string;
  readonly createdAt?: Date;
  readonly spec?: Partial<NewRequest['spec']>;
  /** Absent: the request stays RUNNING. */
  readonly finished?: Partial<FinishedRequest>;
}

/** Writes a request straight into the store, as if it had been accepted, and served when `finished` says so. */
export async function seedRequest(
  store: Store,
  userId: string,
  { id = newId(), createdAt = new Date(), spec = {}, finished }: SeedOptions = {},
): Promise<string> {
  const request = aRequest({ id, userId, owner: 'seed', createdAt, inputHash: '', spec: aSpec(spec) });
  await store.requests.accept(request);
  if (finished) await store.requests.finish({ ...FINISHED, id, finishedAt: createdAt, ...finished });
  return id;
}

const FINISHED: Omit<FinishedRequest, 'id' | 'finishedAt'> = {
  epoch: 1,
  status: 'SUCCEEDED',
  output: 'Because of Rayleigh scattering.',
  routing: undefined,
  attempts: [],
  deploymentId: 'openai/gpt-6-sol',
  providerId: 'openai',
  servedModel: 'gpt-6-sol',
  finishReason: 'stop',
  error: undefined,
  usage: undefined,
  costNanoUsd: undefined,
  failedAttemptsCostNanoUsd: undefined,
  startedAt: undefined,
  firstTokenAt: undefined,
  overheadMs: undefined,
  lastSequence: 2,
  restartSequence: undefined,
};
