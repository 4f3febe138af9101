// Providers that are made, changed and deleted on one instance, seen from another.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { rewrapKeys } from '../../src/control/key-rotation.ts';
import { createMasterKeys } from '../../src/control/master-keys.ts';
import { systemClock as clock } from '../../src/lib/clock.ts';
import { type Data, type TestApp, until } from '../support/app.ts';
import { startInstances } from '../support/instances.ts';
import { type RedisServer, redisMissing, startRedis } from '../support/redis.ts';
import { startUpstream } from '../support/upstream.ts';
import { answerOf, CREATE, DELETE, inputFor, KEY, OTHER_KEY, UPDATE } from './setup.ts';

const ENV = {
  MCPLANE_ALLOW_PRIVATE_PROVIDERS: 'true',
  MCPLANE_SIMULATED: 'on',
  MCPLANE_SECRET_KEY: 'x3Vq8mZt1LrKc0PwYb7NfHs5DgJu9EaQ',
};

async function withSignals(t: TestContext) {
  const redis = await startRedis(t);
  const started = await startInstances(t, { ...ENV, REDIS_URL: redis.url });
  await until(() => listeners(redis) === 2, 'both listen to signals');
  // Only a signal can bring the news.
  await started.second.freeze();
  return started;
}

const listeners = (redis: RedisServer) =>
  Number(redis.command('pubsub', 'numsub', 'mcplane:signals:0').trim().split('\n').at(-1));

async function storedAt({ ask }: TestApp): Promise<Data> {
  const { providers } = await ask('{ providers { id source keyHint deployments { id } } }');
  return providers.find(({ source }: Data) => source === 'STORED');
}

const ways = {
  signals: { open: withSignals, skip: redisMissing() },
  heartbeats: { open: (t: TestContext) => startInstances(t, ENV), skip: false as const },
};
for (const [way, { open, skip }] of Object.entries(ways))
  test(`what is done to a provider on one instance is done on the other, by ${way}`, { skip }, async t => {
    const upstream = await startUpstream(t, { models: [{ id: 'alpha' }] });
    const { first, second } = await open(t);
    const input = inputFor(upstream);

    await first.ask(CREATE, { input });
    await until(async () => (await storedAt(second)) !== undefined, 'the other has it');
    assert.deepEqual(await storedAt(second), await storedAt(first));
    await answerOf(second, 'vllm/alpha');
    assert.equal(upstream.modelCalls[0]?.headers.authorization, `Bearer ${KEY}`);

    await first.ask(UPDATE, { input: { providerId: 'vllm', apiKey: OTHER_KEY } });
    await until(async () => (await storedAt(second)).keyHint === '…wxyz', 'the other has the new key');
    await answerOf(second, 'vllm/alpha');
    assert.equal(upstream.modelCalls[1]?.headers.authorization, `Bearer ${OTHER_KEY}`);

    const { errors } = await second.send(CREATE, { input });
    assert.equal(errors?.[0]?.extensions.code, 'CONFLICT');
    await first.ask(DELETE, { input: { providerId: 'vllm' } });
    await until(async () => (await storedAt(second)) === undefined, 'the other has it no more');
  });

test('an instance that cannot decrypt a key says so, and uses it as soon as it can', async t => {
  const upstream = await startUpstream(t, { models: [{ id: 'alpha' }] });
  const other = { ...ENV, MCPLANE_SECRET_KEY: 'G7uTz2Wk9QxRb4MnVc1LpYh8Dj6SaFe0' };
  // As in the middle of a new master key: the first one has it, the second one knows only the old one.
  const { first, second, store } = await startInstances(t, {}, [other, ENV]);
  const input = inputFor(upstream);
  await first.ask(CREATE, { input });
  const state = async () => {
    const { providers } = await second.ask('{ providers { id status statusReason } }');
    return providers.find(({ id }: Data) => id === 'vllm');
  };
  await until(async () => (await state()) !== undefined, 'the second one has heard of it');
  assert.deepEqual(await state(), {
    id: 'vllm',
    status: 'MISCONFIGURED',
    statusReason: 'its key is encrypted under another MCPLANE_SECRET_KEY than is set here',
  });

  const keys = createMasterKeys(ENV.MCPLANE_SECRET_KEY, other.MCPLANE_SECRET_KEY);
  await rewrapKeys({ store, keys, clock });
  await until(async () => (await state()).status === 'AVAILABLE', 'the second one can decrypt it');
  await answerOf(second, 'vllm/alpha');
  assert.equal(upstream.modelCalls[0]?.headers.authorization, `Bearer ${KEY}`);
});
