// Subscriptions over the schema: the stream of an answer, the feed of requests, and that every event shows what is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId, toGlobalId } from '../../src/domain/ids.ts';
import type { Data } from '../support/app.ts';
import { type Operations, type Outcome, startOperations } from '../support/operations.ts';

const SUBMIT =
  'mutation ($input: SubmitRequestInput!) { submitRequest(input: $input) { request { id status } } }';
const STREAM = `subscription ($id: ID!, $after: String) { tokenStream(requestId: $id, after: $after) {
  __typename cursor requestId
  ... on TokenDelta { text step }
  ... on AttemptStarted { attempt deployment }
  ... on StreamRestarted { attempt reason keepThrough }
  ... on StreamCompleted { request { id status output usage { outputTokens } } }
  ... on StreamFailed { error { code } request { id status } } } }`;

async function submit({ ask }: Operations, actor: Operations['admin'], prompt = 'Say something.') {
  const { submitRequest } = await ask(actor, SUBMIT, { input: { prompt } });
  return submitRequest.request.id as string;
}

async function eventsOf(stream: AsyncGenerator<Outcome> | Outcome): Promise<Data[]> {
  assert.ok(Symbol.asyncIterator in stream, JSON.stringify(stream));
  const events: Data[] = [];
  for await (const { data, errors } of stream) {
    assert.deepEqual(errors, []);
    events.push(data.tokenStream);
  }
  return events;
}

const textOf = (events: Data[]) => events.map(event => event.text ?? '').join('');

test('the stream of an answer starts with the attempt, adds up to the output and ends completed', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const id = await submit(operations, anna);

  const events = await eventsOf(await operations.watch(anna, STREAM, { id }));

  assert.equal(events[0].__typename, 'AttemptStarted');
  assert.match(events[0].deployment, /^simulated\//);
  const last = events.at(-1);
  assert.equal(last.__typename, 'StreamCompleted');
  assert.equal(last.request.status, 'SUCCEEDED');
  assert.equal(last.request.output, textOf(events));
  assert.ok(events.every(event => event.requestId === id));
});

test('from any cursor the stream goes on behind it', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const id = await submit(operations, anna);
  const all = await eventsOf(await operations.watch(anna, STREAM, { id }));
  assert.ok(all.length > 2);

  for (const [index, { cursor }] of all.entries()) {
    const rest = await eventsOf(await operations.watch(anna, STREAM, { id, after: cursor }));
    assert.equal(textOf(rest), textOf(all.slice(index + 1)));
  }
});

test('a stream that is not there to see, or a cursor that is none of its, is refused before any event', async t => {
  const operations = await startOperations(t);
  const [anna, berta] = [await operations.user('anna'), await operations.user('berta')];
  const [id, other] = [await submit(operations, anna), await submit(operations, anna)];
  const [{ cursor: foreignCursor }] = await eventsOf(await operations.watch(anna, STREAM, { id: other }));
  const codeOf = async (actor: typeof anna, variables: object) => {
    const refused = await operations.watch(actor, STREAM, { ...variables });
    assert.ok(!(Symbol.asyncIterator in refused));
    return refused.errors[0]!.extensions.code;
  };

  assert.equal(await codeOf(berta, { id }), 'NOT_FOUND');
  assert.equal(await codeOf(anna, { id: toGlobalId('request', newId()) }), 'NOT_FOUND');
  assert.equal(await codeOf(anna, { id: 'nonsense' }), 'NOT_FOUND');
  assert.equal(await codeOf(anna, { id, after: 'nonsense' }), 'BAD_USER_INPUT');
  assert.equal(await codeOf(anna, { id, after: foreignCursor }), 'BAD_USER_INPUT');
});

test('the feed shows each event of a request as it is then, not as it was when the subscription began', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const feed = await operations.watch(
    anna,
    'subscription { requestFeed { id status output attempts { outcome } submittedBy { role } } }',
  );
  assert.ok(Symbol.asyncIterator in feed);
  const nextDone = async () => {
    for (;;) {
      const { requestFeed } = (await feed.next()).value!.data;
      if (requestFeed.status === 'SUCCEEDED') return requestFeed;
    }
  };

  const first = await submit(operations, anna, 'One.');
  const afterFirst = await nextDone();
  // What the second event loads by the same key has changed since the first one loaded it.
  await operations.ask(
    operations.admin,
    'mutation ($id: ID!) { updateUser(input: { userId: $id, role: SERVICE }) { user { id } } }',
    { id: toGlobalId('user', anna.userId) },
  );
  const second = await submit(operations, anna, 'Two.');
  const afterSecond = await nextDone();
  await feed.return(undefined);

  assert.equal(afterFirst.id, first);
  assert.equal(afterFirst.submittedBy.role, 'USER');
  assert.deepEqual(afterFirst.attempts, [{ outcome: 'SUCCEEDED' }]);
  assert.equal(afterSecond.id, second);
  assert.equal(afterSecond.submittedBy.role, 'SERVICE');
  assert.notEqual(afterSecond.output, null);
});

test('the feed keeps to its filter, and to what the caller may see', async t => {
  const operations = await startOperations(t);
  const [anna, berta] = [await operations.user('anna'), await operations.user('berta')];
  const feed = await operations.watch(
    berta,
    'subscription { requestFeed(filter: { status: [SUCCEEDED], taskType: [CHAT] }) { id status } }',
  );
  assert.ok(Symbol.asyncIterator in feed);

  await submit(operations, anna);
  const own = await submit(operations, berta);
  const { value } = await feed.next();
  await feed.return(undefined);

  assert.deepEqual(value!.data.requestFeed, { id: own, status: 'SUCCEEDED' });
});

