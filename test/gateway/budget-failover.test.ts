// What a budget means for those who are asked after the first one, or beside it, and for those who are asked again after
// a death.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idOf } from '../../src/domain/ids.ts';
import { requestError } from '../../src/domain/request.ts';
import type { Price } from '../../src/domain/usage.ts';
import { createAllowance } from '../../src/gateway/allowance.ts';
import { type Data, until } from '../support/app.ts';
import { createTestClock } from '../support/clock.ts';
import { openTestStore } from '../support/database.ts';
import { cut, finish, gate, stall, status, text } from '../support/upstream.ts';
import { finished, pass, token } from './attempt-setup.ts';
import { ended, startSpender } from './budget-setup.ts';
import { arrived, journey } from './failover-setup.ts';
import { AFTER_MS, freely, gated, silent } from './hedging-setup.ts';

const usage = (inputTokens: number, outputTokens: number) => finish({ usage: { inputTokens, outputTokens } });
const CHEAP = { input: 0, output: 0.001 };
const DEAR = { input: 0, output: 0.01 };
const FREE = { input: 0, output: 0 };
/** Ten tokens as they are estimated: of forty bytes. */
const TEN = '0123456789 123456789 123456789 123456789';

const attemptsOf = (request: Data): string[] =>
  request.attempts.map(({ deployment, outcome, cost }: Data) => `${deployment.id} ${outcome} ${cost}`);
const uncovered = (request: Data): string[] =>
  request.routing.rejections
    .filter(({ reason }: Data) => reason === 'BUDGET')
    .map(({ deploymentId }: Data) => deploymentId);

test('who is too dear for what is left is passed over, and the decision says so', async t => {
  const spender = await startSpender(t, '0.05', [DEAR, CHEAP, DEAR]);
  spender.upstreams[1]!.answerWith(() => [text('answer'), usage(1, 2)]);

  const request = await ended(spender, { maxOutputTokens: 12 });

  assert.deepEqual(attemptsOf(request), ['p2/m SUCCEEDED 0.002']);
  assert.equal(request.reserved, '0.012', 'no more was put aside than the cheapest takes');
  assert.deepEqual(uncovered(request), ['p1/m']);
  const { detail } = request.routing.rejections.find(({ reason }: Data) => reason === 'BUDGET');
  assert.match(detail, /may cost \$0\.12, and budget bud_\w+ \(MONTH, \$0\.05\) has \$0\.038 left until/);
});

test('a budget that is used up leaves what costs nothing', async t => {
  const spender = await startSpender(t, '0', [DEAR, FREE]);

  const request = await ended(spender);

  assert.deepEqual(attemptsOf(request), ['p2/m SUCCEEDED 0']);
  assert.ok('error' in (await spender.submit({ model: 'p1/m' })));
});

test('when nobody is left whom the budget covers, the request ends with the last error, which says why', async t => {
  const spender = await startSpender(t, '0.1', [CHEAP, DEAR]);
  spender.upstreams[0]!.answerWith(() => [text(TEN), cut()]);

  const request = await ended(spender, { maxOutputTokens: 12 });

  assert.deepEqual([request.status, request.error.code], ['FAILED', 'STREAM_TRUNCATED']);
  assert.match(request.error.message, /\. p2\/m was not asked: another call may cost \$0\.12, and budget/);
  assert.deepEqual(attemptsOf(request), ['p1/m FAILED 0.01']);
  assert.deepEqual(uncovered(request), ['p2/m']);
  const { spent, reserved } = await spender.budget();
  assert.deepEqual([spent, reserved], ['0.01', '0']);
});

test('a refused call costs nothing: the next candidate of the same price takes its reservation over', async t => {
  const spender = await startSpender(t, '0.012', [CHEAP, CHEAP]);
  spender.upstreams[0]!.answerWith(() => status(400 + 29));
  spender.upstreams[1]!.answerWith(() => [text('answer'), usage(1, 12)]);

  const request = await ended(spender, { maxOutputTokens: 12 });

  assert.deepEqual(attemptsOf(request), ['p1/m FAILED 0', 'p2/m SUCCEEDED 0.012']);
  assert.equal((await spender.budget()).remaining, '0');
});

/** What a request holds; it never comes to a call for which more would have to be reserved. */
function holding(reservedNanoUsd: bigint) {
  return createAllowance(
    {
      request: { id: 'req_1', epoch: 1, reservedNanoUsd },
      earlier: [],
      signal: new AbortController().signal,
      endsAtMs: Number.POSITIVE_INFINITY,
    },
    {
      store: { budgets: { extend: () => assert.fail('more was reserved') } as never },
      rules: { outputTokens: 10, allowUnpriced: false },
      clock: createTestClock(),
      log: { warn() {} },
      onExtended: () => {},
    },
  );
}

