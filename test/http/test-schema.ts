// A small schema for tests of the transports: it has one of everything that a transport must carry.

import {
  GraphQLBoolean,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import type { Actor } from '../../src/domain/access.ts';
import { DomainError } from '../../src/domain/errors.ts';
import { auth, PUBLIC } from '../../src/graphql/auth.ts';
import { cancellable } from '../../src/lib/abort.ts';

export interface TestContext {
  readonly actor: Actor | null;
}

/** What the resolvers did, for tests to look at and wait for. */
export interface Observed {
  counter: number;
  logins: number;
  open: number;
  /** Resolves at the next end of an endless subscription, with the time it happened. */
  nextEnd(): Promise<number>;
  /** Lets `wait` answer. */
  release(): void;
}

export function createTestSchema(): { schema: GraphQLSchema; observed: Observed } {
  let ends: ((atMs: number) => void)[] = [];
  let waiting: (() => void)[] = [];
  const observed: Observed = {
    counter: 0,
    logins: 0,
    open: 0,
    nextEnd: () => new Promise(resolve => ends.push(resolve)),
    release() {
      for (const wake of waiting) wake();
      waiting = [];
    },
  };

  async function* endless(signal: AbortSignal) {
    observed.open += 1;
    try {
      yield { ticks: 1 };
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
    } finally {
      observed.open -= 1;
      for (const end of ends) end(performance.now());
      ends = [];
    }
  }

  const query: GraphQLObjectType<unknown, TestContext> = new GraphQLObjectType<unknown, TestContext>({
    name: 'Query',
    fields: () => ({
      hello: { type: GraphQLString, ...PUBLIC, resolve: () => 'world' },
      adminOnly: { type: GraphQLString, ...auth(['ADMIN']), resolve: () => 'for administrators' },
      viewer: { type: GraphQLString, resolve: (_, _args, { actor }) => who(actor) },
      echo: {
        type: GraphQLString,
        args: { text: { type: GraphQLString }, input: { type: inputType } },
        resolve: (_, args: { text?: string; input?: { text: string } }, { actor }) =>
          who(actor) && (args.text ?? args.input?.text),
      },
      fail: {
        type: GraphQLString,
        resolve() {
          throw new Error('connect ECONNREFUSED postgres://admin:hunter2@10.0.0.7/mcplane');
        },
      },
      forbidden: {
        type: new GraphQLNonNull(GraphQLString),
        resolve() {
          throw new DomainError('FORBIDDEN', 'Not for you.');
        },
      },
      busy: {
        type: new GraphQLNonNull(GraphQLString),
        resolve() {
          throw new DomainError('OVERLOADED', 'Full.', { retryAfterMs: 3_000 });
        },
      },
      long: {
        type: GraphQLString,
        args: { length: { type: new GraphQLNonNull(GraphQLInt) } },
        resolve: (_, { length }: { length: number }) => 'x'.repeat(length),
      },
      wait: {
        type: GraphQLBoolean,
        resolve: () => new Promise(resolve => waiting.push(() => resolve(true))),
      },
      self: { type: query, resolve: () => ({}) },
    }),
  });
  const mutation = new GraphQLObjectType<unknown, TestContext>({
    name: 'Mutation',
    fields: {
      count: { type: GraphQLInt, resolve: (_, _args, { actor }) => who(actor) && ++observed.counter },
      login: {
        ...PUBLIC,
        type: GraphQLString,
        args: { name: { type: GraphQLString } },
        resolve() {
          observed.logins += 1;
          return 'token';
        },
      },
    },
  });
  const subscription = new GraphQLObjectType<unknown, TestContext>({
    name: 'Subscription',
    fields: {
      countdown: {
        type: new GraphQLNonNull(GraphQLInt),
        args: { from: { type: new GraphQLNonNull(GraphQLInt) }, after: { type: GraphQLInt } },
        subscribe: (_, { from, after }, { actor }) => who(actor) && countdown(after ?? from + 1),
      },
      ticks: {
        type: GraphQLInt,
        subscribe: (_, _args, { actor }) => who(actor) && cancellable(endless),
      },
      breaks: {
        type: GraphQLInt,
        async *subscribe() {
          yield { breaks: 1 };
          throw new Error('the secret of the stream');
        },
      },
      stuck: {
        type: GraphQLInt,
        async *subscribe() {
          yield await new Promise<never>(() => {});
        },
      },
      heavy: {
        type: GraphQLString,
        async *subscribe() {
          for (;;) {
            yield { heavy: 'x'.repeat(200_000) };
          }
        },
      },
    },
  });
  return { schema: new GraphQLSchema({ query, mutation, subscription }), observed };
}

const inputType = new GraphQLInputObjectType({
  name: 'EchoInput',
  fields: { text: { type: new GraphQLNonNull(GraphQLString) }, priority: { type: GraphQLInt } },
});

function who(actor: Actor | null): string {
  if (!actor) throw new DomainError('UNAUTHENTICATED', 'This needs a valid token or API key.');
  return actor.username;
}

/** `from` … 1; with `after`, what follows that number. */
async function* countdown(above: number) {
  for (let number = above - 1; number > 0; number--) {
    yield { countdown: number };
    await new Promise(resolve => setImmediate(resolve));
  }
}
