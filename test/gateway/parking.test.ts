// Who waits for room at a deployment works for nobody, and holds none of the places of this process meanwhile.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { until } from '../support/app.ts';
import { REQUEST, readStream, submit, textOf } from '../support/requests.ts';
import { gate, text } from '../support/upstream.ts';
import { promptOf, startLimited } from './capacity-setup.ts';

const CANCEL = 'mutation ($id: ID!) { cancelRequest(input: { requestId: $id }) { request { status } } }';

/** Two places here, and at `small`, which takes one call, a call that hangs until it is told to go on. */
async function startStuck(t: TestContext) {
  const env = { MCPLANE_MAX_RUNNING_REQUESTS: '2' };
  const { app, upstream } = await startLimited(t, { small: 1, other: 5 }, env);
  const go = Promise.withResolvers<void>();
  upstream.answerWith(request =>
    promptOf(request) === 'stuck' ? [gate(go.promise), text('at last')] : [text('answered')],
  );
  const { gateway } = app.app;
  const stuck = await submit(app, { prompt: 'stuck', model: 'small' });
  await upstream.nextRequest();
  return {
    app,
    upstream,
    gateway,
    stuck,
    go: go.resolve,
    /** Submits one for `small`, and resolves when it waits there with all those before it. */
    async wait(inLine: number): Promise<string> {
      const id = await submit(app, { prompt: 'waiting', model: 'small' });
      await until(() => gateway.capacityLoad('house/small').waiting === inLine, `${inLine} wait`);
      return id;
    },
    /** Nothing of all that is left: no call, nobody in line, and every place free. */
    async assertIdle() {
      await until(() => gateway.load().running === 0, 'the last place is free');
      await until(() => gateway.capacityLoad('house/small').inFlight === 0, 'the last call is over');
      assert.deepEqual(gateway.load(), { running: 0, queued: 0 });
      assert.deepEqual(gateway.capacityLoad('house/small'), { inFlight: 0, waiting: 0 });
    },
  };
}

test('requests for a full deployment keep nobody from the others, and are answered in the end', async t => {
  const { app, gateway, stuck, go, wait, assertIdle } = await startStuck(t);
  const waiting = [await wait(1), await wait(2), await wait(3)];
  assert.deepEqual(gateway.load(), { running: 1, queued: 3 });

  for (let asked = 0; asked < 3; asked += 1) {
    const third = await submit(app, { prompt: 'third', model: 'other' });
    assert.equal(textOf(await readStream(app, third)), 'answered');
  }
  go();
  assert.equal(textOf(await readStream(app, stuck)), 'at last');
  for (const id of waiting) assert.equal(textOf(await readStream(app, id)), 'answered');
  await assertIdle();
});

test('who is cancelled while it waits, or runs out of time, gives nothing back that it did not have', async t => {
  const { app, gateway, stuck, go, wait, assertIdle } = await startStuck(t);
  const [cancelled, patient] = [await wait(1), await wait(2)];
  await app.ask(CANCEL, { id: cancelled });
  assert.deepEqual(gateway.load(), { running: 1, queued: 1 });
  const late = await submit(app, { prompt: 'late', model: 'small', deadlines: { totalMs: 200 } });
  assert.equal((await readStream(app, late)).at(-1).error.code, 'TIMEOUT');
  await until(() => gateway.load().queued === 1, 'it has left');

  go();
  assert.equal(textOf(await readStream(app, stuck)), 'at last');
  assert.equal(textOf(await readStream(app, patient)), 'answered');
  await assertIdle();
});

test('who waits when the server stops waits again for the next one, and holds no place', async t => {
  const { app, upstream, gateway, wait, assertIdle } = await startStuck(t);
  const ids = [await wait(1), await wait(2)];

  await gateway.drain(0);

  await assertIdle();
  for (const id of ids) {
    const { request } = await app.ask(REQUEST, { id });
    assert.deepEqual([request.status, request.attempts], ['QUEUED', []]);
  }
  assert.equal(upstream.modelCalls.length, 1);
});

test('those who wait do not let more run than may: one that goes on keeps the next in the queue', async t => {
  const { app, gateway, upstream, go, wait, assertIdle } = await startStuck(t);
  const waiting = await wait(1);
  const hold = Promise.withResolvers<void>();
  upstream.answerWith(() => [gate(hold.promise), text('held')]);
  const running = await submit(app, { prompt: 'running', model: 'other' });
  await upstream.nextRequest();
  assert.deepEqual(gateway.load(), { running: 2, queued: 1 });

  const queued = await submit(app, { prompt: 'queued', model: 'other' });
  assert.equal((await app.ask(REQUEST, { id: queued })).request.status, 'QUEUED');
  assert.deepEqual(gateway.load(), { running: 2, queued: 2 });
  go();
  hold.resolve();
  for (const id of [waiting, running, queued]) assert.equal(textOf(await readStream(app, id)), 'held');
  await assertIdle();
});