test('a second deployment is asked beside the first one only when both calls are covered', async () => {
  const perToken = (nanoUsd: bigint): Price => ({
    source: 'test',
    input: [{ fromTokens: 0, nanoUsdPerMillion: 0n }],
    output: [{ fromTokens: 0, nanoUsdPerMillion: nanoUsd * 1_000_000n }],
  });
  const prices = { 'p1/m': perToken(5n), 'p2/m': perToken(3n) };
  for (const [reserved, calls] of [
    [80n, ['p1/m', 'p2/m']],
    [79n, ['p1/m']],
  ] as const) {
    const slow = gated(token('answer'), finished());
    const race = journey([[slow.stream], [silent]], { ...freely(), prices, allowance: holding(reserved) });
    await pass(race.clock, AFTER_MS);
    assert.deepEqual(race.calls, calls, `${reserved} are reserved`);
    slow.open();
    assert.equal((await arrived(race)).status, 'SUCCEEDED');
  }
});

test('what a provider reports beyond all that was reserved is booked as it is, and the budget is closed', async t => {
  const spender = await startSpender(t, '0.02', [CHEAP]);
  const [upstream] = spender.upstreams;
  upstream!.enqueue([text('answer'), usage(1, 1_000)]);

  const told = [];
  for (let index = 0; index < 2; index += 1) {
    const submitted = await spender.submit({ maxOutputTokens: 10 });
    told.push('error' in submitted ? submitted.error.extensions.code : submitted.id);
    if ('id' in submitted)
      await until(async () => (await spender.look(submitted.id)).status === 'SUCCEEDED', 'it ends');
  }

  assert.equal(told[1], 'BUDGET_EXCEEDED');
  const { spent, remaining, reserved } = await spender.budget();
  assert.deepEqual([spent, remaining, reserved], ['1', '0', '0']);
  const other = await startSpender(t, '0.02', [CHEAP]);
  other.upstreams[0]!.enqueue([text('four'), usage(1, -5)], [text('four'), usage(1, 1e15)]);
  for (let index = 0; index < 2; index += 1) await ended(other, { maxOutputTokens: 10 });
  assert.equal((await other.budget()).spent, '0.002', 'nonsense is replaced by an estimate');
});

test('a request that waits keeps what it holds, and gives it back when it is cancelled', async t => {
  const spender = await startSpender(t, '0.02', [CHEAP], { env: { MCPLANE_MAX_RUNNING_REQUESTS: '1' } });
  const go = Promise.withResolvers<void>();
  spender.upstreams[0]!.enqueue([gate(go.promise), text('answer'), usage(1, 3)]);
  const [running, waiting] = [
    await spender.submit({ maxOutputTokens: 10 }),
    await spender.submit({ maxOutputTokens: 10 }),
  ];
  assert.ok('id' in running && 'id' in waiting);
  assert.equal((await spender.look(waiting.id)).status, 'QUEUED');
  assert.ok('error' in (await spender.submit({ maxOutputTokens: 1 })));

  await spender.app.ask(
    'mutation ($input: CancelRequestInput!) { cancelRequest(input: $input) { request { id } } }',
    { input: { requestId: waiting.id } },
    spender.token,
  );

  assert.equal((await spender.budget()).reserved, '0.01');
  const next = await spender.submit({ maxOutputTokens: 10 });
  assert.ok('id' in next);
  go.resolve();
  await until(async () => (await spender.look(next.id)).status === 'SUCCEEDED', 'all have ended');
  assert.equal((await spender.budget()).reserved, '0');
});

/** Each limit leaves room for so many calls of ten tokens at most. */
for (const [limit, outcomes] of [
  ['0.02', ['LOST null', 'SUCCEEDED 0.003']],
  ['0.019', ['LOST null']],
] as const)
  test(`a death costs all that the call can have cost, and ${limit} USD allow ${outcomes.length} calls`, async t => {
    const store = await openTestStore(t);
    const spender = await startSpender(t, limit, [CHEAP], { openStore: async () => store });
    spender.upstreams[0]!.enqueue([text('half'), stall()], [text('whole'), usage(1, 3)]);
    const submitted = await spender.submit({ maxOutputTokens: 10 });
    assert.ok('id' in submitted);
    await spender.upstreams[0]!.nextRequest();

    const owner = spender.app.app.gateway.instanceId();
    const died = requestError('INTERNAL', 'The server died too often.');
    spender.app.app.gateway.fence();
    await store.transaction(inside => inside.queue.recover([owner], 3, died));
    spender.app.app.gateway.start();
    await spender.app.app.gateway.changedElsewhere([idOf('request', submitted.id)!]);

    await until(async () => (await spender.budget()).reserved === '0', 'nothing is reserved any more');
    const request = await spender.look(submitted.id);
    assert.deepEqual(
      request.attempts.map(({ outcome, cost }: Data) => `${outcome} ${cost}`),
      outcomes,
    );
    assert.equal(request.attempts[0].reserved, '0.01');
    if (outcomes.length === 2) assert.deepEqual([request.status, request.cost], ['SUCCEEDED', '0.003']);
    else {
      assert.deepEqual([request.status, request.error.code], ['FAILED', 'BUDGET_EXCEEDED']);
      assert.match(request.error.message, /^p1\/m was not asked: another call may cost \$0\.01/);
      assert.equal(request.error.retryable, false);
    }
    assert.equal((await spender.budget()).spent, outcomes.length === 2 ? '0.013' : '0.01');
  });
