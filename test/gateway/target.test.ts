import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBreakers } from '../../src/gateway/breakers.ts';
import { callTarget } from '../../src/gateway/target.ts';
import { createTestClock } from '../support/clock.ts';
import { adapterFor, finished, started, streamOf, token } from './attempt-setup.ts';
import { decisionOf, deploymentOf, depsOf, specOf } from './failover-setup.ts';

test('a fault of ours before the call gives permit and place back, and is in the ledger', async () => {
  const clock = createTestClock();
  const breakers = createBreakers({}, { clock });
  const deployment = { ...deploymentOf('p1/m', true), maxConcurrency: 1 };
  const offered = [deployment];
  const adapters = new Map([[deployment.id, adapterFor(streamOf(finished()))]]);
  const deps = depsOf({ clock, breakers, offered, adapters });
  const transcript = {
    get sent(): string {
      throw new RangeError('no transcript');
    },
    prefillRefused: false,
  };
  const journey = {
    requestId: 'req_1',
    spec: specOf(),
    decision: decisionOf(offered),
    signal: new AbortController().signal,
    lastNumberBefore: 0,
    book() {},
    endsAtMs: 10_000,
    emit() {},
  };

  const place = deps.capacity.tryAcquire(deployment)!;
  const permit = breakers.acquire(deployment.id);
  const called = await callTarget(journey, { ...place, permit, number: 1, transcript }, deps);

  assert.ok(called.defect?.cause instanceof RangeError);
  assert.deepEqual([called.attempt.outcome, called.attempt.error?.code], ['FAILED', 'INTERNAL']);
  assert.deepEqual(deps.capacity.load(deployment.id), { inFlight: 0, waiting: 0 });
  assert.ok(breakers.forget(deployment.id), 'no call is under way any more');
});

test('what is wrong with an answer is told to its owner, and not to the log', async () => {
  const clock = createTestClock();
  const breakers = createBreakers({}, { clock });
  const deployment = deploymentOf('p1/m');
  const adapters = new Map([
    [deployment.id, adapterFor(streamOf(started, token('{"my secret": 1}'), finished()))],
  ]);
  const logged: unknown[] = [];
  const deps = {
    ...depsOf({ clock, breakers, offered: [deployment], adapters }),
    log: { warn: (...line: unknown[]) => logged.push(line) },
  };
  const journey = {
    requestId: 'req_1',
    spec: { ...specOf(), outputSchema: { additionalProperties: false } },
    decision: decisionOf([deployment]),
    signal: new AbortController().signal,
    lastNumberBefore: 0,
    book() {},
    endsAtMs: 10_000,
    emit() {},
  };
  const place = deps.capacity.tryAcquire(deployment)!;
  const target = { ...place, permit: breakers.acquire(deployment.id), number: 1 };

  const called = await callTarget(
    journey,
    { ...target, transcript: { sent: '', prefillRefused: false } },
    deps,
  );

  assert.match(called.attempt.error?.message ?? '', /"my secret"/);
  assert.equal(called.attempt.fault, 'schema-mismatch');
  assert.equal(logged.length, 1);
  assert.doesNotMatch(JSON.stringify(logged), /secret/);
});
