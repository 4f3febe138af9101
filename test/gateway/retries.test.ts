// Who is asked after a failure: the same deployment once more, the next one, or nobody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProviderError } from '../../src/providers/provider-error.ts';
import { gate, text } from '../support/upstream.ts';
import { streamOf } from './attempt-setup.ts';
import { ask, startChain } from './chain-setup.ts';
import { attemptsOf, journey } from './failover-setup.ts';

const DRAIN =
  'mutation { drainDeployment(input: { deploymentId: "p2/m", reason: "maintenance" }) { provider { id } } }';

test('the last deployment that can be used is asked once more, although it is not the last of the candidates', async t => {
  const chain = await startChain(t, 2);
  const [first, second] = chain.upstreams;
  const failing = Promise.withResolvers<void>();
  first!.enqueue([gate(failing.promise), { do: 'error', type: 'server_error', message: 'scripted' }]);
  first!.answerWith(() => [text('back again')]);
  const ended = ask(chain);
  await first!.nextRequest();
  await chain.app.ask(DRAIN);
  failing.resolve();

  const { request, attempts } = await ended;
  assert.equal(request.output, 'back again');
  assert.deepEqual(attempts, ['p1/m PROVIDER_FAILED', 'p1/m SUCCEEDED']);
  assert.equal(second!.modelCalls.length, 0);
});

test('a deployment whose breaker its own failure opened is not waited for', async () => {
  const refused = new ProviderError('connection', 'refused', {
    cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
  });
  const { arrival, clock } = journey([[streamOf(refused)]]);

  // The clock stands still: whoever waited would never arrive.
  const arrived = await arrival;
  assert.deepEqual(attemptsOf(arrived), ['p1/m PROVIDER_FAILED']);
  assert.equal(arrived.waitedMs, 0);
  assert.equal(clock.monotonic(), 0);
});
