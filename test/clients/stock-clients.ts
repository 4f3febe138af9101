// Clients that others have written, each as its own documentation has it set up, behind the four things that the story
// in the test does with them.

import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  gql,
  HttpLink,
  InMemoryCache,
} from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition, relayStylePagination } from '@apollo/client/utilities';
import {
  Client,
  type CombinedError,
  cacheExchange,
  fetchExchange,
  type OperationResult,
  subscriptionExchange,
} from '@urql/core';
import { createClient as createSocketClient, type Sink, type Client as SocketClient } from 'graphql-ws';
import { filter, firstValueFrom } from 'rxjs';
import WebSocket from 'ws';
import type { Data } from '../support/app.ts';

export type Variables = Record<string, unknown>;

export interface StockClient {
  /** Rejects with a Refused when the server answered with errors, and with anything else when it is not understood. */
  ask(operation: string, variables?: Variables): Promise<Data>;
  follow(subscription: string, variables: Variables): AsyncIterable<Data>;
  /** All nodes of a connection at the root, by pages as the client has them. */
  walk(query: string, field: string): Promise<Data[]>;
  close(): Promise<void>;
}

/** The server said no, and the client understood it as that. */
export class Refused extends Error {
  readonly code: unknown;

  constructor(code: unknown) {
    super(String(code));
    this.code = code;
  }
}

interface Server {
  readonly url: string;
  /** Absent: a client for the login. */
  readonly token?: string | undefined;
}

const authorizationOf = ({ token }: Server): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}` };

function openSocket(server: Server): SocketClient {
  return createSocketClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: authorizationOf(server),
    lazy: true,
  });
}

export function apolloClient(server: Server): StockClient {
  const socket = openSocket(server);
  const http = new HttpLink({ uri: `${server.url}/graphql`, headers: authorizationOf(server) });
  const isSubscription = ({ query }: ApolloLink.Operation) => {
    const definition = getMainDefinition(query);
    return definition.kind === 'OperationDefinition' && definition.operation === 'subscription';
  };
  const client = new ApolloClient({
    link: ApolloLink.split(isSubscription, new GraphQLWsLink(socket), http),
    cache: new InMemoryCache({
      typePolicies: { Query: { fields: { requests: relayStylePagination() } } },
    }),
  });
  const refused = (error: unknown) => {
    throw CombinedGraphQLErrors.is(error) ? new Refused(error.errors[0]!.extensions?.code) : error;
  };
  return {
    async ask(operation, variables = {}) {
      const document = gql(operation);
      const isMutation = operation.startsWith('mutation');
      const { data } = await (isMutation
        ? client.mutate({ mutation: document, variables })
        : client.query({ query: document, variables })
      ).catch(refused);
      return data;
    },
    async *follow(subscription, variables) {
      const events = client.subscribe({ query: gql(subscription), variables });
      for await (const { data } of valuesOf<Data>(events)) yield data;
    },
    async walk(query, field) {
      const watched = client.watchQuery<Data>({ query: gql(query), variables: { after: null } });
      const kept = watched.subscribe(() => {});
      const { data } = await firstValueFrom(watched.pipe(filter(({ loading }) => !loading)));
      for (let page = data[field]; page.pageInfo.hasNextPage; )
        page = (await watched.fetchMore({ variables: { after: page.pageInfo.endCursor } })).data[field];
      // What the cache has put together of the pages.
      const whole: Data = client.readQuery({ query: gql(query), variables: { after: null } });
      kept.unsubscribe();
      return whole[field].edges.map(({ node }: Data) => node);
    },
    async close() {
      client.stop();
      await socket.dispose();
    },
  };
}

export function urqlClient(server: Server): StockClient {
  const socket = openSocket(server);
  const client = new Client({
    url: `${server.url}/graphql`,
    preferGetMethod: false,
    fetchOptions: { headers: authorizationOf(server) },
    exchanges: [
      cacheExchange,
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: sink => ({
            unsubscribe: socket.subscribe({ query, variables: variables as Variables }, sink as Sink),
          }),
        }),
      }),
    ],
  });
  const dataOf = ({ data, error }: OperationResult<Data>): Data => {
    if (error) throw refusedBy(error);
    return data;
  };
  const ask: StockClient['ask'] = async (operation, variables = {}) =>
    dataOf(
      await (operation.startsWith('mutation')
        ? client.mutation(operation, variables).toPromise()
        : client.query(operation, variables).toPromise()),
    );
  return {
    ask,
    async *follow(subscription, variables) {
      for await (const result of valuesOf(toObservable(client.subscription(subscription, variables))))
        yield dataOf(result);
    },
    walk: (query, field) => walkByCursor(ask, query, field),
    close: async () => socket.dispose(),
  };
}

function refusedBy({ graphQLErrors: [first], networkError }: CombinedError): unknown {
  return first ? new Refused(first.extensions.code) : networkError;
}

/** Everything over one socket. */
export function socketClient(server: Server): StockClient {
  const socket = openSocket(server);
  async function* results(query: string, variables: Variables): AsyncGenerator<Data> {
    const answers = socket.iterate<Data>({ query, variables });
    for await (const { data, errors } of answers) {
      if (errors) throw new Refused(errors[0]!.extensions?.code);
      yield data;
    }
  }
  const ask: StockClient['ask'] = async (operation, variables = {}) => {
    try {
      for await (const data of results(operation, variables)) return data;
    } catch (error) {
      // An operation that is refused as a whole.
      throw Array.isArray(error) ? new Refused(error[0].extensions.code) : error;
    }
  };
  return {
    ask,
    follow: results,
    walk: (query, field) => walkByCursor(ask, query, field),
    close: async () => socket.dispose(),
  };
}

async function walkByCursor(ask: StockClient['ask'], query: string, field: string): Promise<Data[]> {
  const nodes: Data[] = [];
  for (let after: unknown = null, more = true; more; ) {
    const { edges, pageInfo }: Data = (await ask(query, { after }))[field];
    nodes.push(...edges.map(({ node }: Data) => node));
    after = pageInfo.endCursor;
    more = pageInfo.hasNextPage;
  }
  return nodes;
}

interface Observer<Value> {
  next(value: Value): void;
  error(error: unknown): void;
  complete(): void;
}

interface Observable<Value> {
  subscribe(observer: Observer<Value>): { unsubscribe(): void };
}

/** An urql source has no end of its own that could be awaited: it ends when what it follows does. */
function toObservable<Value>(source: {
  subscribe(onResult: (value: Value) => void): { unsubscribe(): void };
}): Observable<Value> {
  return { subscribe: ({ next }) => source.subscribe(next) };
}

async function* valuesOf<Value>(observable: Observable<Value>): AsyncGenerator<Value> {
  const values: Value[] = [];
  const ended = Promise.withResolvers<void>();
  let isOver = false;
  let news = Promise.withResolvers<void>();
  const subscription = observable.subscribe({
    next(value) {
      values.push(value);
      news.resolve();
      news = Promise.withResolvers();
    },
    error: ended.reject,
    complete() {
      isOver = true;
      ended.resolve();
    },
  });
  try {
    for (;;) {
      const more = news.promise;
      while (values.length > 0) yield values.shift()!;
      if (isOver) return;
      await Promise.race([more, ended.promise]);
    }
  } finally {
    subscription.unsubscribe();
  }
}
