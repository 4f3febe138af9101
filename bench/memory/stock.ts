// graphql-ws as its manual says, with a subscription that never says anything.

import { createServer } from 'node:http';
import { GraphQLInt, GraphQLObjectType, GraphQLSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';

async function* silence() {
  await new Promise<void>(() => {});
  yield { silence: 1 };
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { one: { type: GraphQLInt } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: { silence: { type: GraphQLInt, subscribe: silence } },
  }),
});

const server = createServer();
useServer({ schema }, new WebSocketServer({ server, perMessageDeflate: false }));
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
});
