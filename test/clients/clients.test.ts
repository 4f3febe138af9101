// The server from the side of clients that know nothing of it: they log in, ask, page, change and follow as they are.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ADMIN, type Data, startTestApp, type TestApp } from '../support/app.ts';
import { STREAM, SUBMIT, textOf } from '../support/requests.ts';
import { apolloClient, Refused, type StockClient, socketClient, urqlClient } from './stock-clients.ts';

const LOGIN = 'mutation ($input: LoginInput!) { login(input: $input) { token viewer { id username } } }';
const PAGES = `query ($after: String) {
  requests(first: 2, after: $after) { edges { cursor node { id prompt } } pageInfo { hasNextPage endCursor } } }`;
const REQUESTS = 5;

type Create = (server: { url: string; token?: string }) => StockClient;

/** A socket serves nothing without a credential: whoever has nothing else logs in by other means. */
async function logInBy(t: TestContext, create: Create, { url, adminToken }: TestApp): Promise<string> {
  if (create === socketClient) return adminToken;
  const stranger = create({ url });
  t.after(() => stranger.close());
  const { login } = await stranger.ask(LOGIN, { input: ADMIN });
  assert.equal(login.viewer.username, 'admin');
  const wrong = stranger.ask(LOGIN, { input: { ...ADMIN, password: 'wrong horse' } });
  await assert.rejects(wrong, refusedWith('UNAUTHENTICATED'));
  return login.token;
}

/** A GraphQL error with its code, and no failure of the network. */
function refusedWith(code: string) {
  return (error: unknown) => error instanceof Refused && error.code === code;
}

for (const [name, create] of Object.entries({
  'Apollo Client': apolloClient,
  urql: urqlClient,
  'graphql-ws': socketClient,
}))
  test(`${name} logs in, submits, pages, follows, and understands what it is refused`, async t => {
    const app = await startTestApp(t);
    const token = await logInBy(t, create, app);
    const client = create({ url: app.url, token });
    t.after(() => client.close());

    const ids: string[] = [];
    for (let number = 0; number < REQUESTS; number++) {
      const { submitRequest } = await client.ask(SUBMIT, {
        input: { prompt: `[[echo]] question ${number}` },
      });
      ids.unshift(submitRequest.request.id);
    }

    const events: Data[] = [];
    for await (const { tokenStream } of client.follow(STREAM, { id: ids[0] })) {
      events.push(tokenStream);
      if (tokenStream.__typename === 'StreamCompleted') break;
    }
    assert.match(textOf(events), /question 4/);
    assert.equal(events.at(-1).request.status, 'SUCCEEDED');

    const walked = await client.walk(PAGES, 'requests');
    assert.deepEqual(
      walked.map(({ id }) => id),
      ids,
    );
    assert.equal(walked[0].prompt, '[[echo]] question 4');

    const missing = { input: { requestId: 'req_00000000000070008000000000000000' } };
    const cancel =
      'mutation ($input: CancelRequestInput!) { cancelRequest(input: $input) { request { id } } }';
    await assert.rejects(client.ask(cancel, missing), refusedWith('NOT_FOUND'));
    await assert.rejects(client.ask('query { nobody }'), refusedWith('BAD_USER_INPUT'));
    assert.equal((await client.ask('query { viewer { username } }')).viewer.username, 'admin');
  });
