// Submitting by subscribing, over the wire: one POST gives the whole answer as an event stream, and no GET does.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startTestApp } from '../support/app.ts';

const QUERY = `subscription ($input: SubmitRequestInput!) { submitRequest(input: $input) {
  __typename ... on TokenDelta { text } ... on StreamCompleted { request { output } } } }`;
const VARIABLES = { input: { prompt: 'Hello', idempotencyKey: 'one' } };

async function start(t: TestContext) {
  const { url, adminToken, ask } = await startTestApp(t);
  const headers = { authorization: `Bearer ${adminToken}`, accept: 'text/event-stream' };
  const count = async () => (await ask('{ requests { edges { node { id } } } }')).requests.edges.length;
  return { url: `${url}/graphql`, headers, count };
}

test('one POST submits and streams the answer as server-sent events', async t => {
  const { url, headers, count } = await start(t);

  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ query: QUERY, variables: VARIABLES }),
  });
  const body = await response.text();

  const events = [...body.matchAll(/^data: (\{.*\})$/gm)].map(([, json]) => JSON.parse(json!));
  const told = events.map(event => event.data.submitRequest);
  assert.equal(told[0].__typename, 'RequestAccepted');
  assert.equal(told.map(({ text = '' }) => text).join(''), told.at(-1).request.output);
  assert.match(body, /^event: complete$/m);
  assert.equal(await count(), 1);
});

test('a GET, which may be sent again by whoever stands between, submits nothing', async t => {
  const { url, headers, count } = await start(t);
  const search = new URLSearchParams({ query: QUERY, variables: JSON.stringify(VARIABLES) });

  const response = await fetch(`${url}?${search}`, { headers });

  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'POST');
  assert.equal(await count(), 0);
});