test('the feed refuses the one condition that it cannot judge', async t => {
  const { admin, watch } = await startOperations(t);

  const refused = await watch(admin, 'subscription { requestFeed(filter: { text: "zebra" }) { id } }');

  assert.ok(!(Symbol.asyncIterator in refused));
  assert.match(refused.errors[0]!.message, /filter\.text is for lists/);
  assert.equal(refused.errors[0]!.extensions.code, 'BAD_USER_INPUT');
});

test('a subscriber of metrics gets figures at once and again when a request has ended', async t => {
  const operations = await startOperations(t);
  const updates = await operations.watch(
    operations.admin,
    'subscription { metricsUpdates { total { requests succeeded } } }',
  );
  assert.ok(Symbol.asyncIterator in updates);

  assert.deepEqual((await updates.next()).value!.data.metricsUpdates.total, { requests: 0, succeeded: 0 });
  await submit(operations, operations.admin);
  assert.deepEqual((await updates.next()).value!.data.metricsUpdates.total, { requests: 1, succeeded: 1 });
  await updates.return(undefined);
});

test('a reset breaker is news of its provider', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const updates = await operations.watch(
    anna,
    'subscription { providerUpdates { id deployments { id breaker { state } } } }',
  );
  assert.ok(Symbol.asyncIterator in updates);
  const news = updates.next();

  await operations.ask(
    operations.admin,
    'mutation { resetBreaker(input: { providerId: "simulated", reason: "test" }) { provider { id } } }',
  );

  assert.equal((await news).value!.data.providerUpdates.id, 'simulated');
  await updates.return(undefined);
});

const SUBMIT_AND_FOLLOW = `subscription ($input: SubmitRequestInput!) { submitRequest(input: $input) {
  __typename cursor requestId
  ... on RequestAccepted { request { id status prompt } }
  ... on TokenDelta { text }
  ... on StreamCompleted { request { output } } } }`;

async function submittedEvents(stream: AsyncGenerator<Outcome> | Outcome): Promise<Data[]> {
  assert.ok(Symbol.asyncIterator in stream, JSON.stringify(stream));
  const events: Data[] = [];
  for await (const { data, errors } of stream) {
    assert.deepEqual(errors, []);
    events.push(data.submitRequest);
  }
  return events;
}

test('a request can be submitted by subscribing: it is accepted first, and its stream follows', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const input = { prompt: 'Say something.', idempotencyKey: 'once' };

  const [accepted, ...events] = await submittedEvents(
    await operations.watch(anna, SUBMIT_AND_FOLLOW, { input }),
  );

  assert.equal(accepted.__typename, 'RequestAccepted');
  assert.equal(accepted.request.id, accepted.requestId);
  assert.equal(accepted.request.prompt, 'Say something.');
  assert.equal(events[0].__typename, 'AttemptStarted');
  const last = events.at(-1);
  assert.equal(last.__typename, 'StreamCompleted');
  assert.equal(last.request.output, textOf(events));

  const { requestId: id, cursor: after } = accepted;
  const again = await eventsOf(await operations.watch(anna, STREAM, { id, after }));
  assert.equal(textOf(again), textOf(events), 'behind its first cursor is the whole stream');
});

test('whoever subscribes again to submit, as clients do by themselves, follows the same request', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const input = { prompt: 'Say something.', idempotencyKey: 'once' };
  const left = await operations.watch(anna, SUBMIT_AND_FOLLOW, { input });
  assert.ok(Symbol.asyncIterator in left);
  const first = await left.next();
  await left.return(undefined);

  const events = await submittedEvents(await operations.watch(anna, SUBMIT_AND_FOLLOW, { input }));

  assert.equal(events[0].requestId, first.value?.data.submitRequest.requestId);
  assert.equal(events.at(-1).request.output, textOf(events));
  const { requests } = await operations.ask(anna, '{ requests { edges { node { id } } } }');
  assert.equal(requests.edges.length, 1);
});

test('submitting by subscribing is refused without a key, with bad input, and with a key of another input', async t => {
  const operations = await startOperations(t);
  const anna = await operations.user('anna');
  const codeOf = async (input: object) => {
    const refused = await operations.watch(anna, SUBMIT_AND_FOLLOW, { input });
    assert.ok(!(Symbol.asyncIterator in refused));
    return refused.errors[0]!.extensions.code;
  };

  assert.equal(await codeOf({ prompt: 'Hello' }), 'BAD_USER_INPUT');
  assert.equal(await codeOf({ prompt: '', idempotencyKey: 'a' }), 'BAD_USER_INPUT');
  await submittedEvents(
    await operations.watch(anna, SUBMIT_AND_FOLLOW, { input: { prompt: 'Hello', idempotencyKey: 'b' } }),
  );
  assert.equal(await codeOf({ prompt: 'Other', idempotencyKey: 'b' }), 'IDEMPOTENCY_CONFLICT');
  const { requests } = await operations.ask(anna, '{ requests { edges { node { id } } } }');
  assert.equal(requests.edges.length, 1, 'and nothing of it was accepted');
});
